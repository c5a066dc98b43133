package filesink

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

// Descriptor describes the sink "file".
var Descriptor = gpflow.Descriptor{
	Block:   "sink",
	Kind:    "file",
	Summary: "Writes records to a file that appears when the input ends.",
	Doc: `Writes all records to one file. Its directory is made where it does not exist.

The file appears when the input has ended, complete and on disk; a reader never sees a part of it. Until then the records are in a hidden file beside it, ` + "`.NAME.gpflow-staged`" + `. When the pipeline is stopped or fails, the staged file stays and the target is as it was; the next start of the pipeline overwrites the staged file.

One sink writes a file at a time: a second one, of the same pipeline or of another run, and by whatever path, is refused when it starts.

A record that the format cannot express has failed, and goes where ` + "`on_error`" + ` says.`,
	Example: `sink "file" "totals" {
  from = window.totals
  path = "out/totals.json"
}`,
	Fields: fields,
	Traits: gpflow.Traits{
		Single:   true,
		Delivery: gpflow.Transactional,
		NeedsEnd: true,
		Claims:   func(c gpflow.Config) string { return filepath.Clean(c.String("path")) },
	},
	Infer:   infer,
	NewSink: newSink,
}

const (
	modeSingle = "single"

	ifExistsReplace = "replace"
	ifExistsFail    = "fail"

	compressionAuto = "auto"
	compressionNone = "none"
	compressionGzip = "gzip"
	compressionZstd = "zstd"
)

var fields = []gpflow.Field{
	{
		Name: "mode", Kind: gpflow.FieldEnum, Default: modeSingle, Update: gpflow.Replace,
		Doc: "How records are spread over files.",
		Values: []gpflow.Option{
			{Value: modeSingle, Doc: "one file, written by one subtask, which appears when the input ends"},
		},
	},
	{
		Name: "path", Kind: gpflow.FieldString, Required: true, Update: gpflow.Replace, Example: `"out/totals.json"`,
		Doc: "The file to write. A relative path begins in the directory that gpflow was started in. Where it is a symbolic link, the file that it leads to is written.",
		Check: func(v any) error {
			if p := v.(string); p == "" || strings.HasSuffix(p, "/") || filepath.Base(p) == "." || filepath.Base(p) == ".." {
				return errors.New("the path names a file, such as \"out/totals.json\"; to write to the terminal, use sink \"stdout\"")
			}
			return nil
		},
	},
	{
		Name: "format", Kind: gpflow.FieldEnum, Update: gpflow.Replace, Example: `"json"`,
		Doc: "How records are written. Default: by the extension of the path, after .gz or .zst: .json, .jsonl and .ndjson are `json`, .csv is `csv`, .txt and .log are `lines`.",
		Values: []gpflow.Option{
			{Value: "json", Doc: "one JSON object a line"},
			{Value: "csv", Doc: "comma-separated values after RFC 4180"},
			{Value: "lines", Doc: "the only column, a line each"},
		},
	},
	{
		Name: "if_exists", Kind: gpflow.FieldEnum, Default: ifExistsReplace, Update: gpflow.Restart,
		Doc: "What happens where the file exists already.",
		Values: []gpflow.Option{
			{Value: ifExistsReplace, Doc: "it is replaced when the input ends"},
			{Value: ifExistsFail, Doc: "the pipeline does not start; a file that appears meanwhile is not touched either"},
		},
	},
	{
		Name: "compression", Kind: gpflow.FieldEnum, Default: compressionAuto, Update: gpflow.Replace,
		Doc: "How the file is compressed.",
		Values: []gpflow.Option{
			{Value: compressionAuto, Doc: "by the extension of the path: .gz is gzip, .zst is zstd, all else is plain"},
			{Value: compressionNone, Doc: "not at all"},
			{Value: compressionGzip, Doc: "gzip"},
			{Value: compressionZstd, Doc: "Zstandard"},
		},
	},
	{
		Name: "csv", Kind: gpflow.FieldBlock, Update: gpflow.Replace,
		Doc: "How comma-separated values are written.",
		Fields: []gpflow.Field{
			{
				Name: "header", Kind: gpflow.FieldBool, Default: true, Update: gpflow.Replace,
				Doc: "Whether the first line names the columns.",
			},
			{
				Name: "delimiter", Kind: gpflow.FieldString, Default: ",", Update: gpflow.Replace, Example: `"\t"`,
				Doc: "The character between two fields: one ASCII character other than a quote or a line end.",
				Check: func(v any) error {
					if d := v.(string); len(d) != 1 || d[0] >= 0x80 || strings.ContainsAny(d, "\"\r\n\x00") {
						return errors.New("the delimiter is one ASCII character other than a quote or a line end")
					}
					return nil
				},
			},
		},
	},
}

var suffixes = []struct{ suffix, format string }{
	{".json", "json"},
	{".jsonl", "json"},
	{".ndjson", "json"},
	{".csv", "csv"},
	{".txt", "lines"},
	{".log", "lines"},
}

// settled returns the format, "" where the path does not say it, and the
// compression.
func settled(c gpflow.Config) (format, compression string) {
	format, compression = c.String("format"), compressionNone
	low := strings.ToLower(c.String("path"))
	for _, s := range []struct{ suffix, name string }{{".gz", compressionGzip}, {".zst", compressionZstd}} {
		if rest, ok := strings.CutSuffix(low, s.suffix); ok {
			low, compression = rest, s.name
		}
	}
	if set := c.String("compression"); set != compressionAuto {
		compression = set
	}
	for _, s := range suffixes {
		if format == "" && strings.HasSuffix(low, s.suffix) {
			format = s.format
		}
	}
	return format, compression
}

func infer(in *gpflow.Inference) gpflow.Inferred {
	schema := in.In[0]
	used := gpflow.Inferred{Uses: [][]string{schema.Names()}}
	format, _ := settled(in.Config)
	if format == "" {
		in.Report(gpflow.Problem{
			Path: "path", Summary: "the extension of the path does not say the format",
			Detail: "Give it a format; there are " + strings.Join(catalog.Names(), ", ") + ".",
		})
		return used
	}
	if _, ok := in.Config.Block("csv"); ok && format != "csv" {
		in.Report(gpflow.Problem{
			Path: "csv", Summary: "the records are not comma-separated values",
			Detail: fmt.Sprintf("Their format is %s, which the block csv says nothing about. Remove it, or set the format to csv.", format),
		})
	}
	if err := catalog.Check(format, schema); err != nil {
		in.Report(gpflow.Problem{
			Path: "from", Summary: fmt.Sprintf("the format %s cannot carry these records", format), Detail: err.Error(),
		})
	}
	return used
}
