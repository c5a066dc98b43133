package expr

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestClosing(t *testing.T) {
	for _, c := range []struct{ text, want string }{ // what is between the first brace and the end
		{"{day}/x", "day"},
		{"out/{}", ""},
		{"{any(tags, {# > 1})}}", "any(tags, {# > 1})"},
		{"{ {'a': {'b': 1}} }{", " {'a': {'b': 1}} "},
		{`{s + '}'}}`, `s + '}'`},
		{`{s + "\"}{"}`, `s + "\"}{"`},
		{`{'\'}'}'}`, `'\'}'`},
		{"{`}``}`}}", "`}``}`"},
		{`{b'}'}`, `b'}'`},
		{"{a /* } */ + b}", "a /* } */ + b"},
		{"{a // }\n}", "a // }\n"},
		{`{'\u{1F}' + "ž}"}€`, `'\u{1F}' + "ž}"`},
		{"ž{'žž' + [1][0]}@", "'žž' + [1][0]"},
		{"{a / b}/{c}", "a / b"},
		{"{1 2 , . +}", "1 2 , . +"}, // what it is in the language is not asked
	} {
		open := strings.IndexByte(c.text, '{')
		end, err := Closing(c.text, open)
		if err != nil || c.text[open+1:max(end, open+1)] != c.want || c.text[end] != '}' {
			t.Errorf("%s closes at %d, %v; want %q", c.text, end, err, c.want)
		}
	}
}

func TestClosingRefuses(t *testing.T) {
	for _, c := range []struct{ text, at, want string }{
		{"out/{day", "{", "The { is not closed"},
		{"{len(x}/{y)}", "(", "The ( is not closed"},
		{"{x)}", ")", "Unexpected )"},
		{"{a['b'}", "[", "The [ is not closed"},
		{"{'ž' + 'abc}/", "}/", "The text has no closing quote"},
		{"{'ž' + @}", "@", "Unexpected @"},
		{"{a // }", "{", "The { is not closed"},
		{"{a /* }", "}", "The comment has no end"},
	} {
		end, err := Closing(c.text, strings.IndexByte(c.text, '{'))
		if err == nil {
			t.Errorf("%s closes at %d, want %s", c.text, end, c.want)
			continue
		}
		if got := c.text[err.From:err.To]; err.Summary != c.want || !strings.Contains(c.at, got) || got == "" || err.To > len(c.text) {
			t.Errorf("%s: %q at %q, want %q at %q", c.text, err.Summary, got, c.want, c.at)
		}
	}
}

// Whatever nests, and whatever the quotes hold, the bracket that closes is found:
// the text is made of pieces, so that it is known where it is.
func TestClosingNests(t *testing.T) {
	piece := rapid.SampledFrom([]string{
		"a", " ", "+", "12", ".5", "žluť", `'}'`, `"{"`, "`)`", `'\''`, `"\\"`, "/*}*/", "//{\n", "#", "=>", "€"[:0], "b'('", "not", "?.", "``",
	})
	var nested *rapid.Generator[string]
	nested = rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 4).Draw(t, "pieces") {
			if rapid.IntRange(0, 3).Draw(t, "bracket") > 0 {
				b.WriteString(" " + piece.Draw(t, "piece") + " ")
				continue
			}
			k := rapid.SampledFrom([]string{"()", "[]", "{}"}).Draw(t, "kind")
			b.WriteString(k[:1] + nested.Draw(t, "inside") + k[1:])
		}
		return b.String()
	})
	rapid.Check(t, func(t *rapid.T) {
		before, inside, after := rapid.StringMatching(`[a-z/=ž]*`).Draw(t, "before"), nested.Draw(t, "inside"), rapid.String().Draw(t, "after")
		text := before + "{" + inside + "}" + after
		if end, err := Closing(text, len(before)); err != nil || end != len(before)+1+len(inside) {
			t.Fatalf("%q closes at %d, %v; want %d", text, end, err, len(before)+1+len(inside))
		}
	})
}

// Any text has a bracket that closes, or a mistake that stands in it.
func TestClosingAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := "x{" + rapid.OneOf(rapid.String(), rapid.StringMatching("[a{}()'\"`/*\\\\#\n\\[\\] ]*")).Draw(t, "text")
		end, err := Closing(text, 1)
		switch {
		case err != nil && (err.From < 1 || err.From >= err.To || err.To > len(text) || err.Summary == ""):
			t.Fatalf("%q: %+v", text, err)
		case err == nil && text[end] != '}':
			t.Fatalf("%q closes at %d", text, end)
		}
	})
}

func TestWithin(t *testing.T) {
	_, err := Check("nope + also", Env{})
	if err == nil || len(err.More) != 1 {
		t.Fatalf("%+v", err)
	}
	text := "out/{nope + also}/"
	var got []string
	for _, m := range err.Within(5, 11).All() {
		got = append(got, text[m.From:m.To])
	}
	if strings.Join(got, " ") != "nope also" {
		t.Errorf("the mistakes stand at %q", got)
	}
	if w := (&Error{Summary: "all of it"}).Within(5, 11); text[w.From:w.To] != "nope + also" {
		t.Errorf("the whole is %q", text[w.From:w.To])
	}
}
