package expr

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

const reference = "../../docs/reference/expressions.md"

// tables returns the rows of the reference's tables by the names of their
// columns. Cells have lost their ticks.
func tables(t *testing.T) []map[string]string {
	t.Helper()
	data, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	var head []string
	var rows []map[string]string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "|") {
			head = nil
			continue
		}
		cells := strings.Split(strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00"), "|")
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(strings.Trim(strings.TrimSpace(c), "`"), "\x00", "|")
		}
		switch {
		case head == nil:
			head = cells
		case !strings.HasPrefix(cells[0], "---"):
			row := make(map[string]string)
			for i, name := range head {
				row[name] = cells[i]
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// TestReference has each example of the reference give what it says, on the
// record that it says.
func TestReference(t *testing.T) {
	checked := 0
	for _, row := range tables(t) {
		src, want := row["example"], row["gives"]
		if name := row["column"]; name != "" {
			src, want = name, row["value"]
		}
		if src == "" {
			continue
		}
		checked++
		e, err := Check(src, testEnv())
		if summary, bad := strings.CutPrefix(want, "*error: "); bad {
			if err == nil || err.Summary != strings.Trim(summary, "*") {
				t.Errorf("%s: %v, want %s", src, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := e.Type().String(); got != row["type"] {
			t.Errorf("%s is %s, not %s", src, got, row["type"])
		}
		v, rerr := e.Program().Value(testRow())
		if summary, bad := strings.CutPrefix(want, "*fails: "); bad {
			if rerr == nil || !strings.Contains(rerr.Error(), strings.Trim(summary, "*")) {
				t.Errorf("%s: %s, %v, want %s", src, show(v), rerr, want)
			}
			continue
		}
		if result := evaluated(t, want); rerr != nil || !gpflow.Equal(v, result) {
			t.Errorf("%s is %s, %v, not %s", src, show(v), rerr, show(result))
		}
	}
	if checked < 140 {
		t.Errorf("%d examples", checked)
	}
}

// evaluated returns what a result that was written down is.
func evaluated(t *testing.T, src string) gpflow.Value {
	t.Helper()
	if src == "nil" {
		return gpflow.Null
	}
	e, err := Check(src, Env{})
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	v, rerr := e.Program().Value(nil)
	if rerr != nil {
		t.Fatalf("%s: %v", src, rerr)
	}
	return v
}

// TestReferenceComplete has every function in the reference, with its
// signature and an example that calls it.
func TestReferenceComplete(t *testing.T) {
	missing := append(functionNames(), "loop count", "loop sum")
	drop := func(name string) {
		if i := slices.Index(missing, name); i >= 0 {
			missing = slices.Delete(missing, i, i+1)
		}
	}
	for _, row := range tables(t) {
		if name, _, ok := strings.Cut(row["expression"], "("); ok && loops[name] != nil && strings.Contains(row["example"], name+"(") {
			drop(name)
			drop("loop " + name)
		}
		sig := row["function"]
		name, _, ok := strings.Cut(sig, "(")
		if !ok {
			continue
		}
		f := lookup(name)
		switch name {
		case "count":
			f = countFunction
		case "sum":
			f = sumFunction
		}
		if f == nil || signature(f) != sig || !strings.Contains(row["example"], name+"(") {
			t.Errorf("%s, with the example %s: the signature is %s", sig, row["example"], signature(f))
		}
		drop(name)
	}
	if len(missing) > 0 {
		t.Errorf("not in the reference: %s", strings.Join(missing, ", "))
	}
}

// signature writes f as the reference does.
func signature(f *function) string {
	if f == nil {
		return "none: there is no such function"
	}
	var b strings.Builder
	for i, p := range f.params {
		if i > 0 {
			b.WriteString(", ")
		}
		text := parameter(p)
		if f.variadic && i == len(f.params)-1 {
			text += "..."
		}
		if i >= len(f.params)-f.optional {
			text = "[" + text + "]"
		}
		b.WriteString(text)
	}
	return f.name + "(" + b.String() + ")"
}

func parameter(p kinds) string {
	switch p {
	case anything:
		return "any"
	case printable:
		return "value"
	case anOrdered:
		return "ordered"
	case anOrdered | aList:
		return "ordered or list"
	case aKey:
		return "key"
	}
	text := strings.ReplaceAll(p.String(), ", ", " or ")
	return strings.Replace(text, "int or float", "number", 1)
}
