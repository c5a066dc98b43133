package compiler_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/spec/diag"
)

// wholeAttribute is an attribute on a line of its own.
var wholeAttribute = regexp.MustCompile(`^(\s+[a-z_]+\s*=\s*)[^\s{\[<].*[^{\[(]$`)

// TestOneMistake: whatever attribute of a pipeline has a value that is not
// possible, that is said once, and nothing that follows from it.
func TestOneMistake(t *testing.T) {
	r := builtins(t)
	files, err := filepath.Glob("../examples/*/*.gp.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	texts := map[string]string{"whole": wholeSpec}
	for _, name := range append(files, "testdata/chain.hcl", "testdata/parallel.hcl") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	tried := 0
	for name, text := range texts {
		if list, _ := diagnose(r, name, []byte(text)); list.HasErrors() {
			continue // it is a part of several files
		}
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			m := wholeAttribute.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			for _, bad := range []string{"1 / 0", "[[]]", `"${[]}"`} {
				lines[i] = m[1] + bad
				list, sources := diagnose(r, name, []byte(strings.Join(lines, "\n")))
				lines[i] = line
				tried++
				if n := errors(list); n > 1 || n == 0 && bad == "1 / 0" { // a local may be a list
					var b strings.Builder
					_ = diag.WriteText(&b, list, sources, diag.TextOptions{Width: 100})
					t.Errorf("%s:%d: %s%s: %d errors\n%s", name, i+1, m[1], bad, n, b.String())
				}
			}
		}
	}
	t.Logf("%d mistakes", tried)
	if tried < 100 {
		t.Errorf("%d mistakes", tried)
	}
}

func errors(list diag.List) int {
	n := 0
	for _, d := range list {
		if d.Severity == diag.Error {
			n++
		}
	}
	return n
}
