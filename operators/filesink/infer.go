package filesink

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
	"github.com/gpflow/gpflow/spec/expr"
)

// codeValue is the code of values that are not possible, as spec/diag explains it.
const codeValue = "GPF-0028"

// settled returns the format, "" where neither the field nor the path says it,
// and the compression. A path of parts is a directory, and says nothing.
func settled(c gpflow.Config) (format, compression string) {
	path := c.String("path")
	if c.String("mode") == modeParts {
		path = ""
	}
	if format = c.String("format"); format == "" {
		format = catalog.FormatOf(path)
	}
	if compression = c.String("compression"); compression == catalog.Auto {
		compression = catalog.CompressionOf(path)
	}
	return format, compression
}

// formatFields returns the fields that say the format.
func formatFields(c gpflow.Config) []string {
	switch {
	case c.Has("format"):
		return []string{"format"}
	case c.String("mode") == modeParts:
		return []string{"format", "mode"}
	}
	return []string{"format", "mode", "path"}
}

// extension returns how the names of parts end.
func extension(format, compression string) string {
	ext := "." + format
	if format == "lines" {
		ext = ".txt"
	}
	switch compression {
	case catalog.Gzip:
		ext += ".gz"
	case catalog.Zstd:
		ext += ".zst"
	}
	return ext
}

func infer(in *gpflow.Inference) gpflow.Inferred {
	schema := in.In[0]
	used := gpflow.Inferred{Uses: [][]string{schema.Names()}}
	format, _ := settled(in.Config)
	if in.Config.String("mode") == modeParts {
		checkParts(in)
		checkPath(in, &used)
	} else if !checkSingle(in) && format == "" {
		return used
	}
	if format == "" {
		p := gpflow.Problem{
			Path: "path", Needs: formatFields(in.Config), Summary: "the extension of the path does not say the format",
			Detail: "Give it a format; there are " + strings.Join(catalog.Names(), ", ") + ".",
		}
		if in.Config.String("mode") == modeParts {
			p.Path, p.Summary = "mode", "a sink of mode parts has to say the format"
		}
		in.Report(p)
		return used
	}
	if _, ok := in.Config.Block("csv"); ok && format != "csv" {
		in.Report(gpflow.Problem{
			Path: "csv", Needs: formatFields(in.Config), Summary: "the records are not comma-separated values",
			Detail: fmt.Sprintf("Their format is %s, which the block csv says nothing about. Remove it, or set the format to csv.", format),
		})
	}
	if err := catalog.Check(format, schema); err != nil {
		in.Report(gpflow.Problem{
			Path: "from", Needs: formatFields(in.Config), Summary: fmt.Sprintf("the format %s cannot carry these records", format), Detail: err.Error(),
		})
	}
	return used
}

// checkSingle reports whether the path can be that of a file.
func checkSingle(in *gpflow.Inference) bool {
	path := in.Config.String("path")
	directory := strings.HasSuffix(path, "/") || filepath.Base(path) == "." || filepath.Base(path) == ".."
	if directory {
		in.Report(gpflow.Problem{
			Code: codeValue, Path: "path", Needs: []string{"mode"}, Summary: fmt.Sprintf("%q is a directory, and mode single writes one file", path),
			Detail: `Name a file, such as "out/totals.json"; for files in a directory, set mode = "parts"; to write to the terminal, use sink "stdout".`,
		})
	}
	if _, ok := in.Config.Block("roll"); ok {
		in.Report(gpflow.Problem{
			Path: "roll", Needs: []string{"mode"}, Summary: "there is one file, which is complete when the input ends",
			Detail: `Remove roll, or set mode = "parts".`,
		})
	}
	return !directory
}

func checkParts(in *gpflow.Inference) {
	if in.Config.Has("if_exists") {
		in.Report(gpflow.Problem{
			Path: "if_exists", Needs: []string{"mode"}, Summary: "if_exists does not apply to mode parts",
			Detail: "Files that are in the directory already stay, and no name is used twice. Remove it.",
		})
	}
	if r, ok := in.Config.Block("roll"); ok && !r.Has("size") && !r.Has("every") {
		in.Report(gpflow.Problem{
			Path: "roll", Needs: []string{"mode", "roll.size", "roll.every"}, Summary: "roll says neither a size nor a time",
			Detail: `Write roll { size = "128MiB" }, every = "1m", or both; without the block, a file is complete at each checkpoint.`,
		})
	}
}

// checkPath checks the expressions in the path of parts, and adds to out what they
// are.
func checkPath(in *gpflow.Inference, out *gpflow.Inferred) {
	report := func(err *expr.Error) {
		for _, p := range err.Problems("path") {
			p.Needs = []string{"mode"}
			in.Report(p)
		}
	}
	t, err := parseTemplate(in.Config.String("path"))
	if err != nil {
		report(err)
		return
	}
	seen := make(map[string]bool)
	for _, p := range t.pieces {
		if p.expr == "" || seen[p.expr] {
			continue
		}
		seen[p.expr] = true
		_, x, err := p.check(in.In[0], in.Constants)
		switch {
		case err != nil:
			report(err)
		case x != nil:
			out.Exprs = append(out.Exprs, x.Info("path"))
			for _, name := range x.Constants() {
				if !slices.Contains(out.Constants, name) {
					out.Constants = append(out.Constants, name)
				}
			}
		}
	}
}
