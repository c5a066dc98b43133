package compiler_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/load"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files")

// TestGolden compiles every testdata/*.hcl and compares what explain says, or
// the diagnostics, with the file of the same name and the ending .txt.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".hcl"), func(t *testing.T) {
			same(t, strings.TrimSuffix(file, ".hcl")+".txt", compile(t, file))
		})
	}
}

// same compares got with a golden file.
func same(t *testing.T, golden string, got []byte) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; see what changes with go test -rewrite; got\n%s", golden, firstDifference(got, want))
	}
}

// firstDifference returns some lines of got, from the first that want has not.
func firstDifference(got, want []byte) []byte {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	from := bytes.LastIndexByte(got[:i], '\n') + 1
	return got[from:min(from+2000, len(got))]
}

// compile returns the diagnostics of a file, and the explanation of its plan
// if it has one. A plan must survive its encoding, to the byte.
func compile(t *testing.T, file string) []byte {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := gpflow.NewRegistry(operators.Builtin()...)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p, list := load.Parse(filepath.Base(file), src, load.Options{Registry: registry})
	if p != nil {
		r, more := compiler.Compile(p, compiler.Options{})
		list = append(list, more...)
		list.Sort()
		diag.WriteText(&out, list, p.Sources, diag.TextOptions{Width: 100})
		if !list.HasErrors() {
			out.WriteString(compiler.Explain(r))
			survives(t, r.Plan)
		}
		return out.Bytes()
	}
	diag.WriteText(&out, list, map[string][]byte{filepath.Base(file): src}, diag.TextOptions{Width: 100})
	return out.Bytes()
}

func survives(t *testing.T, p *plan.Plan) {
	t.Helper()
	one, err := plan.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	q, err := plan.Decode(one)
	if err != nil {
		t.Fatal(err)
	}
	two, err := plan.Encode(q)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Errorf("the plan changes when it is decoded and encoded again:\n%s\n%s", one, two)
	}
}
