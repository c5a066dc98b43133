// Package input finds and reads what a pipeline is made of: its files, in
// whatever language, and the values of its variables.
package input

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

// Parser reads a file of a pipeline. ok is false where the text could not be
// understood as a whole.
type Parser func(name string, src []byte) (f spec.File, ds diag.List, ok bool)

// Reader collects the files of one pipeline.
type Reader struct {
	files   []spec.File
	sources map[string][]byte
	diags   diag.List
	broken  bool // a file is not there to be decoded
}

// NewReader returns a reader without files.
func NewReader() *Reader { return &Reader{sources: make(map[string][]byte)} }

// Parse adds a file with the given text, of which the reader keeps a part.
func (r *Reader) Parse(name string, src []byte, parse Parser) {
	src, ok := r.clean(name, src)
	if !ok {
		return
	}
	f, ds, ok := parse(name, src)
	r.diags = append(r.diags, ds...)
	r.broken = r.broken || !ok
	r.files = append(r.files, f)
}

// Sources returns the texts that have been read, by the names of their files.
func (r *Reader) Sources() map[string][]byte { return r.sources }

// Build decodes what was read. When a file is missing or has a syntax error,
// the rest is not looked at, as what refers to the missing part would seem
// wrong, and the pipeline is nil. Otherwise it is not.
func (r *Reader) Build(o Options) (*spec.Pipeline, diag.List) {
	in := spec.Inputs{Registry: o.Registry, Sources: r.sources, Values: r.values(o)}
	for i := range r.diags {
		r.diags[i].Summary = diag.Capital(r.diags[i].Summary)
	}
	if r.broken {
		r.diags.Sort()
		return nil, r.diags
	}
	p, ds := spec.Build(r.files, in)
	p.Failed = p.Failed || r.diags.HasErrors()
	ds = append(r.diags, ds...)
	ds.Sort()
	return p, ds
}

var bom = []byte("\xef\xbb\xbf")

// clean checks that src is text and returns it without a byte order mark.
func (r *Reader) clean(name string, src []byte) ([]byte, bool) {
	src = bytes.TrimPrefix(src, bom)
	r.sources[name] = src
	d := diag.Diagnostic{Code: diag.CodeEncoding, Range: diag.Range{File: name}, Fix: "Save it as UTF-8."}
	switch {
	case wide(src):
		d.Summary = "the file is UTF-16 text"
	case !utf8.Valid(src):
		at := badByte(src)
		d.Range.Start = posAt(src, at)
		d.Range.End = posAt(src, at+1)
		d.Summary = "the file is not UTF-8 text"
		d.Detail = fmt.Sprintf("The byte 0x%02x at offset %d does not belong there.", src[at], at)
	case len(bytes.TrimSpace(src)) == 0:
		d = diag.Diagnostic{Code: diag.CodeNothingToDo, Range: diag.Range{File: name}, Summary: "the file is empty", Fix: "A pipeline begins with a block pipeline, which gives it its name."}
	default:
		return src, true
	}
	r.broken = true
	r.diags = append(r.diags, d)
	return nil, false
}

// wide reports whether src is UTF-16: by its byte order mark, or by every
// other byte at its beginning, which is zero.
func wide(src []byte) bool {
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return true
	}
	return len(src) >= 4 && (src[0] == 0 && src[2] == 0 && src[1] != 0 && src[3] != 0 || src[1] == 0 && src[3] == 0 && src[0] != 0 && src[2] != 0)
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

// Native returns what the parser of HCL's own language reports about src, in
// the words of specifications. whole says that it understood the text all the
// same, as it does when an attribute is written twice. Of several syntax
// errors the first counts: the others often follow from it.
func Native(src []byte, ds hcl.Diagnostics) (out diag.List, whole bool) {
	whole = true
	for _, d := range ds {
		if d.Severity != hcl.DiagError {
			continue
		}
		twice := d.Summary == "Attribute redefined"
		if !twice && !whole {
			continue
		}
		e := grammar(src, d)
		if d.Subject != nil && e.Range.File == "" {
			e.Range = toRange(src, *d.Subject)
		}
		out = append(out, e)
		whole = whole && twice
	}
	return out, whole
}

// words puts the words of specifications for those of the parser.
var words = strings.NewReplacer("an argument", "an attribute", "argument", "attribute", "An argument", "An attribute", "Argument", "Attribute", "tuple", "list")

// ParseNative parses a text in HCL's own language, if it is not nested too
// deeply for that. whole is as of Native; the body is never nil.
func ParseNative(name string, src []byte) (body hcl.Body, ds diag.List, whole bool) {
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if at, deep := spec.Nesting(tokens); deep {
		return hcl.EmptyBody(), diag.List{{
			Code: diag.CodeTooBig, Range: toRange(src, at), Summary: "the text is nested too deeply", Fix: "Give parts of it names, as locals.",
		}}, false
	}
	f, found := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	ds, whole = Native(src, found)
	return f.Body, ds, whole
}

func toRange(src []byte, r hcl.Range) diag.Range {
	end := min(r.End.Byte, len(src))
	return diag.Range{File: r.Filename, Start: posAt(src, min(r.Start.Byte, end)), End: posAt(src, end)}
}
