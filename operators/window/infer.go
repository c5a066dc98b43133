package window

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// The codes of diagnostics, as spec/diag explains them.
const (
	codeKeyType    = "GPF-0114" // a column of this type cannot be a key
	codeSameColumn = "GPF-0125" // two output columns have one name
)

func infer(i *gpflow.Inference) gpflow.Inferred {
	in := i.In[0]
	late := &gpflow.Schema{Columns: in.Columns, Key: in.Key, Mode: in.Mode, Timeless: true}
	out := gpflow.Inferred{
		Ports: []*gpflow.Schema{nil, late, nil}, Shape: []string{"key_by", "aggregate"}, Uses: make([][]string, 1), Pass: []bool{false, true, false},
	}
	ok := true
	report := func(p gpflow.Problem) { ok = false; i.Report(p) }
	if in.Timeless {
		report(gpflow.Problem{
			Path: "from", Summary: "A window needs event time, and these records have none",
			Detail: "Give their source an event_time block. Records on the ports late and errors have no event time.",
		})
	}
	if in.Mode != gpflow.Append {
		report(gpflow.Problem{
			Path: "from", Summary: fmt.Sprintf("A tumbling window cannot take %s records", in.Mode),
			Detail: "It takes streams in which each record is a new fact.",
		})
	}
	l := build(i.Config, in, i.Constants, report)
	if l == nil || !ok {
		return out
	}
	out.Ports[0] = l.output()
	out.Uses[0], out.Constants = l.uses()
	out.Exprs = l.exprs
	return out
}

// checkKeys sets l.group, and reports key columns that cannot be.
func (l *layout) checkKeys(fail func(gpflow.Problem)) {
	for i, name := range l.keys {
		problem := func(code, summary, detail string) {
			fail(gpflow.Problem{Code: code, Path: fmt.Sprintf("key_by[%d]", i), Summary: summary, Detail: detail})
		}
		slot := l.in.Index(name)
		switch {
		case slot < 0:
			problem(expr.CodeUnknownColumn, fmt.Sprintf("There is no column %q to key by", name), suggest(name, l.in.Names()))
			continue
		case slices.Contains(l.keys[:i], name):
			problem("", fmt.Sprintf("The column %q is named twice", name), "Name it once.")
			continue
		case name == startColumn || name == endColumn:
			problem(codeSameColumn, fmt.Sprintf("The window adds a column %s of its own", name), "Give yours another name in a map before the window.")
			continue
		}
		c := l.in.Columns[slot]
		if !gpflow.KeyType(c.Type) {
			detail := "A key is int, string, bool, bytes, timestamp or duration."
			if c.Type.Kind == gpflow.KindFloat {
				detail = "Rounding makes two keys of one number. Make an int or a string of it in a map before the window, as in int(x) or string(x)."
			}
			problem(codeKeyType, fmt.Sprintf("The column %q is %s, which cannot be a key", name, c.Type), detail)
			continue
		}
		l.group = append(l.group, c)
	}
	l.group = append(l.group,
		gpflow.Column{Name: startColumn, Type: gpflow.T(gpflow.KindTimestamp)},
		gpflow.Column{Name: endColumn, Type: gpflow.T(gpflow.KindTimestamp)})
}

// checkName reports an aggregate's name that cannot be, or is taken.
func (l *layout) checkName(name string, names map[string]bool, fail func(gpflow.Problem)) {
	path := "aggregate." + name
	if err := gpflow.CheckName(name); err != nil {
		fail(gpflow.Problem{Path: path, Summary: "The aggregate cannot have this name", Detail: err.Error() + "."})
	}
	if names[name] {
		fail(gpflow.Problem{Path: path, Summary: fmt.Sprintf("Two aggregates have the name %q", name), Detail: "Give one of them another name."})
	}
	names[name] = true
	for _, g := range l.group {
		if g.Name != name && !strings.HasPrefix(g.Name, name+".") {
			continue
		}
		what := "a key column"
		if g.Name == startColumn || g.Name == endColumn {
			what = "a column that the window adds"
		}
		fail(gpflow.Problem{Code: codeSameColumn, Path: path, Summary: fmt.Sprintf("The name %q is taken by %s", name, what), Detail: "Give the aggregate another name."})
	}
}

// suggest says which of names is meant by word, or lists them.
func suggest(word string, names []string) string {
	if best := gpflow.Suggest(word, names); best != "" {
		return fmt.Sprintf("Did you mean %q?", best)
	}
	return "The columns are " + strings.Join(names, ", ") + "."
}
