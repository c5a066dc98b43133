package gpflow_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// The budgets. Percentiles are over what ships; tests have the same limits,
// counted for themselves, and their tables of cases do not count.
const (
	fileLines     = 400 // 95 of 100 files
	functionLines = 50  // 95 of 100 functions
	longestLines  = 100 // every function, but for a switch over a closed set
	switchFrame   = 20  // lines that such a function may have around its switch
	methods       = 6   // of an interface
)

// sized is something with a length, and where it stands.
type sized struct {
	lines int
	where string
}

// checkP95 complains if more than 5 of 100 are longer than limit, and names
// them.
func checkP95(t *testing.T, what string, all []sized, limit int) {
	slices.SortFunc(all, func(a, b sized) int { return b.lines - a.lines })
	over := 0
	for over < len(all) && all[over].lines > limit {
		over++
	}
	if over*20 <= len(all) {
		return
	}
	for _, s := range all[:over] {
		t.Logf("%4d lines: %s", s.lines, s.where)
	}
	t.Errorf("%d of %d %s are longer than %d lines: more than 5 of 100", over, len(all), what, limit)
}

func TestFilesAreShort(t *testing.T) {
	var ships, tests []sized
	for _, f := range theSource(t).files {
		if ast.IsGenerated(f.ast) {
			continue
		}
		if s := (sized{f.lines, f.path}); f.test {
			tests = append(tests, s)
		} else {
			ships = append(ships, s)
		}
	}
	checkP95(t, "files", ships, fileLines)
	checkP95(t, "test files", tests, fileLines)
}

func TestFunctionsAreShort(t *testing.T) {
	s := theSource(t)
	lines := func(n ast.Node) int {
		return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
	}
	var ships, tests []sized
	for _, f := range s.files {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || ast.IsGenerated(f.ast) {
				continue
			}
			one := sized{lines(fn), s.at(fn) + " " + fn.Name.Name}
			if f.test {
				one.lines -= longestTable(fn, lines)
				tests = append(tests, one)
			} else {
				ships = append(ships, one)
			}
			frame := one.lines
			for _, stmt := range fn.Body.List {
				switch stmt.(type) {
				case *ast.SwitchStmt, *ast.TypeSwitchStmt:
					frame = min(frame, one.lines-lines(stmt))
				}
			}
			if one.lines > longestLines && frame > switchFrame {
				t.Errorf("%s has %d lines; %d at most, unless all but %d are one switch over a closed set",
					one.where, one.lines, longestLines, switchFrame)
			}
		}
	}
	checkP95(t, "functions", ships, functionLines)
	checkP95(t, "test functions", tests, functionLines)
}

// longestTable returns the lines of the longest literal in a function: a
// test's table of cases, which is data.
func longestTable(fn *ast.FuncDecl, lines func(ast.Node) int) (longest int) {
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if table, ok := n.(*ast.CompositeLit); ok {
			longest = max(longest, lines(table))
		}
		return true
	})
	return longest
}

func TestInterfacesAreSmall(t *testing.T) {
	s := theSource(t)
	for _, f := range s.files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if i, ok := n.(*ast.InterfaceType); ok && i.Methods.NumFields() > methods {
				t.Errorf("%s: an interface of %d methods; %d at most", s.at(n), i.Methods.NumFields(), methods)
			}
			return true
		})
	}
}

func TestNoInit(t *testing.T) {
	s := theSource(t)
	for _, f := range s.files {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: init runs behind everybody's back; call it, or use a variable", s.at(fn))
			}
		}
	}
}

func TestTestsDoNotSleep(t *testing.T) {
	s := theSource(t)
	for _, f := range s.files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if f.test && isCall(n, "time", "Sleep") {
				t.Errorf("%s: a test that sleeps is slow or wrong; wait for what has to happen", s.at(n))
			}
			return true
		})
	}
}

func TestPackageNamesSayWhatIsInside(t *testing.T) {
	for _, f := range theSource(t).files {
		switch name := f.ast.Name.Name; strings.TrimSuffix(strings.TrimSuffix(name, "_test"), "s") {
		case "util", "common", "helper", "base", "type":
			t.Errorf("%s: the name %s says nothing", f.path, name)
		}
	}
}

func TestPackagesAreDocumented(t *testing.T) {
	documented := make(map[string]bool)
	for _, f := range theSource(t).files {
		if !f.test {
			documented[f.dir] = documented[f.dir] || f.ast.Doc.Text() != ""
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("the package %s has no comment", dir)
		}
	}
}

func TestExportsAreDocumented(t *testing.T) {
	s := theSource(t)
	for _, f := range s.files {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc.Text() == "" && !understood(d) {
					t.Errorf("%s: %s has no comment", s.at(d), d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					for _, name := range undocumented(d, spec) {
						t.Errorf("%s: %s has no comment", s.at(spec), name)
					}
				}
			}
		}
	}
}

// understood reports whether a method needs no comment: it is one of the
// standard library's interfaces, or of a type that nobody else sees.
func understood(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return false
	}
	recv := fn.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	switch generic := recv.(type) {
	case *ast.IndexExpr:
		recv = generic.X
	case *ast.IndexListExpr:
		recv = generic.X
	}
	if id, ok := recv.(*ast.Ident); ok && !id.IsExported() {
		return true
	}
	return slices.Contains([]string{"String", "Error", "Unwrap"}, fn.Name.Name)
}

// undocumented returns the exported names of a declaration that have a comment
// neither of their own nor of the group they stand in.
func undocumented(d *ast.GenDecl, spec ast.Spec) (names []string) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Name.IsExported() && d.Doc.Text() == "" && spec.Doc.Text() == "" && spec.Comment.Text() == "" {
			names = append(names, spec.Name.Name)
		}
	case *ast.ValueSpec:
		if d.Doc.Text() != "" || spec.Doc.Text() != "" || spec.Comment.Text() != "" || d.Tok == token.IMPORT {
			return nil
		}
		for _, n := range spec.Names {
			if n.IsExported() {
				names = append(names, n.Name)
			}
		}
	}
	return names
}
