package gpflow_test

import (
	"go/ast"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/internal/failpoint"
)

// TestFailpointsAreListed: what the source passes is what failpoint.Points
// lists and docs/reliability.md describes, and nothing else.
func TestFailpointsAreListed(t *testing.T) {
	here, steps := make(map[string]string), make(map[string]string)
	s := theSource(t)
	for _, f := range s.files {
		if f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			switch {
			case !ok:
			case isCall(call.Fun, "failpoint", "Here"):
				here[literal(t, call.Args[0])] = s.at(n)
			case isCall(call.Fun, "failpoint", "Object"):
				steps[literal(t, call.Args[1])] = s.at(n)
			}
			return true
		})
	}
	doc, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, p := range failpoint.Points() {
		listed[p.Name] = true
		_, step, _ := strings.Cut(p.Name, "-")
		if here[p.Name] == "" && steps[step] == "" {
			t.Errorf("the failpoint %s is listed, and nothing passes it", p.Name)
		}
		if !strings.Contains(string(doc), "`"+p.Name+"`") {
			t.Errorf("docs/reliability.md does not know the failpoint %s", p.Name)
		}
	}
	for name, at := range here {
		if !listed[name] {
			t.Errorf("%s: the failpoint %s is not in failpoint.Points", at, name)
		}
	}
	for step, at := range steps {
		if !listed["manifests-"+step] {
			t.Errorf("%s: the step %s of an object is not in failpoint.Points", at, step)
		}
	}
	if len(here) == 0 || len(steps) == 0 {
		t.Error("no failpoint was found")
	}
}

// literal returns the text of a string that has to stand in the source.
func literal(t *testing.T, e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		t.Fatalf("the name of a failpoint is to stand where it is passed")
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
