package gpflow_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the path of the module that the source tests read.
const module = "github.com/gpflow/gpflow"

// sourceFile is a parsed file of the module.
type sourceFile struct {
	path  string // from the root of the module, with slashes
	dir   string // of its package: "." is the root
	test  bool
	lines int
	ast   *ast.File
}

// source is every Go file of the module.
type source struct {
	fset  *token.FileSet
	files []*sourceFile
}

// readSource parses the module once.
var readSource = sync.OnceValues(func() (*source, error) {
	s := &source{fset: token.NewFileSet()}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || base == "bin" || base == "out") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(s.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		s.files = append(s.files, &sourceFile{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(base, "_test.go"),
			lines: strings.Count(string(text), "\n"), ast: parsed,
		})
		return nil
	})
	return s, err
})

func theSource(t *testing.T) *source {
	s, err := readSource()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// at returns where a node stands, as file:line.
func (s *source) at(n ast.Node) string {
	p := s.fset.Position(n.Pos())
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

// dirs returns the folders of the packages, in order.
func (s *source) dirs() []string {
	var dirs []string
	for _, f := range s.files {
		dirs = append(dirs, f.dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// imports returns the import paths of a file.
func (f *sourceFile) imports() []string {
	var paths []string
	for _, i := range f.ast.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

// ours returns the folder of an imported package of this module.
func ours(imported string) (dir string, ok bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// standard reports whether an import path is of the standard library.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// isCall reports whether n refers to pkg.name, such as time.Now.
func isCall(n ast.Node, pkg string, names ...string) bool {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg && slices.Contains(names, sel.Sel.Name)
}
