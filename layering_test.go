package gpflow_test

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// layers is the map of the house, from the bottom up. A package belongs to the
// first row that matches it, and may import what the row says, out of its own
// row and those above it in the table: imports only go down. A package in no
// row is an error, so that whoever adds one says where it belongs.
//
// In packages and imports, "a/..." is a and everything below it, "a/*" what
// is directly below it. Outside are the modules besides the standard library.
// Pure packages know no clock, goroutine, disk or network. The rules are for
// what ships; tests may import more, except for oracles.
var layers = []struct {
	name     string
	packages []string
	imports  []string
	outside  []string
	pure     bool
}{
	{name: "oracles: what tests compare with", packages: []string{"oracles"}},
	{name: "the vocabulary", packages: []string{"."}, pure: true},
	{name: "where a process can be made to die", packages: []string{"internal/failpoint"}},

	{name: "bytes <-> rows", packages: []string{"formats/..."}, imports: []string{".", "formats/..."}},

	{name: "objects in a store", packages: []string{"storage"}, pure: true},
	{name: "stores, and the tests of all of them", packages: []string{"storage/*"}, imports: []string{"storage", "internal/failpoint"}},

	{name: "diagnostics", packages: []string{"spec/diag"}, imports: []string{"."}},
	{name: "a page for each code", packages: []string{"spec/diag/pages"}, imports: []string{"spec/diag"}},
	{name: "sizes of regular expressions", packages: []string{"spec/regex"}, pure: true},
	{name: "record expressions", packages: []string{"spec/expr"}, imports: []string{".", "spec/regex"}, outside: []string{"github.com/expr-lang/expr"}, pure: true},
	{name: "what the user wrote", packages: []string{"spec"}, imports: []string{".", "spec/diag", "spec/regex"}, outside: []string{"github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty"}, pure: true},
	{name: "files and values", packages: []string{"spec/input"}, imports: []string{".", "spec", "spec/diag"}, outside: []string{"github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty"}},
	{name: "one language each", packages: []string{"spec/hclspec", "spec/yamlspec"}, imports: []string{"spec", "spec/diag", "spec/input"}, outside: []string{"github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty", "gopkg.in/yaml.v3"}, pure: true},
	{name: "what their tests share", packages: []string{"spec/spectest"}, imports: []string{".", "spec/diag"}, outside: []string{"pgregory.net/rapid"}},
	{name: "any of them", packages: []string{"spec/load"}, imports: []string{"spec", "spec/diag", "spec/input", "spec/hclspec", "spec/yamlspec"}},

	{name: "the plan, as data", packages: []string{"compiler/plan"}, imports: []string{"."}, pure: true},
	{name: "spec -> plan", packages: []string{"compiler"}, imports: []string{".", "spec", "spec/diag", "spec/expr", "compiler/plan"}, outside: []string{"github.com/hashicorp/hcl/v2", "github.com/zclconf/go-cty"}, pure: true},

	{name: "mailboxes, supervision", packages: []string{"engine/actor"}, imports: []string{"."}},
	{name: "key -> group -> subtask", packages: []string{"engine/keygroup"}, imports: []string{"."}, pure: true},
	{name: "batches and credits between tasks", packages: []string{"engine/exchange"}, imports: []string{".", "engine/keygroup"}, pure: true},
	{name: "rows on disk that memory has no room for", packages: []string{"engine/state/spill"}, outside: []string{"github.com/cockroachdb/pebble/v2"}},
	{name: "keyed state", packages: []string{"engine/state"}, imports: []string{".", "engine/keygroup"}, pure: true},
	{name: "one subtask, a step machine", packages: []string{"engine/task"}, imports: []string{".", "compiler/plan", "engine/keygroup", "engine/exchange", "engine/state", "internal/failpoint"}, pure: true},
	{name: "checkpoints", packages: []string{"engine/checkpoint"}, imports: []string{".", "storage", "engine/keygroup", "internal/failpoint"}, pure: true},
	{name: "the life of a job", packages: []string{"engine/job"}, imports: []string{".", "compiler/plan", "engine/keygroup", "engine/checkpoint"}, pure: true},
	{name: "readers, writers and subtasks, as machines", packages: []string{"engine/part"}, imports: []string{".", "compiler/plan", "engine/exchange", "engine/state", "engine/task", "engine/checkpoint", "engine/job", "internal/failpoint"}, pure: true},
	{name: "who goes on from what", packages: []string{"engine/resume"}, imports: []string{".", "compiler/plan", "engine/keygroup", "engine/state", "engine/task", "engine/checkpoint", "engine/job"}, pure: true},
	{name: "whole jobs, simulated", packages: []string{"engine/sim"}, imports: []string{"oracles", ".", "storage", "storage/*", "compiler/plan", "engine/*"}, pure: true},
	{name: "the engine: the shells around these", packages: []string{"engine"}, imports: []string{".", "storage", "compiler/plan", "engine/*", "engine/state/spill", "internal/failpoint"}},
	{name: "talking to a run from outside", packages: []string{"engine/control"}, imports: []string{".", "engine", "engine/job"}},

	{name: "the harness of operators' tests", packages: []string{"operators/optest"}, imports: []string{".", "engine/keygroup", "engine/state"}},
	{name: "operators and connectors", packages: []string{"operators/*"}, imports: []string{".", "formats/...", "storage/local", "spec/expr", "internal/failpoint"}, outside: []string{"github.com/klauspost/compress"}},
	{name: "the list of them", packages: []string{"operators"}, imports: []string{".", "operators/*"}},

	{name: "the command", packages: []string{"cmd/gpflow"}, imports: []string{".", "spec/...", "compiler/...", "engine", "engine/job", "engine/part", "engine/checkpoint", "engine/control", "storage/...", "operators", "internal/failpoint"}, outside: []string{"github.com/spf13/cobra", "golang.org/x/term"}},
	{name: "measurements", packages: []string{"bench"}, imports: []string{".", "spec/...", "compiler/...", "engine", "engine/state", "engine/checkpoint", "storage/local", "operators"}, outside: []string{"github.com/valyala/fastjson", "github.com/expr-lang/expr", "github.com/cespare/xxhash/v2"}},
	{name: "the proof with processes that are killed", packages: []string{"chaos"}},
	{name: "examples", packages: []string{"examples/..."}, outside: []string{"github.com/klauspost/compress"}},
}

// matches reports whether a folder is one that a pattern of layers names.
func matches(pattern, dir string) bool {
	if pattern == "oracles" {
		return path.Base(dir) == "oracle"
	}
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == tree || strings.HasPrefix(dir, tree+"/")
	}
	if parent, ok := strings.CutSuffix(pattern, "/*"); ok {
		return path.Dir(dir) == parent && dir != "."
	}
	return dir == pattern
}

func anyMatches(patterns []string, dir string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, dir) })
}

// layerOf returns the row of a folder, or -1.
func layerOf(dir string) int {
	for i, l := range layers {
		if anyMatches(l.packages, dir) {
			return i
		}
	}
	return -1
}

func TestEveryPackageHasALayer(t *testing.T) {
	for _, dir := range theSource(t).dirs() {
		if layerOf(dir) < 0 {
			t.Errorf("%s is in no row of layers, in layering_test.go: say where it belongs", dir)
		}
	}
}

func TestImportsGoDown(t *testing.T) {
	for _, f := range theSource(t).files {
		i := layerOf(f.dir)
		if f.test || i < 0 {
			continue
		}
		l := layers[i]
		for _, imported := range f.imports() {
			dir, our := ours(imported)
			switch {
			case our && (layerOf(dir) > i || !anyMatches(l.imports, dir)):
				t.Errorf("%s (%s) imports %s, which is not below it", f.path, l.name, dir)
			case !our && !standard(imported) && !slices.ContainsFunc(l.outside, func(m string) bool {
				return imported == m || strings.HasPrefix(imported, m+"/")
			}):
				t.Errorf("%s (%s) imports %s, which is not its business", f.path, l.name, imported)
			}
		}
	}
}

// TestOracles: an answer to compare with is worth something only if nothing of
// ours has a part in it, its tests included.
func TestOraclesImportNothingOfOurs(t *testing.T) {
	for _, f := range theSource(t).files {
		if path.Base(f.dir) != "oracle" {
			continue
		}
		for _, imported := range f.imports() {
			if dir, our := ours(imported); our && !(f.test && dir == f.dir) {
				t.Errorf("%s imports %s", f.path, imported)
			}
		}
	}
}

func TestPurePackages(t *testing.T) {
	s := theSource(t)
	for _, f := range s.files {
		if i := layerOf(f.dir); f.test || i < 0 || !layers[i].pure {
			continue
		}
		for _, imported := range f.imports() {
			first, _, _ := strings.Cut(imported, "/")
			if first == "os" || first == "net" || imported == "io/ioutil" || imported == "syscall" {
				t.Errorf("%s imports %s, but its package is pure", f.path, imported)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if isCall(n, "time", "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker") {
				t.Errorf("%s: a clock, but the package is pure", s.at(n))
			}
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s: a goroutine, but the package is pure", s.at(g))
			}
			return true
		})
	}
}

// TestImportDepth: the longest way down takes seven packages at most.
func TestImportDepth(t *testing.T) {
	imports := make(map[string][]string)
	for _, f := range theSource(t).files {
		for _, imported := range f.imports() {
			if dir, our := ours(imported); our && !f.test {
				imports[f.dir] = append(imports[f.dir], dir)
			}
		}
	}
	longest := make(map[string][]string)
	var walk func(dir string) []string
	walk = func(dir string) []string {
		if way, ok := longest[dir]; ok {
			return way
		}
		var below []string
		for _, d := range imports[dir] {
			if way := walk(d); len(way) > len(below) {
				below = way
			}
		}
		longest[dir] = append([]string{dir}, below...)
		return longest[dir]
	}
	for _, dir := range theSource(t).dirs() {
		if way := walk(dir); len(way) > 7 {
			t.Errorf("a way down of %d packages: %s", len(way), strings.Join(way, " -> "))
		}
	}
}
