package diag

import (
	"bytes"
	"strings"
	"testing"
)

func TestWriteGitHub(t *testing.T) {
	l := List{
		{
			Code: CodeUnknownField, Summary: "s 100%", Detail: "one\ntwo", Fix: "a: b, c", Range: at("d,r:1/a%.gp.hcl", 3, 1, 9, 3, 6, 14),
			Related: []Related{{"the other one", at("f", 1, 2, 1, 1, 3, 2)}},
		},
		{Severity: Warning, Code: CodeUnread, Summary: "w\r", Range: at("f", 3, 1, 9, 5, 2, 20)},
		{Code: CodeNoFile, Summary: "n", Range: Range{File: "gone"}},
		{Summary: "no place"},
	}
	want := strings.Join([]string{
		"::error file=d%2Cr%3A1/a%25.gp.hcl,line=3,endLine=3,col=1,endColumn=6,title=GPF-0023::s 100%25%0Aone%0Atwo%0Athe other one: f:1,2%0AFix: a: b, c",
		"::warning file=f,line=3,endLine=5,title=GPF-0104::w%0D",
		"::error file=gone,title=GPF-0001::n",
		"::error::no place",
		"",
	}, "\n")
	var b bytes.Buffer
	if err := WriteGitHub(&b, l); err != nil || b.String() != want {
		t.Errorf("%v\ngot\n%s\nwant\n%s", err, b.String(), want)
	}
}

// TestNarrow: no line is wider than the terminal where words allow it, and
// colour changes no character.
func TestNarrow(t *testing.T) {
	src := map[string][]byte{"f.hcl": []byte(strings.Repeat("x", 90) + " = 1\n")}
	l := List{{
		Code: CodeUnknownField, Summary: "filter.big has no attribute of the name whree", Detail: "It has where, from and on_error.",
		Fix: "Did you mean where, or something else?", Range: at("f.hcl", 1, 40, 39, 1, 45, 44),
	}}
	for width := 20; width < 78; width++ {
		got := text(l, src, TextOptions{Width: width})
		for _, line := range strings.Split(got, "\n") {
			if len(line) > width {
				t.Errorf("%d columns in %d: %q", len(line), width, line)
			}
		}
		colored := text(l, src, TextOptions{Width: width, Color: true})
		for _, c := range []string{red, yellow, cyan, bold, plain} {
			colored = strings.ReplaceAll(colored, c, "")
		}
		if colored != got {
			t.Errorf("with colour\n%s\nwithout\n%s", colored, got)
		}
	}
}
