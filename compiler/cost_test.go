// With the race detector this takes minutes, and shows nothing more.
//go:build !race

package compiler_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/spectest"
)

// lines returns n lines, each of a number.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(format, "#", fmt.Sprint(i)))
		b.WriteByte('\n')
	}
	return b.String()
}

// TestCosts: specifications of less than a megabyte of which everything is
// compared with everything.
func TestCosts(t *testing.T) {
	const source = "source \"file\" \"s\" {\n  path = \"a.json\"\n  schema = {\n    text = string\n"
	filters := strings.ReplaceAll(lines(1500, "filter \"f#\" {\n  from = @#\n  where = \"c# > 1\"\n}"), "@0\n", "source.s\n")
	for i := range 1499 {
		filters = strings.Replace(filters, fmt.Sprintf("@%d\n", i+1), fmt.Sprintf("filter.f%d\n", i), 1)
	}
	r := builtins(t)
	for name, c := range map[string]struct {
		text  string
		most  int // MiB that are allocated
		wrong int // the least number of diagnostics
	}{
		"unknown locals":    {"locals {\n" + lines(10_000, "  a# = local.b#") + "}\n", 220, 10_000},
		"unknown variables": {lines(8_000, "variable \"a#\" { default = var.b# }"), 230, 8_000},
		"unknown schemas":   {lines(8_000, "schema \"a#\" { a = schema.b# }"), 230, 8_000},
		"unknown columns": {
			source + lines(1_500, "    c# = int") + "  }\n}\nmap \"m\" {\n  from = source.s\n  select = {\n" + lines(1_500, "    d# = \"e#\"") +
				"  }\n}\nsink \"blackhole\" \"x\" { from = map.m }\n", 300, 1_500,
		},
		"attributes that there are not": {"locals {\n  o = {\n" + lines(4_000, "    a# = 1") + "  }\n" + lines(4_000, "  c# = local.o.b#") + "}\n", 220, 4_000},
		"columns and filters": {
			source + lines(1_500, "    c# = int") + "  }\n}\n" + filters + "sink \"blackhole\" \"x\" { from = filter.f1499 }\n", 280, 0,
		},
		"regular expressions": {
			source + "  }\n}\n" + lines(2_500, "filter \"f#\" {\n  from = source.s\n  where = \"text matches '(ab|c){300}#' || text matches '(ab|c){200}#'\"\n}\nsink \"blackhole\" \"x#\" { from = filter.f# }"), 400, 0,
		},
		"a union": {
			source + "  }\n}\n" + lines(5_000, "filter \"f#\" {\n  from = source.s\n  where = \"text != ''\"\n}") + "sink \"blackhole\" \"x\" {\n  from = [\n" + lines(5_000, "    filter.f#,") + "  ]\n}\n", 480, 0,
		},
	} {
		text := []byte("pipeline \"p\" {}\n" + c.text)
		if len(text) > 1<<20 {
			t.Fatalf("%s: %d bytes", name, len(text))
		}
		var list diag.List
		spectest.Bounded(t, name, c.most<<20, func() { list, _ = diagnose(r, "cost.gp.hcl", text) })
		if len(list) < c.wrong || c.wrong == 0 && list.HasErrors() {
			t.Errorf("%s: %d diagnostics, want at least %d: %.300v", name, len(list), c.wrong, list)
		}
	}
}
