package filesink

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
)

// taken writes a template as its root and its pieces, expressions in « ».
func taken(t *template) string {
	s := t.root
	for _, p := range t.pieces {
		if p.expr != "" {
			s += " «" + p.expr + "»"
		} else {
			s += " " + strconv.Quote(p.text)
		}
	}
	return s
}

func TestTemplate(t *testing.T) {
	for path, want := range map[string]string{
		"out":                                  `out`,
		"out//x/":                              `out/x`,
		"out/{day}/{origin}/":                  `out «day» "/" «origin» "/"`,
		"{day}":                                `. «day»`,
		"/a/b-{ day }":                         `/a "b-" «day»`,
		"out/{a}{b}":                           `out «a» «b»`,
		"out/{a / b}/x":                        `out «a / b» "/x"`,
		"out/{any(tags, {# > 1})}/":            `out «any(tags, {# > 1})» "/"`,
		`out/{s + '}/../{'}/`:                  `out «s + '}/../{'» "/"`,
		"out/{s + `}``{`}/y":                   "out «s + `}``{`» \"/y\"",
		`out/{s + "\"}"}/{n}`:                  `out «s + "\"}"» "/" «n»`,
		"out/{{'a': {'b': 1}}['a']}":           `out «{'a': {'b': 1}}['a']»`,
		"out/{a /* } */}/ž={\nlet x = a; x\n}": `out «a /* } */» "/ž=" «let x = a; x»`,
		"out/{it's}/{1st (}{a // b}":           `out «it's» "/" «1st (» «a // b»`,
		"out/{flight-date}/":                   `out «flight-date» "/"`,
	} {
		got, err := parseTemplate(path)
		if err != nil || taken(got) != want {
			t.Errorf("%s is\n%v, %v, want\n%s", path, got, err, want)
			continue
		}
		for _, p := range got.pieces {
			if p.expr != "" && path[p.at:p.at+len(p.expr)] != p.expr {
				t.Errorf("%s: %q is not at byte %d", path, p.expr, p.at)
			}
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	for path, want := range map[string]string{ // the place, and what is said of it
		"out/{":              "{: The { is not closed",
		"out/{day/{x}/":      "{: The { is not closed",
		"out/}/":             "}: There is no { before this }",
		"out/}{day}":         "}: There is no { before this }",
		"out/{day}}":         "}: There is no { before this }",
		"out/{}/":            "{}: There is nothing between the braces",
		"out/{ }/":           "{ }: There is nothing between the braces",
		"out/{'day/":         "y/: The text has no closing quote",
		"out/{len({day}/":    "(: The ( is not closed",
		"out/{day}/../x":     "..: .. stands behind an expression",
		"out/{day}/./x":      ".: . stands behind an expression",
		"out/{a / b}/..":     "..: .. stands behind an expression",
		"out/{x + '/../'}/.": ".: . stands behind an expression",
	} {
		got, err := parseTemplate(path)
		if err == nil {
			t.Errorf("%s is %s", path, taken(got))
			continue
		}
		if at := path[err.From:err.To]; at+": "+err.Summary != want && !strings.HasSuffix(want, at+": "+err.Summary) {
			t.Errorf("%s: %s: %s, want %s", path, at, err.Summary, want)
		}
	}
}

// A path that is put together out of texts and expressions is taken apart into
// them.
func TestTemplateIsTakenApart(t *testing.T) {
	expression := rapid.SampledFrom([]string{
		"day", "a.b", "flight-date", "lower(day)", "a / b", "any(tags, {# > 1})", `s + '}'`, `"{" + s`, "s + `}``{`", "{'k': {'l': 1}}['k']",
		"a /* } */", "n == 1 ? 'x' : 'y'", "s[1:]", `'\'}' + s`, "// }\nday", "žluť",
	})
	text := rapid.SampledFrom([]string{"x", "day=", "/", "/ž/", "-", "...", "/a.b/", "it's", `"`, "(", "]"})
	rapid.Check(t, func(t *rapid.T) {
		path, want, begun := "root/", "root", false
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			if x := text.Draw(t, "text"); begun && rapid.Bool().Draw(t, "is text") && !strings.HasSuffix(want, `"`) {
				path, want = path+x, want+" "+strconv.Quote(x)
				continue
			}
			x, space := expression.Draw(t, "expression"), rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "space")
			path, want, begun = path+"{"+space+x+space+"}", want+" «"+x+"»", true
		}
		got, err := parseTemplate(path)
		if err != nil || taken(got) != want {
			t.Fatalf("%q is\n%v, %v, want\n%s", path, got, err, want)
		}
	})
}

// Paths that lead to the same directories have one claim, and no others.
func TestClaims(t *testing.T) {
	for _, same := range [][]string{
		{"out/{day}/", "out/{day}", "out//{ day }//", "./out/{day}", "x/../out/{day}/"},
		{"{day}", "./{day}/"},
		{"/{day}", "//{day}/"},
		{"out", "out/"},
		{"out/{a / b}/{c}", "out/{a / b}//{c}/"},
		{"out/{s + '//'}"},
		{"out/{s + '/'}"},
		{"out/{s + '/../'}"},
		{"out/{s}"},
	} {
		for _, path := range same {
			if got, want := claimOf(path), claimOf(same[0]); got != want {
				t.Errorf("%s claims %q, and %s %q", path, got, same[0], want)
			}
		}
	}
	if claimOf("out/{s + '//'}") == claimOf("out/{s + '/'}") || claimOf("out/{s}") == claimOf("out/{t}") {
		t.Error("different paths have one claim")
	}
}

func claimOf(path string) string {
	return traits(gpflow.NewConfig(fields, vals{"mode": modeParts, "path": path})).Claim
}

func TestWrites(t *testing.T) {
	for _, c := range []struct {
		config vals
		want   string
	}{
		{vals{"path": "out/a.json"}, "out/a.json"},
		{vals{"path": "./out/a*[1].json"}, `out/a\*\[1].json`},
		{vals{"mode": modeParts, "path": "out/", "format": "json"}, "out/*.json"},
		{vals{"mode": modeParts, "path": "out/*/", "format": "lines", "compression": "gzip"}, `out/\*/*.txt.gz`},
		{vals{"mode": modeParts, "path": "out/day={day}/{a}-{upper(b)}/", "format": "csv"}, "out/day=*/*-*/*.csv"},
		{vals{"mode": modeParts, "path": "{day}", "format": "csv"}, "*/*.csv"},
	} {
		if got := traits(gpflow.NewConfig(fields, c.config)).Writes; len(got) != 1 || got[0] != c.want {
			t.Errorf("%v writes %q", c.config, got)
		}
	}
}
