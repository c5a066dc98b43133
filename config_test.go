package gpflow_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"github.com/gpflow/gpflow"
	"pgregory.net/rapid"
)

// configFields has a field of every kind that has a value in a Config.
var configFields = []gpflow.Field{
	{Name: "string", Kind: gpflow.FieldString},
	{Name: "int", Kind: gpflow.FieldInt, Default: int64(7)},
	{Name: "float", Kind: gpflow.FieldFloat},
	{Name: "bool", Kind: gpflow.FieldBool, Default: true},
	{Name: "duration", Kind: gpflow.FieldDuration},
	{Name: "size", Kind: gpflow.FieldSize},
	{Name: "enum", Kind: gpflow.FieldEnum},
	{Name: "list", Kind: gpflow.FieldList},
	{Name: "map", Kind: gpflow.FieldMap},
	{Name: "columns", Kind: gpflow.FieldColumns},
	{Name: "column", Kind: gpflow.FieldColumn},
	{Name: "expr", Kind: gpflow.FieldExpr},
	{Name: "exprs", Kind: gpflow.FieldExprMap},
	{Name: "aggregates", Kind: gpflow.FieldAggregates},
	{Name: "secret", Kind: gpflow.FieldSecret},
	{Name: "schema", Kind: gpflow.FieldSchema},
	{Name: "block", Kind: gpflow.FieldBlock, Fields: []gpflow.Field{
		{Name: "a", Kind: gpflow.FieldInt, Default: int64(1)}, {Name: "b", Kind: gpflow.FieldString},
	}},
	{Name: "blocks", Kind: gpflow.FieldBlock, Many: true, Fields: []gpflow.Field{{Name: "a", Kind: gpflow.FieldFloat}}},
}

// fieldValue draws a value of f in the Go type that its kind names.
func fieldValue(t *rapid.T, f gpflow.Field) any {
	text := rapid.String()
	switch f.Kind {
	case gpflow.FieldInt, gpflow.FieldSize:
		return rapid.Int64().Draw(t, f.Name)
	case gpflow.FieldFloat:
		return rapid.Float64().Draw(t, f.Name)
	case gpflow.FieldBool:
		return rapid.Bool().Draw(t, f.Name)
	case gpflow.FieldDuration:
		return gpflow.Duration(rapid.Int64().Draw(t, f.Name))
	case gpflow.FieldList, gpflow.FieldColumns:
		return rapid.SliceOf(text).Draw(t, f.Name)
	case gpflow.FieldMap:
		return rapid.SliceOf(rapid.Custom(func(t *rapid.T) gpflow.Pair {
			return gpflow.Pair{Key: text.Draw(t, "key"), Value: text.Draw(t, "value")}
		})).Draw(t, f.Name)
	case gpflow.FieldExprMap, gpflow.FieldAggregates:
		return rapid.SliceOf(rapid.Custom(func(t *rapid.T) gpflow.NamedExpr {
			return gpflow.NamedExpr{Name: text.Draw(t, "name"), Expr: text.Draw(t, "expr")}
		})).Draw(t, f.Name)
	case gpflow.FieldSchema:
		return gpflow.NewSchema(columns(t, 1)...)
	case gpflow.FieldBlock:
		if !f.Many {
			return anyConfig(t, f.Fields)
		}
		blocks := []gpflow.Config{}
		for range rapid.IntRange(0, 3).Draw(t, f.Name) {
			blocks = append(blocks, anyConfig(t, f.Fields))
		}
		return blocks
	}
	return text.Draw(t, f.Name)
}

// anyConfig draws a configuration with some of the fields given.
func anyConfig(t *rapid.T, fields []gpflow.Field) gpflow.Config {
	vals := make(map[string]any)
	for _, f := range fields {
		if rapid.Bool().Draw(t, "has "+f.Name) {
			vals[f.Name] = fieldValue(t, f)
		}
	}
	return gpflow.NewConfig(fields, vals)
}

func TestConfigRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyConfig(t, configFields)
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gpflow.DecodeConfig(configFields, text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, f := range configFields {
			if got.Has(f.Name) != c.Has(f.Name) {
				t.Fatalf("field %s: given %t, read %t", f.Name, c.Has(f.Name), got.Has(f.Name))
			}
			if a, b := c.Get(f.Name), got.Get(f.Name); reflect.TypeOf(a) != reflect.TypeOf(b) {
				t.Fatalf("field %s: a %T was read as a %T", f.Name, a, b)
			}
		}
		if again, err := json.Marshal(got); err != nil || string(again) != string(text) {
			t.Fatalf("%s is written again as %s (%v)", text, again, err)
		}
	})
}

func TestConfigAccessors(t *testing.T) {
	schema := gpflow.NewSchema(gpflow.Column{Name: "a", Type: gpflow.T(gpflow.KindInt)})
	block := gpflow.NewConfig(configFields[16].Fields, map[string]any{"b": "x"})
	c := gpflow.NewConfig(configFields, map[string]any{
		"string": "s", "float": 1.5, "duration": gpflow.Second, "size": int64(1024), "list": []string{"l"},
		"map": []gpflow.Pair{{Key: "k", Value: "v"}}, "exprs": []gpflow.NamedExpr{{Name: "n", Expr: "e"}},
		"schema": schema, "block": block, "blocks": []gpflow.Config{block}, "enum": nil,
	})
	inner, ok := c.Block("block")
	for name, good := range map[string]bool{
		"string":        c.String("string") == "s",
		"default":       c.Int("int") == 7 && c.Bool("bool"),
		"float":         c.Float("float") == 1.5,
		"duration":      c.Duration("duration") == gpflow.Second,
		"size":          c.Int("size") == 1024,
		"list":          reflect.DeepEqual(c.Strings("list"), []string{"l"}),
		"map":           c.Pairs("map")[0].Value == "v",
		"exprs":         c.Exprs("exprs")[0].Expr == "e",
		"schema":        c.Schema("schema") == schema,
		"block":         ok && inner.Int("a") == 1 && inner.String("b") == "x",
		"blocks":        len(c.Blocks("blocks")) == 1,
		"nil is absent": !c.Has("enum") && c.Get("enum") == nil,
		"absent":        !c.Has("secret") && c.String("secret") == "" && c.Strings("columns") == nil && c.Schema("expr") == nil,
	} {
		if !good {
			t.Errorf("%s: not what was given", name)
		}
	}
	if _, ok := (gpflow.Config{}).Block("block"); ok {
		t.Error("the zero Config has a block")
	}
}

func TestDecodeConfigRefuses(t *testing.T) {
	for _, s := range []string{
		`{`, `[]`, `{"int":"7"}`, `{"int":7.5}`, `{"unknown":1}`, `{"block":{"c":1}}`, `{"blocks":{"a":1}}`,
		`{"blocks":[{"a":"x"}]}`, `{"list":"x"}`, `{"schema":{"columns":[{"name":"a","type":"no"}]}}`,
	} {
		if _, err := gpflow.DecodeConfig(configFields, []byte(s)); err == nil {
			t.Errorf("%s was read", s)
		}
	}
}

// descriptor returns a complete descriptor of an operator.
func descriptor(block, kind string) *gpflow.Descriptor {
	return &gpflow.Descriptor{
		Block: block, Kind: kind,
		Infer:       func(*gpflow.Inference) gpflow.Inferred { return gpflow.Inferred{} },
		NewOperator: func(*gpflow.OperatorContext) (gpflow.Operator, error) { return nil, errors.New("none") },
	}
}

func TestRegistry(t *testing.T) {
	r, err := gpflow.NewRegistry(descriptor("window", "tumbling"), descriptor("filter", ""), descriptor("window", "sliding"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Lookup("window", "sliding") == nil || r.Lookup("filter", "") == nil || r.Lookup("window", "") != nil {
		t.Error("descriptors are not found by block and kind")
	}
	blocks, kinds := r.Blocks()
	if !reflect.DeepEqual(blocks, []string{"filter", "window"}) ||
		!reflect.DeepEqual(kinds, map[string][]string{"filter": nil, "window": {"sliding", "tumbling"}}) {
		t.Errorf("blocks %v, kinds %v", blocks, kinds)
	}
	if all := r.All(); len(all) != 3 || all[0].Name() != "filter" || all[2].Name() != "window.tumbling" {
		t.Errorf("descriptors are not in order: %v", all)
	}
	if _, err := gpflow.NewRegistry(descriptor("a", ""), descriptor("a", "")); err == nil {
		t.Error("two descriptors of one name were taken")
	}
	both := descriptor("a", "")
	both.NewSink = func(*gpflow.SinkContext) (gpflow.Sink, error) { return nil, errors.New("none") }
	for _, d := range []*gpflow.Descriptor{both, {Block: "a"}, descriptor("", "")} {
		if _, err := gpflow.NewRegistry(d); err == nil {
			t.Errorf("an incomplete descriptor was taken: %+v", d)
		}
	}
}

func TestAllFields(t *testing.T) {
	names := func(d *gpflow.Descriptor) (names []string) {
		for _, f := range d.AllFields() {
			names = append(names, f.Name)
			if f.Doc == "" {
				t.Errorf("%s: field %s is not documented", d.Name(), f.Name)
			}
		}
		return names
	}
	op := descriptor("map", "")
	op.Fields = []gpflow.Field{{Name: "select", Kind: gpflow.FieldExprMap, Doc: "d"}}
	op.Ports = []gpflow.Port{{Name: "errors"}}
	if got := names(op); !reflect.DeepEqual(got, []string{"select", "from", "on_error", "parallelism", "chain", "description", "labels"}) {
		t.Errorf("a map takes %v", got)
	}
	join := descriptor("join", "lookup")
	join.Inputs = []string{"left", "right"}
	if got := names(join); !reflect.DeepEqual(got, []string{"left", "right", "parallelism", "chain", "description", "labels"}) {
		t.Errorf("a join takes %v", got)
	}
	source := &gpflow.Descriptor{Block: "source", NewSource: func(*gpflow.SourceContext) (gpflow.Source, error) { return nil, errors.New("none") }}
	if got := names(source); !reflect.DeepEqual(got, []string{"event_time", "until", "rate", "parallelism", "chain", "description", "labels"}) {
		t.Errorf("a source takes %v", got)
	}
	if op.PortIndex("") != 0 || op.PortIndex("errors") != 1 || op.PortIndex("late") != -1 {
		t.Error("ports are not found by name")
	}
}
