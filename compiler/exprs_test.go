package compiler_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/load"
)

// built compiles the pipeline at a path.
func built(t *testing.T, path string) compiler.Result {
	t.Helper()
	registry, err := gpflow.NewRegistry(operators.Builtin()...)
	if err != nil {
		t.Fatal(err)
	}
	p, list := load.Load([]string{path}, load.Options{Registry: registry})
	if p == nil {
		t.Fatalf("%s: %v", path, list)
	}
	r, more := compiler.Compile(p, compiler.Options{})
	if list = append(list, more...); list.HasErrors() {
		t.Fatalf("%s: %v", path, list)
	}
	return r
}

// TestShare has at least 95 % of the sub-expressions of every example run as
// closures.
func TestShare(t *testing.T) {
	found := 0
	err := filepath.WalkDir("../examples", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.Contains(path, ".gp.") {
			return err
		}
		found++
		compiled, interpreted := 0, 0
		r := built(t, path)
		for _, n := range r.Graph.Nodes {
			for _, x := range n.Exprs {
				compiled, interpreted = compiled+x.Compiled, interpreted+x.Interpreted
			}
		}
		if compiled == 0 || float64(compiled) < 0.95*float64(compiled+interpreted) {
			t.Errorf("%s: %d compiled, %d interpreted\n%s", path, compiled, interpreted, compiler.ExplainExprs(r))
		}
		return nil
	})
	if err != nil || found < 3 {
		t.Errorf("%d examples, %v", found, err)
	}
}

const exprsSpec = `pipeline "p" {}

source "file" "in" {
  path   = "in.jsonl"
  format = "json"
  schema = { user = string, amount = int, more = any, tags = list(string) }
}

filter "some" {
  from  = source.in
  where = <<-EOT
    amount > 1 &&
      any(tags,   # == 'a  b') &&
      more > 5
  EOT
}

map "all" {
  from   = filter.some
  select = { user = "user", n = "int(more * 2) + amount" }
}

sink "file" "out" {
  from = map.all
  path = "out.jsonl"
}
`

const exprsText = `filter.some
  where  bool  amount > 1 && any(tags, # == 'a  b') && more > 5
                 interpreted: more > 5

map.all
  select.user  string  user
  select.n     int     int(more * 2) + amount
                         interpreted: more * 2

14 of 20 sub-expressions compiled, 70 %
`

// TestExplainExprs has what is interpreted be named.
func TestExplainExprs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.gp.hcl")
	if err := os.WriteFile(path, []byte(exprsSpec), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := compiler.ExplainExprs(built(t, path)); got != exprsText {
		t.Errorf("%s", got)
	}
}
