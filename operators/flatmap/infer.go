package flatmap

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// The codes of diagnostics, as spec/diag explains them.
const (
	codeColumnType = "GPF-0123" // a column has the wrong type
	codeSameColumn = "GPF-0125" // two output columns have one name
)

func infer(i *gpflow.Inference) gpflow.Inferred {
	in := i.In[0]
	out := gpflow.Inferred{Ports: []*gpflow.Schema{nil, nil}, Shape: []string{"each", "as", "index", "keep"}, Uses: make([][]string, 1)}
	ok := true
	report := func(p gpflow.Problem) { ok = false; i.Report(p) }
	if in.Mode != gpflow.Append {
		report(gpflow.Problem{
			Path: "from", Summary: fmt.Sprintf("A flat_map cannot take %s records", in.Mode),
			Detail: "It takes streams in which each record is a new fact.",
		})
	}
	l := lay(i.Config, in, i.Constants, i.Wanted != nil, report)
	if !ok {
		return out
	}
	wanted := func(name string) bool { return i.Wanted == nil || i.Wanted[name] }
	out.Ports[0] = l.schema(in, wanted)
	out.Uses[0], out.Constants = slices.Clone(l.each.Columns()), l.each.Constants()
	for _, name := range l.keep {
		if wanted(name) && !slices.Contains(out.Uses[0], name) {
			out.Uses[0] = append(out.Uses[0], name)
		}
	}
	out.Exprs = []gpflow.ExprInfo{l.each.Info("each")}
	return out
}

// schema returns the columns of the output that are wanted.
func (l *layout) schema(in *gpflow.Schema, wanted func(string) bool) *gpflow.Schema {
	s := &gpflow.Schema{Timeless: in.Timeless}
	add := func(c gpflow.Column) {
		if wanted(c.Name) {
			s.Columns = append(s.Columns, c)
		}
	}
	for _, name := range l.keep {
		add(in.Columns[in.Index(name)])
	}
	add(gpflow.Column{Name: l.as, Type: l.elem})
	if l.index != "" {
		add(gpflow.Column{Name: l.index, Type: gpflow.T(gpflow.KindInt)})
	}
	s.Key = l.key(in, s)
	return s
}

// key returns the output's unique key: the input's and the place in the list,
// if all of that is in the output.
func (l *layout) key(in, out *gpflow.Schema) []string {
	if len(in.Key) == 0 || l.index == "" || out.Index(l.index) < 0 {
		return nil
	}
	for _, k := range in.Key {
		if !slices.Contains(l.keep, k) || out.Index(k) < 0 {
			return nil
		}
	}
	return append(slices.Clone(in.Key), l.index)
}

// unknown is the complaint about a column to keep, the i-th, that there is not.
func unknown(i int, name string, in *gpflow.Schema) gpflow.Problem {
	p := gpflow.Problem{
		Code: expr.CodeUnknownColumn, Path: fmt.Sprintf("keep[%d]", i), Summary: fmt.Sprintf("There is no column %q to keep", name),
		Detail: "The columns are " + strings.Join(in.Names(), ", ") + ".",
	}
	if near := gpflow.Suggest(name, in.Names()); near != "" {
		p.Detail = fmt.Sprintf("Did you mean %s?", near)
	}
	return p
}
