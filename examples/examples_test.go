// Package examples_test runs every example in this process, in ways that must
// make no difference to what comes out.
package examples_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/operators/stdout"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/load"
)

// pipelines returns the files of each pipeline among the examples, by directory
// and language, from the root of the module.
func pipelines(t *testing.T) map[string][]string {
	found := make(map[string][]string)
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		language := filepath.Ext(name)
		if err == nil && (strings.HasSuffix(name, ".gp.hcl") || strings.HasSuffix(name, ".gp.yaml")) {
			one := filepath.Join("examples", filepath.Dir(name)) + language
			found[one] = append(found[one], filepath.Join("examples", name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("there are no examples")
	}
	return found
}

// TestHowDoesNotMatter: with links that encode and decode, with any number of
// records read at once, with channels that take one record, and without
// optimisations, every example puts out the same.
func TestHowDoesNotMatter(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range pipelines(t) {
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			want := run(t, root, files, compiler.Options{}, engine.Options{})
			if len(want.files) == 0 {
				t.Fatal("the example puts out nothing")
			}
			for _, poll := range []int{1, 7, 0} {
				want.compare(t, fmt.Sprintf("%d records at once, encoded links", poll),
					run(t, root, files, compiler.Options{}, engine.Options{PollRows: poll, EncodeLinks: true}))
			}
			want.compare(t, "channels of one record",
				run(t, root, files, compiler.Options{}, engine.Options{Limit: exchange.Limit{Rows: 1, Bytes: 1}}))
			want.compare(t, "no optimisations", run(t, root, files, compiler.Options{NoOptimize: true}, engine.Options{}))
		})
	}
}

// output is what a run puts out.
type output struct {
	files   map[string]string // by path; the screen is onScreen
	ordered bool              // the order of lines is determined
}

// onScreen is the name of the screen among the files.
const onScreen = "standard output"

// padding is what the columns of a table are filled up with, and the rules below
// their names: their width depends on the records that come first, not on all of
// them.
var padding = regexp.MustCompile(` +|-{3,}`)

// run runs a pipeline in a directory that has nothing but the examples in it.
func run(t *testing.T, root string, files []string, c compiler.Options, o engine.Options) output {
	t.Helper()
	enter(t, root)
	var screen bytes.Buffer
	p, encoded := compile(t, files, registry(t, &screen, &o), 0, c)
	r, err := engine.Start(context.Background(), encoded, o)
	if err != nil {
		t.Fatal(err)
	}
	report, err := r.Wait()
	if err != nil || report.Outcome != "finished" {
		t.Fatalf("the run is %s: %v", report.Outcome, err)
	}
	return written(t, &screen, ordered(p))
}

// enter goes to a directory that has nothing but the examples in it.
func enter(t *testing.T, root string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(root, "examples"), filepath.Join(dir, "examples")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
}

// written returns what has been put out in the directory and on the screen.
func written(t *testing.T, screen *bytes.Buffer, ordered bool) output {
	t.Helper()
	out := output{files: make(map[string]string), ordered: ordered}
	if screen.Len() > 0 {
		out.files[onScreen] = padding.ReplaceAllStringFunc(screen.String(), func(s string) string { return s[:1] })
	}
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		out.files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// registry sets o.Registry: that of the program, with a screen of its own.
func registry(t *testing.T, screen *bytes.Buffer, o *engine.Options) *gpflow.Registry {
	t.Helper()
	ds := operators.Builtin()
	onto := stdout.New(screen)
	for i, d := range ds {
		if d.Name() == onto.Name() {
			ds[i] = &onto
		}
	}
	r, err := gpflow.NewRegistry(ds...)
	if err != nil {
		t.Fatal(err)
	}
	o.Registry = r
	return r
}

// compile compiles a pipeline, with so many subtasks of each node that does not
// say otherwise; 0: as the pipeline says.
func compile(t *testing.T, files []string, r *gpflow.Registry, parallelism int, o compiler.Options) (*plan.Plan, []byte) {
	t.Helper()
	p, list := load.Load(files, load.Options{Registry: r})
	if p == nil || list.HasErrors() {
		t.Fatalf("the specification is wrong: %+v", list)
	}
	if parallelism > 0 {
		vals := map[string]any{"parallelism": int64(parallelism)}
		for _, f := range spec.PipelineFields() {
			if f.Name != "parallelism" && p.Settings.Has(f.Name) {
				vals[f.Name] = p.Settings.Get(f.Name)
			}
		}
		p.Settings = gpflow.NewConfig(spec.PipelineFields(), vals)
	}
	result, list := compiler.Compile(p, o)
	if result.Plan == nil {
		t.Fatalf("the specification is wrong: %+v", list)
	}
	encoded, err := plan.Encode(result.Plan)
	if err != nil {
		t.Fatal(err)
	}
	return result.Plan, encoded
}

// ordered reports whether a plan puts its rows out in one order only: no task
// has more than one subtask, or more than one channel of input.
func ordered(p *plan.Plan) bool {
	inputs := make(map[string]int)
	for _, e := range p.Edges {
		inputs[e.To]++
	}
	for _, task := range p.Tasks {
		if task.Parallelism > 1 || inputs[task.ID] > 1 {
			return false
		}
	}
	return true
}

// compare reports where another run differs.
func (o output) compare(t *testing.T, how string, got output) {
	t.Helper()
	for name := range got.files {
		if _, ok := o.files[name]; !ok {
			t.Errorf("%s: there is a file %s", how, name)
		}
	}
	for name, want := range o.files {
		a, b := strings.SplitAfter(want, "\n"), strings.SplitAfter(got.files[name], "\n")
		if !o.ordered {
			slices.Sort(a)
			slices.Sort(b)
		}
		if slices.Equal(a, b) {
			continue
		}
		i := 0
		for i < len(a) && i < len(b) && a[i] == b[i] {
			i++
		}
		t.Errorf("%s: %s has %d lines, want %d; they differ from line %d on:\n%s\nwant\n%s", how, name, len(b)-1, len(a)-1, i+1,
			strings.Join(b[min(i, len(b)):min(i+2, len(b))], ""), strings.Join(a[min(i, len(a)):min(i+2, len(a))], ""))
	}
}
