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
	Summary: "Writes records to a file that appears when the input ends, or to files that appear as they are completed.",
	Doc: `In mode ` + "`single`" + ` all records go to one file, which appears when the input has ended, complete and on disk. Until then they are in a hidden file beside it, ` + "`.NAME.gpflow-staged`" + `, with the identity of the job's state behind that where the job keeps checkpoints. When the pipeline is stopped or fails, the staged file stays and the target is as it was. A pipeline that goes on from a checkpoint goes on with the staged file; one that begins afresh empties it, and removes what other runs have left staged for the same file. One sink writes a file at a time: a second one, of the same pipeline or of another run, and by whatever path, is refused when it starts.

In mode ` + "`parts`" + ` the path is a directory, and each subtask writes files there one after the other; there are as many as ` + "`parallelism`" + ` says. A record can be seen when its file is complete and the next checkpoint has been made: by default after each checkpoint, with ` + "`roll`" + ` after the longer of the time between checkpoints and that until the file is complete; where the job keeps no checkpoints, at the end of the input. The files are called ` + "`SINK-LINEAGE-WRITER-EPOCH-SEQUENCE.EXT`" + `, after the name of the sink, the identity of the job's state, the subtask, the start of the job and a number, so that no two are ever the same. Until they appear they are in the hidden directory ` + "`.gpflow-staged`" + ` below the path, on whose file system the whole path must be. A pipeline that goes on from a checkpoint removes what was staged behind it. Files may be taken away or removed as soon as they can be seen.

The path of mode ` + "`parts`" + ` may have record expressions in braces, as in ` + "`out/{day}/{lower(origin)}/`" + `: each record goes to the directory that their values name. A column is an expression, and any other will do whose value is a string, an int, a bool, bytes, a timestamp or a duration, or null. A brace is closed by the brace that belongs to it, so that braces within an expression have to come in pairs; those in quotes do not count. Of a value, letters, digits and ` + "`. _ - =`" + ` stay as they are, and every other byte is written as ` + "`%`" + ` and two hexadecimal digits, also a dot at the beginning; null is ` + "`__null__`" + ` and the empty string ` + "`__empty__`" + `. So a value makes one name at most, and leads nowhere else.

Records are sent to subtasks by the columns in the path, or, where other expressions are in it, by the path that comes of them, so that a directory has one writer at a time. A subtask has at most 100 files open: with more directories at a time, the file that was written to the longest ago is completed early.

In either mode a reader never sees a part of a file, and a staged file that something else has written to is not gone on with: a pipeline that goes on from a checkpoint reads it, and compares its checksum. Compressed files consist of several members of gzip or frames of Zstandard, which every common tool reads as one.

A record that the format cannot express, for which an expression in the path has no result, or for which the name of a directory or the whole path would be too long, has failed, and goes where ` + "`on_error`" + ` says.`,
	Example: `sink "file" "totals" {
  from = window.totals
  path = "out/totals.json"
}`,
	Fields:  fields,
	Traits:  traits,
	Infer:   infer,
	NewKey:  newKey,
	NewSink: newSink,
}

// traits returns what the engine may do with a node: one file is written by one
// subtask, and each directory of a partitioned path too.
func traits(c gpflow.Config) gpflow.Traits {
	t := gpflow.Traits{Delivery: gpflow.Transactional, Retries: true}
	if c.Has("path") {
		t.Claim = filepath.Clean(c.String("path"))
		t.Writes = []string{literal(t.Claim)}
	}
	if c.String("mode") != modeParts {
		t.Single, t.NeedsEnd, t.Visible = true, true, "when the input has ended"
		return t
	}
	t.Visible = "at each checkpoint"
	if r, ok := c.Block("roll"); ok {
		var limits []string
		if r.Has("size") {
			limits = append(limits, fmt.Sprintf("has %d bytes", r.Int("size")))
		}
		if r.Has("every") {
			limits = append(limits, fmt.Sprintf("is %s old", r.Duration("every")))
		}
		t.Visible = "at the first checkpoint at which its file " + strings.Join(limits, " or ")
	}
	if path, err := parseTemplate(c.String("path")); err == nil {
		if t.Key = path.keys(); t.Key != nil {
			t.KeyField = "path"
		}
		if c.Has("path") {
			t.Claim = path.claim()
			t.Writes = []string{path.pattern() + "/*" + extension(settled(c))}
		}
	}
	return t
}

const (
	modeSingle = "single"
	modeParts  = "parts"

	ifExistsReplace = "replace"
	ifExistsFail    = "fail"
)

var fields = []gpflow.Field{
	{
		Name: "mode", Kind: gpflow.FieldEnum, Default: modeSingle, Update: gpflow.Replace,
		Doc: "How records are spread over files.",
		Values: []gpflow.Option{
			{Value: modeSingle, Doc: "one file, written by one subtask, which appears when the input ends"},
			{Value: modeParts, Doc: "files in a directory, each of which appears when it is complete"},
		},
	},
	{
		Name: "path", Kind: gpflow.FieldString, Required: true, Update: gpflow.Replace, Example: `"out/totals.json"`, Exprs: true,
		Doc: "The file to write; in mode `parts` the directory, which may have record expressions in braces. A relative path begins in the directory that gpflow was started in. Where it is a symbolic link, the file that it leads to is written.",
		Check: func(v any) error {
			if p := v.(string); p == "" {
				return errors.New("the path names a file, such as \"out/totals.json\", or in mode parts a directory, such as \"out/\"")
			}
			return nil
		},
	},
	catalog.FormatField(gpflow.Replace, "How records are written. In mode `parts` it must be said. Default: by the extension of the path, after .gz or .zst"),
	{
		Name: "if_exists", Kind: gpflow.FieldEnum, Update: gpflow.Restart, Example: `"fail"`,
		Doc: "What happens where the file exists already. Default: `replace`. In mode `parts` it cannot be set: names are never used twice, and files that are there stay.",
		Values: []gpflow.Option{
			{Value: ifExistsReplace, Doc: "it is replaced when the input ends"},
			{Value: ifExistsFail, Doc: "the pipeline does not start; a file that appears meanwhile is not touched either"},
		},
	},
	catalog.CompressionField(gpflow.Replace, "How files are compressed.", "; in mode `parts`, plain"),
	{
		Name: "roll", Kind: gpflow.FieldBlock, Update: gpflow.Restart,
		Doc: "When a file of mode `parts` is complete: as soon as either limit is reached, and at the end of the input. Default: at each checkpoint.",
		Fields: []gpflow.Field{
			{
				Name: "size", Kind: gpflow.FieldSize, Update: gpflow.Restart, Example: `"128MiB"`,
				Doc: "The size at which a file is complete, as it is on disk; it is exceeded by at most what is written at once. Default: no limit.",
				Check: func(v any) error {
					if v.(int64) <= 0 {
						return errors.New("the size must be more than 0")
					}
					return nil
				},
			},
			{
				Name: "every", Kind: gpflow.FieldDuration, Update: gpflow.Restart, Example: `"1m"`,
				Doc: "The time after its first record at which a file is complete, by the clock of the machine. It is looked at when records come, and at each checkpoint. Default: no limit.",
				Check: func(v any) error {
					if v.(gpflow.Duration) <= 0 {
						return errors.New("the time must be more than 0")
					}
					return nil
				},
			},
		},
	},
	catalog.CSVField(gpflow.Replace, "Whether the first line names the columns."),
}
