package generate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// Descriptor describes the source "generate".
var Descriptor = gpflow.Descriptor{
	Block:   "source",
	Kind:    "generate",
	Summary: "Makes records from expressions.",
	Doc: `Makes records, numbered 0, 1, 2 and so on. Each field is an expression over ` + "`i`" + `, the record's number, and ` + "`seed`" + `; both are whole numbers. The same configuration makes the same records each time, so that a run can be repeated.

Times come from an expression too: ` + "`timestamp('2024-01-01T00:00:00Z') + duration('1s') * i`" + `. For numbers that look random, ` + "`hash(i + seed)`" + ` is one for each record.

A record with an expression that fails, as ` + "`100 / (i % 7)`" + ` does in the first, has failed and goes where ` + "`on_error`" + ` says; it is shown as its ` + "`i`" + ` and ` + "`seed`" + `.

With a parallelism of P, subtask k makes every P-th record, from the k-th on.`,
	Example: `source "generate" "clicks" {
  count = 100000
  fields = {
    user = "'u' + string(i % 1000)"
    at   = "timestamp('2024-01-01T00:00:00Z') + duration('1s') * i"
  }

  event_time {
    field = "at"
  }
}`,
	Fields: fields,
	Ports: []gpflow.Port{
		{Name: "errors", Doc: "Records with an expression that failed, where `on_error` is `divert`."},
	},
	Traits: func(c gpflow.Config) gpflow.Traits {
		return gpflow.Traits{Replayable: true, Bounded: c.Has("count")}
	},
	Infer:     infer,
	NewSource: newSource,
}

var fields = []gpflow.Field{
	{
		Name: "fields", Kind: gpflow.FieldExprMap, Required: true, Update: gpflow.Restart,
		Doc:     "The columns of a record, each with the expression that makes it, over `i` and `seed`. A column that nobody reads is not computed.",
		Example: `{ user = "'u' + string(i % 1000)" }`,
	},
	{
		Name: "count", Kind: gpflow.FieldInt, Update: gpflow.Restart, Example: "1000000",
		Doc: "The number of records, after which the source ends. Default: it never ends.",
		Check: func(v any) error {
			if v.(int64) < 0 {
				return errors.New("the count is a number of records, 0 or more")
			}
			return nil
		},
	},
	{
		Name: "seed", Kind: gpflow.FieldInt, Default: int64(0), Update: gpflow.Restart, Example: "42",
		Doc: "A number of your choice, which the expressions see as `seed`.",
	},
}

// numbers is the schema that the expressions run on.
var numbers = gpflow.NewSchema(
	gpflow.Column{Name: "i", Type: gpflow.T(gpflow.KindInt)},
	gpflow.Column{Name: "seed", Type: gpflow.T(gpflow.KindInt)},
)

// check checks one expression.
func check(src string, constants gpflow.Constants) (*expr.Expr, *expr.Error) {
	return expr.Check(src, expr.Env{Schema: numbers, Constants: constants})
}

func infer(in *gpflow.Inference) gpflow.Inferred {
	var out gpflow.Inferred
	var columns []gpflow.Column
	given := in.Config.Exprs("fields")
	ok := checkNames(in, given)
	for _, f := range given {
		e, err := check(f.Expr, in.Constants)
		if err != nil {
			ok = false
			for _, p := range err.Problems("fields." + f.Name) {
				in.Report(p)
			}
			continue
		}
		if in.Wanted != nil && !in.Wanted[f.Name] {
			continue
		}
		columns = append(columns, gpflow.Column{Name: f.Name, Type: e.Type()})
		out.Constants = append(out.Constants, e.Constants()...)
		out.Exprs = append(out.Exprs, e.Info("fields."+f.Name))
	}
	slices.Sort(out.Constants)
	out.Constants = slices.Compact(out.Constants)
	out.Ports, out.Shape = []*gpflow.Schema{nil, nil}, []string{"fields"}
	if ok {
		out.Ports[0] = gpflow.NewSchema(columns...)
	}
	return out
}

// checkNames reports names that no expression downstream could refer to.
func checkNames(in *gpflow.Inference, given []gpflow.NamedExpr) bool {
	ok := true
	refuse := func(name, summary, detail string) {
		ok = false
		in.Report(gpflow.Problem{Path: "fields." + name, Summary: summary, Detail: detail})
	}
	if len(given) == 0 {
		ok = false
		in.Report(gpflow.Problem{Path: "fields", Summary: "the records have no fields", Detail: "Give at least one field: fields = { n = \"i\" }."})
	}
	seen, records := make(map[string]bool), make(map[string]string) // records by name, with a field of each
	for _, f := range given {
		if !identifier(f.Name) {
			refuse(f.Name, fmt.Sprintf("%q is not a name for a column", f.Name),
				"A name is letters, digits and underscores, and does not begin with a digit; the fields of a record are written behind a dot, as in address.street.")
		}
		other := records[f.Name]
		for i, c := range []byte(f.Name) {
			if record := f.Name[:i]; c == '.' {
				records[record] = f.Name
				if seen[record] {
					other = record
				}
			}
		}
		switch {
		case seen[f.Name]:
			refuse(f.Name, fmt.Sprintf("the field %s is given twice", f.Name), "Remove one of them.")
		case other != "":
			refuse(f.Name, fmt.Sprintf("the fields %s and %s exclude each other", other, f.Name), "One is a record that the other is a part of. Rename one of them.")
		}
		seen[f.Name] = true
	}
	return ok
}

// identifier reports whether name is one or more names with dots between.
func identifier(name string) bool {
	for part := range strings.SplitSeq(name, ".") {
		for i, c := range []byte(part) {
			if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9' || i == 0) {
				return false
			}
		}
		if part == "" {
			return false
		}
	}
	return true
}
