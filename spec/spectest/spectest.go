// Package spectest holds what the tests of the languages of specifications
// share: a registry, and checks of what is said to authors.
package spectest

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// Registry returns a small registry of descriptors that only the decoder looks
// at.
func Registry(t testing.TB) *gpflow.Registry {
	t.Helper()
	infer := func(*gpflow.Inference) gpflow.Inferred { return gpflow.Inferred{} }
	source := func(*gpflow.SourceContext) (gpflow.Source, error) { return nil, nil }
	operator := func(*gpflow.OperatorContext) (gpflow.Operator, error) { return nil, nil }
	sink := func(*gpflow.SinkContext) (gpflow.Sink, error) { return nil, nil }
	r, err := gpflow.NewRegistry(
		&gpflow.Descriptor{
			Block: "source", Kind: "file", Infer: infer, NewSource: source, Ports: []gpflow.Port{{Name: "errors"}},
			Fields: []gpflow.Field{
				{Name: "path", Kind: gpflow.FieldString, Required: true, Example: `"orders.jsonl"`, Doc: "The file."},
				{Name: "schema", Kind: gpflow.FieldSchema, Required: true, Example: "schema.order"},
				{Name: "format", Kind: gpflow.FieldEnum, Default: "json", Values: []gpflow.Option{{Value: "json", Doc: "JSON lines"}, {Value: "csv", Doc: "RFC 4180"}}},
				{Name: "max_record", Kind: gpflow.FieldSize, Default: int64(1 << 20), Example: `"1MiB"`},
				{Name: "columns", Kind: gpflow.FieldColumns, Example: `["user"]`},
				{Name: "password", Kind: gpflow.FieldSecret},
				{Name: "compress", Kind: gpflow.FieldBool, Deprecated: "use the extension of the file"},
			},
		},
		&gpflow.Descriptor{
			Block: "source", Kind: "generate", Infer: infer, NewSource: source,
			Fields: []gpflow.Field{
				{Name: "fields", Kind: gpflow.FieldExprMap, Required: true, Example: `{ n = "i" }`},
				{Name: "speed", Kind: gpflow.FieldFloat},
			},
		},
		&gpflow.Descriptor{
			Block: "filter", Infer: infer, NewOperator: operator, Ports: []gpflow.Port{{Name: "errors"}},
			Fields: []gpflow.Field{{Name: "where", Kind: gpflow.FieldExpr, Required: true, Example: `"amount > 5"`, Result: gpflow.T(gpflow.KindBool)}},
		},
		&gpflow.Descriptor{
			Block: "map", Infer: infer, NewOperator: operator, Ports: []gpflow.Port{{Name: "errors"}},
			Fields: []gpflow.Field{{Name: "select", Kind: gpflow.FieldExprMap, Required: true, Example: `{ user = "user" }`}},
		},
		&gpflow.Descriptor{
			Block: "window", Kind: "tumbling", Infer: infer, NewOperator: operator, Ports: []gpflow.Port{{Name: "late"}, {Name: "errors"}},
			Fields: []gpflow.Field{
				{Name: "key_by", Kind: gpflow.FieldColumns, Example: `["user"]`},
				{Name: "size", Kind: gpflow.FieldDuration, Required: true, Example: `"1m"`, Check: func(v any) error {
					if v.(gpflow.Duration) <= 0 {
						return errors.New("the size must be more than 0")
					}
					return nil
				}},
				{Name: "aggregate", Kind: gpflow.FieldAggregates, Required: true, Example: `{ n = "count()" }`},
			},
		},
		&gpflow.Descriptor{
			Block: "join", Infer: infer, NewOperator: operator, Inputs: []string{"left", "right"},
			Fields: []gpflow.Field{{Name: "left", Kind: gpflow.FieldRef, Required: true, Example: "filter.a"}},
		},
		&gpflow.Descriptor{
			Block: "route", Infer: infer, NewOperator: operator,
			Fields: []gpflow.Field{{Name: "rule", Kind: gpflow.FieldBlock, Many: true, Required: true, Fields: []gpflow.Field{
				{Name: "where", Kind: gpflow.FieldExpr, Required: true, Example: `"amount > 5"`},
				{Name: "weight", Kind: gpflow.FieldInt},
			}}},
		},
		&gpflow.Descriptor{
			Block: "sink", Kind: "stdout", Infer: infer, NewSink: sink,
			Fields: []gpflow.Field{{Name: "columns", Kind: gpflow.FieldList}},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Show returns diagnostics as they are printed.
func Show(ds diag.List, sources map[string][]byte) string {
	var b bytes.Buffer
	_ = diag.WriteText(&b, ds, sources, diag.TextOptions{})
	return b.String()
}

// forbidden are words of libraries and of Go, which mean nothing to the
// authors of pipelines.
var forbidden = regexp.MustCompile(`(?i)\b(cty|traversal|tuple|primitive|hcl\.|int64|float64|nil|interface|struct|gpflow\.|dynamic)\b|%!|\bbug\b`)

// T is a test, or a check of a property.
type T interface {
	Helper()
	Errorf(format string, args ...any)
}

// CheckReported fails where a text has neither a pipeline nor an error, or a
// diagnostic without a code, without a summary, or of a place that is not in it.
func CheckReported(t T, there bool, ds diag.List, text string) {
	t.Helper()
	if !there && !ds.HasErrors() {
		t.Errorf("no pipeline and no error:\n%s", text)
	}
	for _, d := range ds {
		in := d.Range.Start.Byte <= d.Range.End.Byte && d.Range.End.Byte <= len(text)
		if d.Code == "" || d.Summary == "" || !in {
			t.Errorf("%+v in\n%s", d, text)
		}
	}
	Show(ds, map[string][]byte{"t": []byte(text)})
}

// CheckWords fails where a diagnostic speaks of what authors do not know, or
// has no code or no proper summary.
func CheckWords(t T, ds diag.List) {
	t.Helper()
	for _, d := range ds {
		for _, s := range []string{d.Summary, d.Detail, d.Fix} {
			if w := forbidden.FindString(s); w != "" {
				t.Errorf("%s %s speaks of %q: %s", d.Range, d.Code, w, s)
			}
		}
		if d.Code == "" || d.Summary == "" || strings.HasSuffix(d.Summary, ".") || strings.Contains(d.Summary, "\n") {
			t.Errorf("%s: bad form of summary or code: %+v", d.Range, d)
		}
	}
}
