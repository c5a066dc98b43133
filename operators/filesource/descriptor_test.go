package filesource

import (
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
)

func TestInfer(t *testing.T) {
	nested := gpflow.NewSchema(gpflow.Column{Name: "xs", Type: gpflow.ListOf(gpflow.T(gpflow.KindInt))})
	for _, c := range []struct {
		name     string
		vals     vals
		schema   string
		problems []string
	}{
		{"json", vals{"path": []string{"a.json"}, "schema": userSchema}, "user string, n int", nil},
		{"lines need no schema", vals{"path": []string{"logs/*.log.gz", "b.txt"}}, "line string", nil},
		{"lines by name", vals{"path": []string{"logs"}, "format": "lines"}, "line string", nil},
		{"a directory", vals{"path": []string{"logs"}, "schema": userSchema}, "user string, n int", nil},
		{"no schema", vals{"path": []string{"a.json"}}, "", []string{"the source has no schema"}},
		{"followed", vals{"path": []string{"logs", "a.log.gz"}, "format": "lines", "follow": true, "compression": "none"}, "line string", nil},
		{
			"not to be followed",
			vals{"path": []string{"-", "a.log.gz"}, "format": "lines", "follow": true, "order": "name"},
			"line string",
			[]string{"standard input cannot be followed", "a compressed file cannot be followed", "files that are followed have no order"},
		},
		{
			"compressed and followed",
			vals{"path": []string{"a.log"}, "follow": true, "compression": "zstd"},
			"line string",
			[]string{"compressed files cannot be followed"},
		},
		{"no schema known", vals{"path": []string{"a.log", "b.csv"}}, "", []string{"the source has no schema"}},
		{"standard input", vals{"path": []string{"-"}}, "", []string{"the format of standard input is not known"}},
		{"csv of lists", vals{"path": []string{"a.csv"}, "schema": nested}, "xs list(int)", []string{"the format csv cannot carry this schema"}},
		{
			"csv block",
			vals{"path": []string{"a.json"}, "schema": userSchema, "csv": csvBlock(true, ",")},
			"user string, n int",
			[]string{"the records are not comma-separated values"},
		},
	} {
		var problems []string
		got := Descriptor.Infer(&gpflow.Inference{
			Config: gpflow.NewConfig(fields, c.vals),
			Report: func(p gpflow.Problem) { problems = append(problems, p.Summary) },
		})
		schema := ""
		if s := got.Ports[0]; s != nil {
			schema = s.String()
		}
		if schema != c.schema || !slices.Equal(problems, c.problems) || len(got.Ports) != 1+len(Descriptor.Ports) {
			t.Errorf("%s: got (%s) and %q", c.name, schema, problems)
		}
	}
}

func TestInferPrunes(t *testing.T) {
	got := Descriptor.Infer(&gpflow.Inference{
		Config: gpflow.NewConfig(fields, vals{"path": []string{"a.json"}, "schema": userSchema}),
		Wanted: map[string]bool{"n": true},
	})
	if s := got.Ports[0].String(); s != "n int" {
		t.Errorf("what is read is (%s)", s)
	}
}

func TestChecks(t *testing.T) {
	field := func(name string) gpflow.Field {
		all := slices.Concat(fields, fields[len(fields)-1].Fields)
		return all[slices.IndexFunc(all, func(f gpflow.Field) bool { return f.Name == name })]
	}
	for _, c := range []struct {
		field string
		good  []any
		bad   []any
	}{
		{"path", []any{[]string{"a", "b*"}}, []any{[]string{}, []string{""}, []string{"[a"}}},
		{"max_record", []any{int64(1), int64(1 << 20)}, []any{int64(0), int64(2 << 30)}},
		{"timezone", []any{"UTC", "America/Chicago"}, []any{"", "Local", "Mars/Base"}},
		{"delimiter", []any{",", "\t"}, []any{"", ",,", "\"", "\n", "é"}},
	} {
		for _, v := range c.good {
			if err := field(c.field).Check(v); err != nil {
				t.Errorf("%s = %q: %v", c.field, v, err)
			}
		}
		for _, v := range c.bad {
			if err := field(c.field).Check(v); err == nil {
				t.Errorf("%s = %q is accepted", c.field, v)
			}
		}
	}
}

func TestDescriptorIsComplete(t *testing.T) {
	if _, err := gpflow.NewRegistry(&Descriptor); err != nil {
		t.Fatal(err)
	}
	for _, f := range Descriptor.AllFields() {
		if f.Doc == "" || f.Kind == gpflow.FieldEnum && len(f.Values) == 0 {
			t.Errorf("field %s says too little", f.Name)
		}
	}
	if Descriptor.Summary == "" || Descriptor.Doc == "" || Descriptor.Example == "" {
		t.Error("the descriptor says too little")
	}
}
