package spec

import (
	"strings"
	"testing"

	"github.com/gpflow/gpflow/spec/diag"
)

func TestPlace(t *testing.T) {
	src := []byte("x = \"é\\n1\"\ny = <<-E\n    a\n    b\n  E\n")
	value := diag.Range{File: "f", Start: posAt(src, 4), End: posAt(src, 11)}
	header := diag.Range{File: "f", Start: posAt(src, 0), End: posAt(src, 1)}
	n := &Node{Range: header, Fields: map[string]Located{
		"x":      {Value: value, Text: "é\n1", At: []int{5, 6, 7, 9, 10}, src: src},
		"y":      {Value: value, Text: "a\nb\n", At: []int{25, 26, 31, 32, 33}, src: src},
		"z":      {Value: value, Text: "abc"},
		"z.a[1]": {Value: header},
		"short":  {Value: value, Text: "abc", At: []int{5}, src: src},
		"wild":   {Value: value, Text: "abc", At: []int{900, 901, 902, 903}, src: src},
	}}
	for _, c := range []struct {
		path     string
		from, to int
		want     string // of the source
		column   int
	}{
		{"x", 0, 2, "é", 6},
		{"x", 2, 3, `\n`, 7},
		{"x", 0, 4, `é\n1`, 6},
		{"x", 3, 4, "1", 9},
		{"x", 4, 4, "", 10},
		{"x", 0, 0, string(src[4:11]), 5},
		{"x", 3, 5, string(src[4:11]), 5},
		{"x", 3, 2, string(src[4:11]), 5},
		{"x", -1, 2, string(src[4:11]), 5},
		{"x.inner", 0, 2, string(src[4:11]), 5},
		{"x[0].inner", 0, 2, string(src[4:11]), 5},
		{"y", 0, 2, "a\n", 5},
		{"y", 1, 2, "\n", 6},
		{"y", 2, 3, "b", 5},
		{"y", 0, 3, "a\n    b", 5},
		{"z", 0, 1, string(src[4:11]), 5},
		{"z.a[1].b", 0, 1, "x", 1},
		{"short", 0, 1, string(src[4:11]), 5},
		{"wild", 0, 1, string(src[4:11]), 5},
		{"none", 0, 1, "x", 1},
		{"", 0, 1, "x", 1},
	} {
		got := n.Place(c.path, c.from, c.to)
		if s := string(src[got.Start.Byte:got.End.Byte]); s != c.want || got.Start.Column != c.column || got.File != "f" {
			t.Errorf("%s [%d, %d) is %q at %s, want %q in column %d", c.path, c.from, c.to, s, got, c.want, c.column)
		}
	}
}

// Of a text with computed parts, what stands before and behind them is found, and
// what touches them is placed at all that is between.
func TestPlaceInComputedText(t *testing.T) {
	const out, day = "${var.out}", "${var.day}"
	for _, c := range []struct{ value, text, part, want string }{
		{`"` + out + `/{a}/b"`, "x/y/{a}/b", "a", "a"},
		{`"` + out + `/{a}/b"`, "x/y/{a}/b", "{a}/b", "{a}/b"},
		{`"` + out + `/{a}/b"`, "x/y/{a}/b", "x/y", out},
		{`"o/{a}/` + day + `/{b + 'ž'}"`, "o/{a}/2/{b + 'ž'}", "a", "a"},
		{`"o/{a}/` + day + `/{b + 'ž'}"`, "o/{a}/2/{b + 'ž'}", "b + 'ž'", "b + 'ž'"},
		{`"o/{a}/` + day + `/{b + 'ž'}"`, "o/{a}/2/{b + 'ž'}", "a}/2", "a}/" + day},
		{`"` + out + `{a}` + day + `"`, "1{a}2", "a", out + "{a}" + day},
		{`'` + out + `/{a}'`, "x/{a}", "a", "a"},
		{out + `/{a}`, "x/{a}", "a", "a"},
		{`local.path`, "out/{a}", "a", "local.path"},
		{`"{` + day + `}"`, "{abc}", "abc", day},
		{`"{` + day + `}"`, "{abc}", "b", day},
	} {
		src := "path = " + c.value + "\n"
		file, from := []byte(src), len("path = ")
		value := diag.Range{File: "f", Start: posAt(file, from), End: posAt(file, len(src)-1)}
		n := &Node{Fields: map[string]Located{"path": {Value: value, Text: c.text, At: aligned(file, from, len(src)-1, c.text), src: file}}}
		i := strings.Index(c.text, c.part)
		got := n.Place("path", i, i+len(c.part))
		if s := src[got.Start.Byte:got.End.Byte]; s != c.want {
			t.Errorf("%s of %s, which is %s, stands at %q, want %q", c.part, c.value, c.text, s, c.want)
		}
	}
	if at := aligned([]byte("x"), 3, 5, "abc"); at != nil {
		t.Errorf("a text outside of the file stands at %v", at)
	}
}
