package spec

import (
	"strings"
	"testing"
)

// TestSignatures: what is said of functions is said of all of them, and of all
// of their parameters.
func TestSignatures(t *testing.T) {
	fs := allFunctions()
	for name, f := range fs {
		s, ok := signatures[name]
		n := len(f.Params())
		if f.VarParam() != nil {
			n++
		}
		if !ok || len(s.params) != n || n == 0 {
			t.Errorf("%s has %d parameters, and its signature %d", name, n, len(s.params))
			continue
		}
		for i, p := range s.params {
			last := i == n-1 && f.VarParam() != nil
			if p.name == "" || p.takes == "" || strings.HasSuffix(p.name, "...") != last {
				t.Errorf("%s: bad parameter %q", name, p.name)
			}
		}
	}
	for name := range signatures {
		if _, ok := fs[name]; !ok {
			t.Errorf("there is no function %s", name)
		}
	}
}
