package compiler

import (
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		reads, writes string
		want          bool
	}{
		{"in/a.json", "in/a.json", true},
		{"./in//a.json", "in/a.json", true},
		{"in/a.json", "in/b.json", false},
		{"in", "in/a.json", true},
		{"in/", "in/deep/er/*.json", true},
		{"in", "inner/a.json", false},
		{".", "out/*.json", true},
		{".", "../a.json", false},
		{".", ".hidden/a.json", false},
		{"in", "in/.hidden/a.json", false},
		{"in/*.json", "in/*.json", true},
		{"in/*.csv", "in/*.json", false},
		{"in/*.json*", "in/*.json.gz", true},
		{"in/*.json", "in/deep/a.json", false},
		{"in/*", "in/deep/a.json", true},
		{"in/*", "in/.a.json", false},
		{"*/a.json", ".in/a.json", true},
		{"in/a?.json", "in/ab.json", true},
		{"in/[ab].json", "in/c.json", true}, // a class is any letter
		{`in/\[a].json`, `in/\[a].json`, true},
		{`in/[\]a]b.json`, "in/ab.json", true},
		{`in/[\]a]b.json`, "in/aab.json", false},
		{`in/[a\]`, "in/a", false},
		{"in/day=*/*.json", "in/*/*.json", true},
		{"in/day=*", "in/hour=*/*.json", false},
		{"/in", "in/a.json", false},
		{"/in", "/in/a.json", true},
		{"/", "/in/a.json", true},
		{"..", "../a.json", true},
	} {
		if got := covers(c.reads, c.writes); got != c.want {
			t.Errorf("%s covers %s: %v", c.reads, c.writes, got)
		}
	}
}

// Two patterns overlap where one name matches both, and the reverse holds of
// patterns without classes: of a few letters, all names are tried.
func TestOverlap(t *testing.T) {
	names := []string{""}
	for from := 0; len(names) < 2000; {
		to := len(names)
		for ; from < to; from++ {
			for _, x := range "abc" {
				names = append(names, names[from]+string(x))
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?]{0,3}`)
		a, b := pattern.Draw(t, "a"), pattern.Draw(t, "b")
		common := ""
		for _, n := range names {
			x, _ := filepath.Match(a, n)
			y, _ := filepath.Match(b, n)
			if x && y {
				common = n + "."
				break
			}
		}
		if got := overlap(letters(a), letters(b)); got != (common != "") {
			t.Fatalf("%q and %q overlap: %v, and %q matches both", a, b, got, strings.TrimSuffix(common, "."))
		}
	})
}
