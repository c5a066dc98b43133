package regex

import (
	"regexp/syntax"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// compiled returns how many instructions text is compiled to.
func compiled(t interface{ Fatal(...any) }, text string) int {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		t.Fatal(err)
	}
	return len(prog.Inst)
}

// TestMeasure compares estimates with what is compiled, which has two
// instructions more at the ends.
func TestMeasure(t *testing.T) {
	leaf := rapid.SampledFrom([]string{"a", "bcd", ".", "[a-c]", `\d`, "^", "$", `\b`, "(?i:k)", "é"})
	operator := rapid.SampledFrom([]string{"(X)", "(?:X)*", "(?:X)+?", "(?:X)?", "(?:X){3}", "(?:X){2,5}", "(?:X){2,}", "X|b", "Xc", "(?:X)(?:X)"})
	rapid.Check(t, func(t *rapid.T) {
		text := leaf.Draw(t, "pattern")
		for range rapid.IntRange(0, 6).Draw(t, "levels") {
			text = strings.ReplaceAll(operator.Draw(t, "operator"), "X", text)
		}
		s, err := Measure(text)
		if err != nil {
			t.Skip(err)
		}
		if s.TooBig() {
			return
		}
		if is := compiled(t, text); is > s.Instructions+s.Instructions/4+8 || s.Instructions > 4*is {
			t.Fatalf("%s is compiled to %d instructions, and estimated as %d", text, is, s.Instructions)
		}
	})
}

func TestTooBig(t *testing.T) {
	for text, big := range map[string]bool{
		"":                                false,
		"(a?){1000}":                      false,
		strings.Repeat("x", Max):          false,
		strings.Repeat("x", Max+1):        true,
		strings.Repeat("(a?){1000}", 500): true,
		"((a{30}){30}b)(((c{30}){30}d){1})(x{1000})(y{1000})(z{999}){1}(ab){1000}(cd){1000}(ef){1000}(gh){900}": true,
		`(?i)` + strings.Repeat(`\PL{999}`, 900): true,
		strings.Repeat(`\PL`, 3000):              true,
	} {
		s, err := Measure(text)
		if err != nil || s.TooBig() != big {
			t.Errorf("%.40s: %+v, %v", text, s, err)
		}
	}
	if s, err := Measure("(a)(b)"); err != nil || s.Groups != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, wrong := range []string{"(", "a{1001}", `\8`} {
		if _, err := Measure(wrong); err == nil {
			t.Errorf("%s has no error", wrong)
		}
	}
}
