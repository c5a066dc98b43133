package yamlspec

import (
	"strings"
	"testing"
)

// A quote opens a scalar where a value or a key begins, and nowhere else.
func TestUnclosed(t *testing.T) {
	for line, want := range map[string]int{
		`a: "x`:                            3,
		`a: 'x`:                            3,
		`a: 'it''s`:                        3,
		`a: "x\" y`:                        3,
		`- "x`:                             2,
		`"x`:                               0,
		`a: { b: "x" , c: "y`:              17,
		`a: [ 'x', "y ]`:                   10,
		`a: &b "x`:                         6,
		`a: "x"`:                           -1,
		`a: 'x"'`:                          -1,
		`a: 'it''s'`:                       -1,
		`a: "x\""`:                         -1,
		`a: x == "y`:                       -1,
		`a: it's`:                          -1,
		`a: b # "x`:                        -1,
		`# a: "x`:                          -1,
		``:                                 -1,
		strings.Repeat(`a: "x" `, 100_000): -1,
	} {
		if got := unclosed(line); got != want {
			t.Errorf("%.40q: at %d, want %d", line, got, want)
		}
	}
}

// In a long text, only some of the quotes are looked at.
func TestManyQuotes(t *testing.T) {
	src := "a: |\n" + strings.Repeat("  - \"x\n", 100_000) + "b: @x\n"
	if _, ds, ok := File("t", []byte(src)); ok || len(ds) != 1 || ds[0].Range.Start.Line != 100_002 {
		t.Error(ok, ds)
	}
}
