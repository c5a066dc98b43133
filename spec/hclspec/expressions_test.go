package hclspec

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/spec/spectest"
)

// Whatever an expression is, also one of parts that have failed, it is computed
// or reported.
func TestAnyExpression(t *testing.T) {
	r := spectest.Registry(t)
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for _, l := range spectest.Locals {
			fmt.Fprintf(&b, "  %s = %s\n", l[0], l[1])
		}
		src := "locals {\n" + b.String() + "  computed = " + spectest.Expression(t, rapid.IntRange(1, 4).Draw(t, "deep")) + "\n}\n"
		p, ds := Parse("t", []byte(src), Options{Registry: r})
		spectest.CheckReported(t, p != nil, ds, src)
		spectest.CheckWords(t, ds)
	})
}

// The functions of the expressions of TestAnyExpression are all that there are.
func TestFunctionNames(t *testing.T) {
	_, ds := Parse("t", []byte("locals {\n  a = nofunction(1)\n}\n"), Options{Registry: spectest.Registry(t)})
	for _, d := range ds {
		if _, names, ok := strings.Cut(d.Detail, "The functions of values are "); ok {
			all := strings.FieldsFunc(strings.TrimSuffix(names, "."), func(r rune) bool { return r == ',' || r == ' ' })
			if all = slices.DeleteFunc(all, func(s string) bool { return s == "and" }); !slices.Equal(all, spectest.Functions) {
				t.Fatalf("the functions are %q", all)
			}
			return
		}
	}
	t.Fatalf("no list of functions:\n%v", ds)
}
