package input

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	hcljson "github.com/hashicorp/hcl/v2/json"

	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
)

// envPrefix begins the names of environment variables that give values.
const envPrefix = "GPFLOW_VAR_"

// values returns the values that o gives to variables.
func (r *Reader) values(o Options) []spec.Value {
	var out []spec.Value
	for _, kv := range o.Env {
		name, text, _ := strings.Cut(kv, "=")
		if name, ok := strings.CutPrefix(name, envPrefix); ok {
			out = append(out, spec.Value{Name: name, Origin: spec.FromEnvironment, Where: envPrefix + name + " in the environment", Text: text})
		}
	}
	for _, file := range o.VarFiles {
		out = append(out, r.valueFile(file)...)
	}
	for _, kv := range o.Vars {
		name, text, ok := strings.Cut(kv, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			r.diags = append(r.diags, diag.Diagnostic{
				Code: diag.CodeVariableFlag, Summary: fmt.Sprintf("--var %s does not give a value", kv), Fix: "Write it as --var name=value.",
			})
			continue
		}
		out = append(out, spec.Value{Name: name, Origin: spec.FromFlag, Where: "--var " + kv, Text: text})
	}
	return out
}

// valueFile reads a file of values.
func (r *Reader) valueFile(name string) []spec.Value {
	src, ok := r.Read(name)
	if !ok {
		return nil
	}
	body, found, whole := hcl.EmptyBody(), diag.List(nil), false
	if strings.HasSuffix(name, ".json") {
		if !r.validJSON(name, src) {
			return nil
		}
		f, ds := hcljson.Parse(src, name)
		found, whole = Native(src, ds)
		if f != nil {
			body = f.Body
		}
	} else {
		body, found, whole = ParseNative(name, src)
	}
	r.diags = append(r.diags, found...)
	if !whole {
		r.broken = true
		return nil
	}
	attrs, ds := body.JustAttributes()
	for _, d := range ds {
		out := diag.Diagnostic{
			Code: diag.CodeBlockForm, Range: toRange(src, *d.Subject), Summary: "a file of values has no blocks",
			Fix: "Write the values as name = value.",
		}
		if strings.HasPrefix(d.Summary, "Duplicate") {
			out.Code, out.Summary, out.Fix = diag.CodeDuplicate, "the value is written twice", "Remove one."
		}
		r.diags = append(r.diags, out)
	}
	return r.fileValues(src, attrs)
}

func (r *Reader) fileValues(src []byte, attrs hcl.Attributes) []spec.Value {
	var out []spec.Value
	for _, a := range attrs {
		at := toRange(src, a.Expr.Range())
		v, ds := spec.Plain(a.Expr)
		if ds.HasErrors() {
			d := diag.Diagnostic{
				Code: diag.CodeEvaluate, Range: at, Summary: fmt.Sprintf("the value of %q cannot be computed", a.Name),
				Detail: "A file of values holds plain values: no variables, no functions.", Fix: "If it is text, write it in quotes.",
			}
			if p, ok := hcl.DiagnosticExtra[spec.Problem](ds[0]); ok {
				d.Code, d.Detail, d.Fix = p.Code, ds[0].Detail, p.Fix
			}
			r.diags = append(r.diags, d)
			r.broken = true
			continue
		}
		out = append(out, spec.Value{Name: a.Name, Origin: spec.FromFile, Where: at.String(), Range: at, Val: v})
	}
	slices.SortFunc(out, func(a, b spec.Value) int { return a.Range.Start.Byte - b.Range.Start.Byte })
	return out
}

// validJSON reports the place of a syntax error.
func (r *Reader) validJSON(name string, src []byte) bool {
	var v map[string]json.RawMessage
	err := json.Unmarshal(src, &v)
	if err == nil {
		return true
	}
	d := diag.Diagnostic{
		Code: diag.CodeSyntax, Range: diag.Range{File: name}, Summary: "the file is not a JSON object",
		Fix: `Write the values as {"name": value}.`,
	}
	if s, ok := err.(*json.SyntaxError); ok {
		at := max(0, min(int(s.Offset)-1, len(src)))
		d.Range.Start, d.Range.End = posAt(src, at), posAt(src, min(at+1, len(src)))
		d.Detail = fmt.Sprintf("The parser says: %v.", s)
	}
	r.broken = true
	r.diags = append(r.diags, d)
	return false
}
