package optest

import (
	"strings"

	"github.com/gpflow/gpflow"
)

// Describe checks that a descriptor is complete: what `gpflow operators show`
// prints of it, and what the compiler relies on.
func Describe(t TB, d *gpflow.Descriptor) {
	t.Helper()
	if _, err := gpflow.NewRegistry(d); err != nil {
		t.Fatalf("descriptor: %v", err)
	}
	if d.NewOperator == nil {
		t.Fatalf("%s is not an operator", d.Name())
	}
	if d.Summary == "" || strings.Contains(d.Summary, "\n") || d.Doc == "" {
		t.Errorf("%s needs a summary of one line, and a documentation", d.Name())
	}
	if !strings.Contains(d.Example, d.Block+" ") {
		t.Errorf("%s needs an example with a block %s", d.Name(), d.Block)
	}
	for i, p := range d.Ports {
		if p.Name == "" || p.Doc == "" {
			t.Errorf("%s: port %d needs a name and a documentation", d.Name(), i+1)
		}
		if p.Name == "errors" && i != len(d.Ports)-1 {
			t.Errorf("%s: the port errors has to be the last one: Collector.Fail relies on it", d.Name())
		}
	}
	fields(t, d.Name(), d.Fields, d.Example)
	if k := d.TraitsOf(gpflow.NewConfig(d.Fields, nil)).KeyField; k != "" {
		if f := field(d.Fields, k); f == nil || f.Kind != gpflow.FieldColumns {
			t.Errorf("%s is keyed by %q, which is not a field of columns", d.Name(), k)
		}
	}
}

func field(fs []gpflow.Field, name string) *gpflow.Field {
	for i := range fs {
		if fs[i].Name == name {
			return &fs[i]
		}
	}
	return nil
}

func fields(t TB, in string, fs []gpflow.Field, example string) {
	t.Helper()
	for i, f := range fs {
		if f.Name == "" || f.Doc == "" {
			t.Errorf("%s: field %d (%q) needs a name and a documentation", in, i, f.Name)
		}
		if field(fs, f.Name) != &fs[i] {
			t.Errorf("%s: two fields of the name %q", in, f.Name)
		}
		if f.Required && f.Default != nil {
			t.Errorf("%s: the field %q is required, and has a default", in, f.Name)
		}
		if f.Required && !strings.Contains(example, f.Name) {
			t.Errorf("%s: the example leaves out the required field %q", in, f.Name)
		}
		fields(t, in+"."+f.Name, f.Fields, example)
	}
}
