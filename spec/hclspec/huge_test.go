package hclspec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/spectest"
)

// TestHugeNumbers: text of a few bytes is a number of millions of digits to whoever
// makes a number of it. None is made, and each has one error; but text may look
// like that.
func TestHugeNumbers(t *testing.T) {
	const huge = `"1e567890123"`
	wrong := []string{
		"1e567890123", "-1e567890123", "1e-567890123", `format("%d", H)`, `format("%x", H)`, `format("%e", H)`, `format("%f", "1e-567890123")`,
		`format("%[2]d %[1]s", "a", H)`, `formatlist("%d", [H])`, "H % 7", "7 % H", "H * 2", "-H", "ceil(H)", "[1, 2][H]", "local.list[H]", "local.list[local.text]",
		"local.list[1e567890123]", "pow(H, 2)", "max(H, 1)", "range(H)", `substr("x", H, 1)`, "tonumber(H)", `jsondecode(H)`,
	}
	right := []string{"H", `format("%s", H)`, `format("%v %s", H, H)`, `format("%s %d", H, 3)`, `{ "12e45678" = 1 }["12e45678"]`, `local.object["12e45678"]`, "local.list[\"1\"]"}
	fields := []string{"rate = H", "rate = 1e567890123", "parallelism = H", "parallelism = 1e567890123"}
	spec := func(locals, field string) string {
		text := fmt.Sprintf(`pipeline "p" {}
locals {
  list   = [1, 2]
  text   = H
  object = { "12e45678" = 1 }
  %s
}
source "generate" "a" {
  fields = { i = "i" }
  %s
}
sink "stdout" "b" { from = source.a }
`, locals, field)
		return strings.ReplaceAll(text, "H", huge)
	}
	check := func(text, what string, errors int) {
		t.Helper()
		var list diag.List
		spectest.Bounded(t, what, 8<<20, func() { _, list = Parse("t.gp.hcl", []byte(text), Options{Registry: spectest.Registry(t)}) })
		n := 0
		for _, d := range list {
			if d.Severity == diag.Error {
				n++
			}
		}
		if n != errors {
			t.Errorf("%s: %d errors, want %d: %v", what, n, errors, list)
		}
	}
	for _, x := range wrong {
		check(spec("x = "+x, ""), x, 1)
	}
	for _, x := range right {
		check(spec("x = "+x, ""), x, 0)
	}
	for _, f := range fields {
		check(spec("", f), f, 1)
	}
	check(strings.ReplaceAll("variable \"n\" {\n  type    = number\n  default = H\n}\n", "H", huge)+spec("", ""), "a variable", 1)
	check(strings.ReplaceAll("variable \"n\" {\n  type    = list(int)\n  default = [1, H]\n}\n", "H", huge)+spec("", ""), "a variable that is a list", 1)
}
