package compiler_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/load"
)

// pruned is a pipeline of which the optimiser leaves out a column of the source,
// one of a map, and a chain of nodes in a task each.
const pruned = `
pipeline "pruned" {}

source "file" "in" {
  path   = "in.jsonl"
  schema = { user = string, amount = int, unread = string, at = timestamp }

  event_time {
    field = "at"
  }
}

map "m" {
  from   = source.in
  select = { user = "user", amount = "amount", twice = "amount * 2", half = "amount / 2" }
}

window "tumbling" "w" {
  from      = map.m
  key_by    = ["user"]
  size      = "1m"
  aggregate = { sum = "sum(amount) + sum(twice)", unread = "first(twice)" }
}

map "result" {
  from   = window.w
  select = { user = "user", sum = "sum" }
}

sink "stdout" "out" {
  from = map.result
}
`

// TestStateIsOfTheNode: what the nodes of a pipeline keep is the same whether it
// is optimized or not.
func TestStateIsOfTheNode(t *testing.T) {
	r, err := gpflow.NewRegistry(operators.Builtin()...)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string][]byte{"pruned.hcl": []byte(pruned)}
	for _, pattern := range []string{"testdata/*.hcl", "../examples/*/*.gp.hcl", "../examples/*/yaml/*.gp.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files: %v", pattern, err)
		}
		for _, file := range files {
			if texts[file], err = os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	compared := 0
	for name, text := range texts {
		with, without := planOf(t, r, name, text, false), planOf(t, r, name, text, true)
		if with == nil {
			continue
		}
		a, b := statesOf(t, with), statesOf(t, without)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s keeps\n%s\nwith optimisations, and without\n%s", name, a, b)
		}
		compared += len(a)
		for _, task := range without.Tasks {
			if len(task.Ops) != 1 {
				t.Errorf("%s: without optimisations, the task %s has %d nodes", name, task.ID, len(task.Ops))
			}
		}
	}
	if compared < 3 {
		t.Errorf("%d nodes with state were compared", compared)
	}
	with, without := planOf(t, r, "", []byte(pruned), false), planOf(t, r, "", []byte(pruned), true)
	if a, b := columnsOf(with), columnsOf(without); a["source.in"] >= b["source.in"] || a["map.m"] >= b["map.m"] || len(with.Tasks) >= len(without.Tasks) {
		t.Errorf("columns with optimisations are %v in %d tasks, and without %v in %d", a, len(with.Tasks), b, len(without.Tasks))
	}
}

// planOf compiles a specification; nil: it has mistakes.
func planOf(t *testing.T, r *gpflow.Registry, name string, text []byte, plain bool) *plan.Plan {
	t.Helper()
	if filepath.Ext(name) == "" {
		name += ".hcl"
	}
	p, list := load.Parse(name, text, load.Options{Registry: r})
	if p == nil || list.HasErrors() {
		return nil
	}
	result, _ := compiler.Compile(p, compiler.Options{NoOptimize: plain})
	return result.Plan
}

// statesOf returns what each node of a plan keeps, as JSON.
func statesOf(t *testing.T, p *plan.Plan) map[string]string {
	t.Helper()
	states := make(map[string]string)
	for _, task := range p.Tasks {
		for _, op := range task.Ops {
			if len(op.State) == 0 {
				continue
			}
			data, err := json.Marshal(op.State)
			if err != nil {
				t.Fatal(err)
			}
			states[op.ID] = string(data)
		}
	}
	return states
}

// columnsOf returns how many columns the main port of each node has.
func columnsOf(p *plan.Plan) map[string]int {
	columns := make(map[string]int)
	for _, task := range p.Tasks {
		for _, op := range task.Ops {
			if len(op.Ports) > 0 {
				columns[op.ID] = len(op.Ports[0].Schema.Columns)
			}
		}
	}
	return columns
}
