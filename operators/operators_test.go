package operators

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

// TestEveryOperatorPassesOptest: the tests of each operator call optest.Run, of each
// source optest.RunSource and of each sink optest.RunSink. None is excepted.
func TestEveryOperatorPassesOptest(t *testing.T) {
	for _, d := range Builtin() {
		want := "Run"
		switch {
		case d.IsSource():
			want = "RunSource"
		case d.IsSink():
			want = "RunSink"
		}
		dir := folder(d)
		if calls := calls(t, dir); !calls[want] {
			t.Errorf("%s: no test in operators/%s calls optest.%s: see CONTRIBUTING.md", d.Name(), dir, want)
		}
	}
}

// folder returns the folder of an operator, where its Infer lies.
func folder(d *gpflow.Descriptor) string {
	name := runtime.FuncForPC(reflect.ValueOf(d.Infer).Pointer()).Name() // .../operators/filter.infer
	_, name, _ = strings.Cut(name, "/operators/")
	name, _, _ = strings.Cut(name, ".")
	return name
}

// calls returns the functions of optest that the tests in a folder call.
func calls(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("operators/%s has no tests: %v", dir, err)
	}
	found := make(map[string]bool)
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "optest" {
					found[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	return found
}
