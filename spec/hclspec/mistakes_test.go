package hclspec

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/spec/spectest"
)

// TestValueMistakes: each line of testdata/values.txt is a value that cannot be
// computed: an operator or a function of what it does not take. That is said
// once, at a place in the value, and in our words.
func TestValueMistakes(t *testing.T) {
	raw, err := os.ReadFile("testdata/values.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for value := range strings.Lines(string(raw)) {
		value = strings.TrimSpace(value)
		src := "pipeline \"p\" {}\nlocals {\n  n = null\n  l = [1, 2]\n  o = { a = 1 }\n  x = " + value + "\n}\n"
		p, ds := Parse("t", []byte(src), Options{Registry: spectest.Registry(t)})
		fmt.Fprintf(&all, "%s\n", value)
		for _, d := range ds {
			from, to := d.Range.Start.Byte-strings.LastIndex(src, value), d.Range.End.Byte-strings.LastIndex(src, value)
			if from < 0 || to > len(value) || from >= to {
				t.Errorf("%s: the mistake is at %s", value, d.Range)
				continue
			}
			fmt.Fprintf(&all, "  %s: %s %s. %s %s\n", value[from:to], d.Code, d.Summary, d.Detail, d.Fix)
		}
		if !ds.HasErrors() || len(ds) != 1 || !p.Unknown["local.x"] {
			t.Errorf("%s: %d diagnostics, want 1\n%s", value, len(ds), spectest.Show(ds, nil))
		}
		spectest.CheckWords(t, ds)
	}
	golden(t, "testdata/values.golden", all.Bytes())
	_, ds := Parse("t", []byte("pipeline \"p\" {}\nlocals {\n  x = nothing()\n}\n"), Options{Registry: spectest.Registry(t)})
	names := strings.FieldsFunc(strings.TrimPrefix(ds[0].Detail, "The functions of values are "), func(r rune) bool { return strings.ContainsRune(" ,.", r) })
	for _, name := range names {
		if name != "and" && !bytes.Contains(raw, []byte(name+"(")) {
			t.Errorf("no mistake is made with %s", name)
		}
	}
	if len(names) < 50 {
		t.Errorf("%d functions", len(names))
	}
}
