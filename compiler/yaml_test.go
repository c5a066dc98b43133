package compiler_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/load"
)

// outcome is what is compiled of a file, without what differs between two
// texts of one meaning: places.
type outcome struct {
	explain string
	plan    []byte
	said    []string // severity, code and summary of the diagnostics, sorted
	text    string   // the diagnostics as they are printed
}

func compileFile(t *testing.T, file string) outcome {
	t.Helper()
	registry, err := gpflow.NewRegistry(operators.Builtin()...)
	if err != nil {
		t.Fatal(err)
	}
	p, list := load.Load([]string{file}, load.Options{Registry: registry})
	if p == nil {
		t.Fatalf("%s: %+v", file, list)
	}
	r, more := compiler.Compile(p, compiler.Options{})
	list = append(list, more...)
	list.Sort()
	var out outcome
	for _, d := range list {
		out.said = append(out.said, fmt.Sprintf("%s %s %s", d.Severity, d.Code, d.Summary))
	}
	slices.Sort(out.said)
	var text bytes.Buffer
	if err := diag.WriteText(&text, list, p.Sources, diag.TextOptions{Width: 100}); err != nil {
		t.Fatal(err)
	}
	out.text = text.String()
	if !list.HasErrors() {
		out.explain, out.plan = compiler.Explain(r), withoutRanges(t, r.Plan)
	}
	return out
}

// withoutRanges encodes a plan without the places of its nodes.
func withoutRanges(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	encoded, err := plan.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	q, err := plan.Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range q.Tasks {
		for i := range task.Ops {
			task.Ops[i].Range = ""
		}
	}
	out, err := json.MarshalIndent(q, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestYAML: every case exists in YAML as well, and gives the same plan and the
// same diagnostics.
func TestYAML(t *testing.T) {
	files, err := filepath.Glob("testdata/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".hcl")
		t.Run(filepath.Base(name), func(t *testing.T) { alike(t, file, name+".yaml") })
	}
	t.Run("flights", func(t *testing.T) {
		alike(t, "../examples/flights/flights.gp.hcl", "../examples/flights/yaml/flights.gp.yaml")
	})
}

func alike(t *testing.T, hcl, yaml string) {
	t.Helper()
	one, two := compileFile(t, hcl), compileFile(t, yaml)
	if !slices.Equal(one.said, two.said) {
		t.Errorf("in HCL:\n%s\nin YAML:\n%s", strings.Join(one.said, "\n"), strings.Join(two.said, "\n"))
	}
	if one.explain != two.explain {
		t.Errorf("the explanation in YAML is\n%s\nand not\n%s", two.explain, one.explain)
	}
	if !bytes.Equal(one.plan, two.plan) {
		t.Errorf("the plans differ:\n%s", firstOther(two.plan, one.plan))
	}
	if two.text == "" {
		return
	}
	golden := yaml + ".txt"
	if *rewrite {
		if err := os.WriteFile(golden, []byte(two.text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if two.text != string(want) {
		t.Errorf("%s differs: got\n%s", golden, two.text)
	}
}

// firstOther returns some of a, from the line in which it differs from b.
func firstOther(a, b []byte) []byte {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from := bytes.LastIndexByte(a[:i], '\n') + 1
	return a[from:min(from+500, len(a))]
}
