package yamlspec

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/spec/spectest"
)

// Whatever an expression is, also one of parts that have failed, it is computed
// or reported, however its text is quoted.
func TestAnyExpression(t *testing.T) {
	r := spectest.Registry(t)
	rapid.Check(t, func(t *rapid.T) {
		quoted := func(x string) string {
			x = "${" + x + "}"
			switch rapid.IntRange(0, 2).Draw(t, "quotes") {
			case 0:
				return "'" + strings.ReplaceAll(x, "'", "''") + "'"
			case 1:
				return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(x) + `"`
			}
			return ">-\n    " + strings.ReplaceAll(x, " ", "\n    ")
		}
		var b strings.Builder
		for _, l := range spectest.Locals {
			fmt.Fprintf(&b, "  %s: '${%s}'\n", l[0], l[1])
		}
		src := "locals:\n" + b.String() + "  computed: " + quoted(spectest.Expression(t, rapid.IntRange(1, 4).Draw(t, "deep"))) + "\n"
		p, ds := Parse("t", []byte(src), Options{Registry: r})
		spectest.CheckReported(t, p != nil, ds, src)
		spectest.CheckWords(t, ds)
	})
}
