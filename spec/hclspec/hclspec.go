// Package hclspec reads pipelines that are written in HCL.
package hclspec

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
)

// Options are what a specification is read with.
type Options struct {
	Vars     []string // values of variables: "name=value"; of one name the last wins
	VarFiles []string // files of values: HCL attributes (.gpvars) or .json; later ones win
	Env      []string // the environment, as os.Environ: GPFLOW_VAR_name=value
	Registry *gpflow.Registry
}

// Load reads the pipeline that the files and directories at paths make up. A
// directory stands for its files *.gp.hcl, in the order of their names, or, if
// it has none, for its pipeline.hcl.
//
// All mistakes are reported at once, sorted. The pipeline is nil only when
// nothing usable came out: when a file could not be read or parsed.
func Load(paths []string, o Options) (*spec.Pipeline, diag.List) {
	r := newReader()
	for _, name := range r.find(paths) {
		if src, ok := r.read(name); ok {
			r.parse(name, src)
		}
	}
	return r.build(o)
}

// Parse reads the pipeline in src, as Load would from a file of the given
// name. Files of values are read from the disk.
func Parse(name string, src []byte, o Options) (*spec.Pipeline, diag.List) {
	r := newReader()
	if src, ok := r.clean(name, src); ok {
		r.parse(name, src)
	}
	return r.build(o)
}

// reader collects the files of a pipeline.
type reader struct {
	files   []spec.File
	sources map[string][]byte
	diags   diag.List
	broken  bool // a file is not there to be decoded
}

func newReader() *reader { return &reader{sources: make(map[string][]byte)} }

// build decodes what was read. When a file is missing or has a syntax error,
// the rest is not looked at: what refers to the missing part would seem wrong.
func (r *reader) build(o Options) (*spec.Pipeline, diag.List) {
	in := spec.Inputs{Registry: o.Registry, Sources: r.sources, Values: r.values(o)}
	for i := range r.diags {
		r.diags[i].Summary = diag.Capital(r.diags[i].Summary)
	}
	if r.broken {
		r.diags.Sort()
		return nil, r.diags
	}
	p, ds := spec.Build(r.files, in)
	ds = append(r.diags, ds...)
	ds.Sort()
	return p, ds
}

// Sources returns the texts that diagnostics of a Load without a pipeline
// refer to. A file that cannot be read is left out.
func Sources(ds diag.List) map[string][]byte {
	r := newReader()
	for _, d := range ds {
		if _, known := r.sources[d.Range.File]; !known && d.Range.File != "" {
			r.read(d.Range.File)
		}
	}
	return r.sources
}

var bom = []byte("\xef\xbb\xbf")

// clean checks that src is text and returns it without a byte order mark.
func (r *reader) clean(name string, src []byte) ([]byte, bool) {
	src = bytes.TrimPrefix(src, bom)
	r.sources[name] = src
	d := diag.Diagnostic{Code: diag.CodeEncoding, Range: diag.Range{File: name}, Fix: "Save it as UTF-8."}
	switch {
	case bytes.HasPrefix(src, []byte("\xff\xfe")), bytes.HasPrefix(src, []byte("\xfe\xff")):
		d.Summary = "the file is UTF-16 text"
	case !utf8.Valid(src):
		at := badByte(src)
		d.Range.Start = posAt(src, at)
		d.Range.End = posAt(src, at+1)
		d.Summary = "the file is not UTF-8 text"
		d.Detail = fmt.Sprintf("The byte 0x%02x at offset %d does not belong there.", src[at], at)
	case len(bytes.TrimSpace(src)) == 0:
		d = diag.Diagnostic{Code: diag.CodeNothingToDo, Range: diag.Range{File: name}, Summary: "the file is empty", Fix: "A pipeline begins with a block pipeline \"name\" {}."}
	default:
		return src, true
	}
	r.broken = true
	r.diags = append(r.diags, d)
	return nil, false
}

func badByte(src []byte) int {
	for i := 0; i < len(src); {
		c, n := utf8.DecodeRune(src[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(src)
}

func posAt(src []byte, at int) diag.Pos {
	bol := bytes.LastIndexByte(src[:at], '\n') + 1
	return diag.Pos{Line: bytes.Count(src[:at], []byte{'\n'}) + 1, Column: utf8.RuneCount(src[bol:at]) + 1, Byte: at}
}

// parse parses a file. Of several syntax errors the first counts: the others
// often follow from it.
func (r *reader) parse(name string, src []byte) {
	f, ds := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if !r.syntaxErrors(src, ds) {
		r.broken = true
		return
	}
	r.files = append(r.files, spec.File{Name: name, Source: src, Body: f.Body, Syntax: native{src}})
}

// syntaxErrors reports the errors of a parse. It returns whether the parser
// understood the whole text all the same, as it does when an attribute is
// written twice.
func (r *reader) syntaxErrors(src []byte, ds hcl.Diagnostics) bool {
	whole := true
	for _, d := range ds {
		if d.Severity != hcl.DiagError {
			continue
		}
		twice := d.Summary == "Attribute redefined"
		if !twice && !whole {
			continue
		}
		out := diag.Diagnostic{Code: diag.CodeSyntax, Summary: words.Replace(d.Summary), Detail: words.Replace(d.Detail)}
		if twice {
			out.Code, out.Summary, out.Fix = diag.CodeDuplicate, "the attribute is written twice", "Remove one."
		}
		if d.Subject != nil {
			out.Range = toRange(src, *d.Subject)
		}
		r.diags = append(r.diags, out)
		whole = whole && twice
	}
	return whole
}

// words puts the words of specifications for those of the parser.
var words = strings.NewReplacer("an argument", "an attribute", "argument", "attribute", "An argument", "An attribute", "Argument", "Attribute", "tuple", "list")

func toRange(src []byte, r hcl.Range) diag.Range {
	end := min(r.End.Byte, len(src))
	return diag.Range{File: r.Filename, Start: posAt(src, min(r.Start.Byte, end)), End: posAt(src, end)}
}
