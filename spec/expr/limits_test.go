package expr

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
)

func TestCheckIsBounded(t *testing.T) {
	text := func(s string) gpflow.Constant {
		return gpflow.Constant{Type: gpflow.T(gpflow.KindString), Value: gpflow.String(s)}
	}
	env := Env{
		Schema: gpflow.NewSchema(gpflow.Column{Name: "s", Type: gpflow.T(gpflow.KindString)}),
		Constants: gpflow.Constants{
			"var.re":   text("(a?){1000}"),
			"var.big":  text("(?i)" + strings.Repeat(`\PL{999}`, 900)),
			"var.set":  text(strings.Repeat(`\PL`, 9000)),
			"var.long": text(strings.Repeat("x", 1<<20)),
			"var.kilo": text(strings.Repeat("x", 4<<10)),
		},
	}
	repeated := func(n int, s, with string) string { return strings.TrimSuffix(strings.Repeat(s+with, n), with) }
	numbered := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "s matches '(a?){%d}' || ", 900+i)
		}
		return b.String() + "false"
	}
	for name, c := range map[string]struct {
		src, code string
	}{
		"one pattern many times":     {repeated(50, "s matches var.re", " || "), ""},
		"one literal many times":     {repeated(90, "s matches '(a?){1000}'", " || "), ""},
		"many patterns":              {numbered(50), CodeTooBig},
		"a long pattern":             {"s matches '" + repeated(500, "(a?){1000}", "") + "'", CodeTooBig},
		"a pattern in itself":        {"s matches '((a{30}){30}b)(((c{30}){30}d){1})' && s matches '(x{1000})(y{1000})(z{999}){1}(ab){1000}(cd){1000}(ef){1000}(gh){900}'", CodeTooBig},
		"classes":                    {"s matches var.big", CodeTooBig},
		"classes without repetition": {"s matches var.set", CodeTooBig},
		"a text as a pattern":        {"s matches var.long", CodeTooBig},
		"long constants":             {"s + " + repeated(40, "(var.long + var.long)", " + "), CodeTooBig},
		"short constants":            {"s == " + repeated(60, "var.kilo", " + "), CodeTooBig},
		"searches in constants":      {repeated(30, "(var.long matches 'x{18}y')", " || ") + " || s == 'a'", CodeTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			e, err := Check(c.src, env)
			if err == nil {
				e.Program()
			}
			took := time.Since(start)
			t.Log(took, err)
			switch {
			case c.code == "" && err != nil, c.code != "" && (err == nil || err.Code != c.code):
				t.Errorf("got %v, want the code %q", err, c.code)
			case took > 30*time.Second: // some 0.3 s; the race detector makes it twenty times as much, and the loaded machine more
				t.Errorf("took %v", took)
			}
		})
	}
}
