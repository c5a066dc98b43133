package filesource

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

// Descriptor describes the source "file".
var Descriptor = gpflow.Descriptor{
	Block:   "source",
	Kind:    "file",
	Summary: "Reads records from files, directories and standard input.",
	Doc: `Reads the files that ` + "`path`" + ` names, each from its beginning to its end, and then ends. Files with the extension .gz or .zst are decompressed.

A record that cannot be decoded, and one that is longer than ` + "`max_record`" + `, has failed: it goes where ` + "`on_error`" + ` says, with the file, the byte offset and the line that it stands at, and reading goes on behind it. A compressed file that is cut short or damaged stops the pipeline, and so do a file that is cut while it is read and text in UTF-16. A file without records is no mistake.

With ` + "`follow`" + `, a line is read when its end has been written. A file that is renamed and replaced by a new one of its name, as log files are rotated, is read to its end, until it has not grown for a minute, and so is the new one. A file that is truncated is read from its beginning: that is logged, with what is known to have been lost, and its offsets and lines count on; what a copy beside it holds that was not read is read from there, where its name begins as the file's does (app.log, app.log.1). Keep such copies out of ` + "`path`" + `: they are files of their own. A file that appears, and is renamed before it has been looked at, is read only where ` + "`path`" + ` has its new name too, as ` + "`app.log*`" + ` does: on Linux files are looked at when they appear, elsewhere every 0.2 s, and nowhere while the pipeline does not run. Compressed files cannot be followed.

A pipeline that goes on from a checkpoint goes on behind the last record of each file. A file that has been replaced or removed, or has become shorter, stops it. The files are those that were there when the pipeline began: one that has appeared since is not read, nor what has been added to one that had been read to its end. A compressed file is decompressed from its beginning up to that place. What standard input and pipes gave cannot be read again: such a pipeline starts anew.

Each file is read by one subtask. Where nothing downstream uses event time, large uncompressed files of lines or JSON are cut into ranges so that all subtasks have work; records of such ranges have an offset but no line.`,
	Example: `source "file" "clicks" {
  path   = "logs/*.json.gz"
  schema = schema.click

  event_time {
    field        = "at"
    out_of_order = "5s"
  }
}`,
	Fields: fields,
	Ports: []gpflow.Port{
		{Name: "errors", Doc: "Records that could not be decoded, where `on_error` is `divert`."},
	},
	Traits:    traits,
	Infer:     infer,
	NewSource: newSource,
}

// traits returns what the engine may do with a node. What standard input gave
// is gone; what a path is that looks like a file shows when it is opened.
func traits(c gpflow.Config) gpflow.Traits {
	follow := c.Bool("follow")
	files := slices.DeleteFunc(slices.Clone(c.Strings("path")), func(p string) bool { return p == stdin })
	return gpflow.Traits{
		Reads:      files,
		Replayable: !slices.Contains(c.Strings("path"), stdin), Bounded: !follow,
		Retries: true, Ordered: c.String("order") != orderNone && !follow, MaxRecord: c.Int("max_record"),
	}
}

const (
	orderNone  = "none"
	orderName  = "name"
	orderMtime = "mtime"

	unknownError = "error"

	stdin = "-" // the path, and the split's id
)

var fields = []gpflow.Field{
	{
		Name: "path", Kind: gpflow.FieldList, Required: true, Update: gpflow.Replace, Example: `"logs/*.json"`,
		Doc: "What to read: one path or a list of them. A path is a file; a directory, or a symbolic link to one, which stands for every regular file in it and below it, but not in directories that are linked to there; a pattern with `*`, `?` and `[a-z]`, which do not match a `/`; or `-`, standard input. Hidden files, whose names begin with a dot, are read only where a path names them or its pattern begins with a dot. A file that several paths name is read once; one that has several names by links is read by each of them, and once with `follow`. A path that names nothing is an error.",
		Check: func(v any) error {
			return checkPaths(v.([]string))
		},
	},
	{
		Name: "schema", Kind: gpflow.FieldSchema, Update: gpflow.Restart, Example: "schema.click",
		Doc: "The columns of a record. Only those that somebody downstream reads are decoded. It may be left out where the format is `lines`: there is one column then, `line`, a string.",
	},
	catalog.FormatField(gpflow.Restart, "How records are written. Default: by each file's extension, after .gz or .zst"),
	catalog.CompressionField(gpflow.Restart, "How the files are compressed. The windows of Zstandard have up to 128 MiB.", ""),
	{
		Name: "order", Kind: gpflow.FieldEnum, Default: orderNone, Update: gpflow.Restart,
		Doc: "What the order of the files says about event times. With an order, a file holds the watermark only from the times of the file before it, so that windows close as reading goes on; a subtask that reads several files without one closes no window before it has begun the last.",
		Values: []gpflow.Option{
			{Value: orderNone, Doc: "nothing; the files are read in the order of their names"},
			{Value: orderName, Doc: "the files are read in the order of their paths, byte by byte, and their event times ascend from file to file"},
			{Value: orderMtime, Doc: "the same, in the order in which they were last changed; files of one time go by name"},
		},
	},
	{
		Name: "follow", Kind: gpflow.FieldBool, Default: false, Update: gpflow.Restart, Example: "true",
		Doc: "Whether the source goes on for ever: what is written to the files is read as it is written, and so are files that appear where `path` says. It need not name anything yet.",
	},
	{
		Name: "unknown_fields", Kind: gpflow.FieldEnum, Default: "ignore", Update: gpflow.Restart,
		Doc: "What a field is that the schema does not have.",
		Values: []gpflow.Option{
			{Value: "ignore", Doc: "it is passed over"},
			{Value: unknownError, Doc: "its record has failed"},
		},
	},
	{
		Name: "max_record", Kind: gpflow.FieldSize, Default: int64(1 << 20), Update: gpflow.Restart, Example: `"4MiB"`,
		Doc: "The longest record, without its line end, that is read into memory. A longer one has failed; its error carries its first 4 KiB.",
		Check: func(v any) error {
			if n := v.(int64); n < 1 || n > 1<<30 {
				return errors.New("max_record is a size from 1 byte to 1GiB")
			}
			return nil
		},
	},
	{
		Name: "timezone", Kind: gpflow.FieldString, Default: "UTC", Update: gpflow.Restart, Example: `"America/Chicago"`,
		Doc: "The time zone of times that are written without one: a name of the IANA database, or UTC.",
		Check: func(v any) error {
			_, err := loadZone(v.(string))
			return err
		},
	},
	catalog.CSVField(gpflow.Restart, "Whether the first record of each file names the columns. Without a header the columns go by the order of the schema."),
}

func checkPaths(paths []string) error {
	if len(paths) == 0 {
		return errors.New("name at least one file, directory or pattern, or \"-\" for standard input")
	}
	for _, p := range paths {
		if p == "" {
			return errors.New("a path is empty; name a file, a directory or a pattern, or \"-\" for standard input")
		}
		if _, err := filepath.Match(p, ""); err != nil {
			return fmt.Errorf("%q is not a pattern: a [ is not closed; write \\[ where the name has one", p)
		}
	}
	return nil
}

func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errors.New("name a time zone of the IANA database, such as \"Europe/Berlin\", or \"UTC\"")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("there is no time zone %q; use a name of the IANA database, such as \"Europe/Berlin\", or \"UTC\"", name)
	}
	return zone, nil
}

// linesSchema is the schema of lines where none is declared.
func linesSchema() *gpflow.Schema {
	return gpflow.NewSchema(gpflow.Column{Name: "line", Type: gpflow.T(gpflow.KindString)})
}

// settledFormat returns the one format of all files, or "" where that depends
// on the names of files that are not known yet. unknown is a path whose format
// can never be known from its name.
func settledFormat(c gpflow.Config) (format, unknown string) {
	if f := c.String("format"); f != "" {
		return f, ""
	}
	for i, p := range c.Strings("path") {
		f := catalog.FormatOf(p)
		if p == stdin {
			return "", p
		}
		if f == "" || i > 0 && f != format {
			return "", ""
		}
		format = f
	}
	return format, ""
}

// formatFields returns the fields that say the format.
func formatFields(c gpflow.Config) []string {
	if c.Has("format") {
		return []string{"format"}
	}
	return []string{"format", "path"}
}

// declared returns the schema of the records, nil where it has to be declared.
func declared(c gpflow.Config) *gpflow.Schema {
	if s := c.Schema("schema"); s != nil {
		return s
	}
	if f, _ := settledFormat(c); f == "lines" {
		return linesSchema()
	}
	return nil
}

func infer(in *gpflow.Inference) gpflow.Inferred {
	c := in.Config
	format, unknown := settledFormat(c)
	from := formatFields(c)
	out := gpflow.Inferred{Ports: []*gpflow.Schema{nil, nil}, Shape: []string{"schema"}}
	if !c.Has("schema") {
		out.Shape = append(out.Shape, from...)
	}
	if unknown != "" {
		in.Report(gpflow.Problem{
			Path: "path", Needs: from, Summary: "the format of standard input is not known",
			Detail: "There is no file name to tell it from. Give it a format: json, csv or lines.",
		})
	}
	inferFollow(in)
	if _, ok := c.Block("csv"); ok && format != "" && format != "csv" {
		in.Report(gpflow.Problem{
			Path: "csv", Needs: from, Summary: "the records are not comma-separated values",
			Detail: fmt.Sprintf("Their format is %s, which the block csv says nothing about. Remove it, or set the format to csv.", format),
		})
	}
	schema := declared(c)
	if schema == nil {
		if unknown == "" {
			in.Report(gpflow.Problem{
				Needs: out.Shape, Summary: "the source has no schema",
				Detail: "Give it a schema: schema.NAME, or one of its own. Only lines of text need none: set the format to lines where the files are that.",
			})
		}
		return out
	}
	checkSchema(schema, format, from, in.Report)
	if in.Wanted != nil {
		schema = schema.Select(func(name string) bool { return in.Wanted[name] })
	}
	out.Ports[0] = schema
	return out
}

// inferFollow reports what cannot be followed.
func inferFollow(in *gpflow.Inference) {
	c := in.Config
	if !c.Bool("follow") {
		return
	}
	for _, p := range c.Strings("path") {
		switch compressed := catalog.CompressionOf(p); {
		case p == stdin:
			in.Report(gpflow.Problem{
				Path: "path", Needs: []string{"follow"}, Summary: "standard input cannot be followed",
				Detail: "It is read as it is written in any case, and until it is closed. Remove follow, or name files.",
			})
		case compressed != catalog.None && c.String("compression") == catalog.Auto:
			in.Report(gpflow.Problem{
				Path: "path", Needs: []string{"follow", "compression"}, Summary: "a compressed file cannot be followed",
				Detail: fmt.Sprintf("%s is %s data by its name, and what is added to it cannot be read by itself. Remove follow, name other files, or set compression to none if it is plain.", p, compressed),
			})
		}
	}
	if v := c.String("compression"); v == catalog.Gzip || v == catalog.Zstd {
		in.Report(gpflow.Problem{
			Path: "compression", Needs: []string{"follow"}, Summary: "compressed files cannot be followed",
			Detail: "What is added to them cannot be read by itself. Remove follow, or read files that are plain.",
		})
	}
	if v := c.String("order"); v != orderNone {
		in.Report(gpflow.Problem{
			Path: "order", Needs: []string{"follow"}, Summary: "files that are followed have no order",
			Detail: "An order says that a file is read to its end before the next, and these do not end. Remove order, or follow.",
		})
	}
}
