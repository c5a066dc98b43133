package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func at(file string, line, col, byt, endLine, endCol, endByte int) Range {
	return Range{file, Pos{line, col, byt}, Pos{endLine, endCol, endByte}}
}

func text(l List, sources map[string][]byte, o TextOptions) string {
	var b bytes.Buffer
	if err := WriteText(&b, l, sources, o); err != nil {
		return err.Error()
	}
	return b.String()
}

func TestWriteText(t *testing.T) {
	src := map[string][]byte{"a.gp.hcl": []byte("filter \"big\" {\r\n\twhree = \"日本 > 5\" # x\r\n}\n")}
	l := List{{
		Code: CodeUnknownField, Summary: `unknown attribute "whree"`, Detail: strings.Repeat("because it is so ", 6),
		Fix: `Did you mean "where"?`, Range: at("a.gp.hcl", 2, 11, 26, 2, 13, 32), Context: at("a.gp.hcl", 1, 1, 0, 1, 14, 13),
		Related: []Related{{"first here", at("a.gp.hcl", 1, 1, 0, 1, 7, 6)}},
	}}
	want := `Error: unknown attribute "whree" [GPF-0023]
  on a.gp.hcl:2,11
  1 | filter "big" {
  2 |     whree = "日本 > 5" # x
    |              ^^^^
  because it is so because it is so because it is so because it is so because
  it is so because it is so
  first here: a.gp.hcl:1,1
  1 | filter "big" {
    | ^^^^^^
  Fix: Did you mean "where"?

`
	if got := text(l, src, TextOptions{}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := text(l, src, TextOptions{Color: true}); !strings.Contains(got, "\x1b[31m^^^^\x1b[0m") {
		t.Errorf("no red underline in %q", got)
	}
}

func TestWriteTextManyLines(t *testing.T) {
	src := map[string][]byte{"f": []byte("a = <<E\n  one\n  two\nE\n")}
	got := text(List{{Summary: "s", Severity: Warning, Range: at("f", 2, 3, 10, 4, 1, 20)}}, src, TextOptions{})
	want := "Warning: s\n  on f:2,3\n  2 |   one\n    |   ^^^\n  3 |   two\n    |   ^^^\n\n"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestWriteTextCap(t *testing.T) {
	got := text(make(List, 73), nil, TextOptions{})
	if n := strings.Count(got, "Error:"); n != 50 || !strings.HasSuffix(got, "... and 23 more\n") {
		t.Errorf("%d shown, ends %q", n, got[len(got)-30:])
	}
}

// A line that is longer than the terminal is cut to a window around the place,
// and what would steer the terminal is not printed.
func TestWriteTextLongLine(t *testing.T) {
	line := strings.Repeat("x", 300) + "\x1b[2J" + "bad" + strings.Repeat("y", 300)
	got := text(List{{Summary: "s\x1b[31m", Range: at("f", 1, 305, 304, 1, 308, 307)}}, map[string][]byte{"f": []byte(line)}, TextOptions{Width: 60})
	rows := strings.Split(got, "\n")
	if strings.Contains(got, "\x1b") || !strings.Contains(rows[2], "bad") {
		t.Fatalf("%q", got)
	}
	mark := strings.Index(rows[3], "^^^")
	if r := []rune(rows[2]); mark < 0 || string(r[mark:mark+3]) != "bad" || len(r) > 60 {
		t.Errorf("the underline is off:\n%s", got)
	}
}

// Ranges that do not fit the text must not panic.
func TestWriteOddRanges(t *testing.T) {
	src := map[string][]byte{"f": []byte("ab\n"), "empty": {}}
	for _, f := range []string{"f", "empty", "missing", ""} {
		for _, r := range []Range{at(f, 0, 0, 0, 0, 0, 0), at(f, 1, 1, 0, 1, 1, 0), at(f, 9, 9, 9, 9, 9, 9), at(f, 2, 1, 3, 1, 1, 0), at(f, 1, 9, 2, 2, 4, 3)} {
			text(List{{Range: r, Context: r}}, src, TextOptions{})
			if err := WriteJSON(&bytes.Buffer{}, List{{Range: r}}, src); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	src := map[string][]byte{"f": []byte("ab\n  cde = 1\nx")}
	l := List{{Code: CodeValue, Summary: "s", Detail: "<d>", Range: at("f", 2, 3, 5, 2, 6, 8)}, {Severity: Warning, Summary: "w"}}
	if err := WriteJSON(&b, l, src); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"format_version": "1.0", "valid": false, "error_count": 1.0, "warning_count": 1.0,
		"diagnostics": []any{
			map[string]any{
				"severity": "error", "code": "GPF-0028", "summary": "s", "detail": "<d>",
				"range": map[string]any{
					"filename": "f",
					"start":    map[string]any{"line": 2.0, "column": 3.0, "byte": 5.0},
					"end":      map[string]any{"line": 2.0, "column": 6.0, "byte": 8.0},
				},
				"snippet": map[string]any{
					"context": nil, "code": "  cde = 1", "start_line": 2.0,
					"highlight_start_offset": 2.0, "highlight_end_offset": 5.0, "values": []any{},
				},
			},
			map[string]any{"severity": "warning", "summary": "w", "detail": ""},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s", b.String())
	}
}

func TestSortIsStable(t *testing.T) {
	l := List{
		{Summary: "4", Range: at("b", 1, 1, 0, 1, 1, 0)},
		{Summary: "2", Range: at("a", 2, 3, 0, 1, 1, 0)},
		{Summary: "3", Range: at("a", 2, 3, 0, 1, 1, 0)},
		{Summary: "1", Range: at("a", 2, 1, 0, 1, 1, 0)},
		{Summary: "0"},
	}
	l.Sort()
	for i, d := range l {
		if d.Summary != fmt.Sprint(i) {
			t.Errorf("place %d has %s", i, d.Summary)
		}
	}
}

func TestSuggest(t *testing.T) {
	for _, c := range []struct {
		word, candidates, want string
	}{
		{"whree", "where from", "where"},
		{"form", "where from", "from"},
		{"WHERE", "where", "where"},
		{"at", "ts id", ""},
		{"tumblin", "sliding tumbling", "tumbling"},
		{"abc", "xyz", ""},
		{"srource", "sink source", "source"},
		{"aggregat", "aggregates aggregate", "aggregate"},
		{"", "a", ""},
		{"file", "title", ""},
		{"errs", "late errors", "errors"},
		{"filte", "title", "title"},
		{"mxa", "min max", "max"},
	} {
		if got := Suggest(c.word, strings.Fields(c.candidates)); got != c.want {
			t.Errorf("Suggest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}

// Every code has a form, a line that explains it, and a meaning of its own.
func TestCodes(t *testing.T) {
	src, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, line := range strings.Split(string(src), "\n") {
		if !strings.Contains(line, "GPF-") {
			continue
		}
		m := regexp.MustCompile(`^\tCode\w+ += "(GPF-\d{4})" // .+$`).FindStringSubmatch(line)
		if m == nil || seen[m[1]] {
			t.Errorf("malformed or reused: %s", line)
			continue
		}
		seen[m[1]] = true
	}
	if len(seen) < 40 {
		t.Errorf("only %d codes found", len(seen))
	}
}

func TestCapital(t *testing.T) {
	for in, want := range map[string]string{
		"there is": "There is", "filter.big has": "filter.big has", `"x" is`: `"x" is`, "": "", "--var x": "--var x", "a b": "A b", "Already so": "Already so", "key_by is": "key_by is",
	} {
		if got := Capital(in); got != want {
			t.Errorf("Capital(%q) = %q", in, got)
		}
	}
}
