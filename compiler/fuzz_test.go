package compiler_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/load"
)

// FuzzHCL: no text makes the front end panic, hang, point outside of the file,
// or give a plan together with errors.
func FuzzHCL(f *testing.F) { fuzz(f, ".hcl") }

// FuzzYAML is FuzzHCL for YAML.
func FuzzYAML(f *testing.F) { fuzz(f, ".yaml") }

func fuzz(f *testing.F, ending string) {
	files, err := filepath.Glob("testdata/*" + ending)
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	registry, err := gpflow.NewRegistry(operators.Builtin()...)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) { checkText(t, registry, "fuzz"+ending, text) })
}

// checkText compiles a specification and checks what can be said of any. It
// reports whether there is a plan.
func checkText(t interface {
	Errorf(format string, args ...any)
}, registry *gpflow.Registry, name, text string,
) bool {
	p, list := load.Parse(name, []byte(text), load.Options{Registry: registry})
	if p == nil {
		if !list.HasErrors() {
			t.Errorf("neither a pipeline nor an error")
		}
		return false
	}
	r, more := compiler.Compile(p, compiler.Options{})
	for _, d := range append(list, more...) {
		if d.Summary == "" || d.Code == "" {
			t.Errorf("a diagnostic without a code or a summary: %+v", d)
		}
		if src, ok := p.Sources[d.Range.File]; ok && (d.Range.Start.Byte > d.Range.End.Byte || d.Range.End.Byte > len(src)) {
			t.Errorf("the range %+v lies outside of the %d bytes of the file", d.Range, len(src))
		}
	}
	if failed := list.HasErrors() || more.HasErrors(); (r.Plan == nil) != failed {
		t.Errorf("a plan is there: %t; errors: %v %v", r.Plan != nil, list, more)
	}
	if r.Plan == nil {
		return false
	}
	encoded, err := plan.Encode(r.Plan)
	if err == nil {
		_, err = plan.Decode(encoded)
	}
	if err != nil {
		t.Errorf("%v", err)
	}
	if !strings.HasPrefix(compiler.Explain(r), "pipeline ") {
		t.Errorf("the plan has no explanation")
	}
	return true
}
