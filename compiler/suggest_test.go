package compiler_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/spec/diag"
)

// domain is a set of names, and a specification in which a misspelt one of
// them stands at %s.
type domain struct {
	name, spec string
	names      []string
}

// wholeSpec has something of everything that can be misspelt.
const wholeSpec = `
pipeline "p" {}
variable "minimum" { default = 5 }
variable "region" { default = "eu" }
variable "output_path" { default = "out.json" }
locals {
  markets  = ["nl", "de"]
  currency = "EUR"
}
schema "order" { user = string }
schema "payment" { user = string }
source "file" "orders" {
  path     = "orders.json"
  on_error = "divert"
  schema = {
    customer   = string
    amount     = int
    quantity   = int
    country    = string
    device     = string
    created_at = timestamp
  }

  event_time { field = "created_at" }
}
sink "blackhole" "failures" { from = source.orders.errors }
filter "european" {
  from  = source.orders
  where = "amount > 5"
}
window "tumbling" "revenue" {
  from      = filter.european
  key_by    = ["country"]
  size      = "1h"
  aggregate = { total = "sum(amount)" }
}
sink "stdout" "screen" { from = window.revenue }
sink "blackhole" "missed" { from = window.revenue.late }
`

var columns = []string{"customer", "amount", "quantity", "country", "device", "created_at"}

func domains() []domain {
	filter := func(where string) string {
		return "filter \"probe\" {\n  from  = source.orders\n  where = \"" + where + "\"\n}\n"
	}
	fields := []string{"path", "schema", "format", "compression", "order", "unknown_fields", "max_record", "timezone", "csv", "event_time", "rate", "on_error", "parallelism", "chain", "description", "labels"}
	return []domain{
		{"blocks", "%s \"x\" \"probe\" {}\n", []string{"pipeline", "variable", "locals", "schema", "source", "filter", "window", "sink", "flat_map"}},
		{"kinds of source", "source \"%s\" \"probe\" {}\n", []string{"file", "generate"}},
		{"kinds of sink", "sink \"%s\" \"probe\" {}\n", []string{"file", "stdout", "blackhole"}},
		{"kinds of window", "window \"%s\" \"probe\" {}\n", []string{"tumbling"}},
		{"fields of a source", "source \"file\" \"probe\" {\n  %s = 1\n}\n", fields},
		{"fields of a window", "window \"tumbling\" \"probe\" {\n  %s = 1\n}\n", []string{"from", "key_by", "size", "offset", "aggregate"}},
		{"fields of an event time", "source \"file\" \"probe\" {\n  path = \"x\"\n  schema = { a = int }\n  event_time {\n    %s = 1\n  }\n}\n", []string{"field", "out_of_order", "idle_after", "max_future"}},
		{"options", "sink \"stdout\" \"probe\" {\n  from = source.orders\n  on_error = \"%s\"\n}\n", []string{"fail", "skip", "divert"}},
		{"nodes", "sink \"blackhole\" \"probe\" {\n  from = %s\n}\n", []string{"source.orders", "filter.european", "window.revenue"}},
		{"ports", "sink \"blackhole\" \"probe\" {\n  from = window.revenue.%s\n}\n", []string{"late", "errors"}},
		{"variables", "sink \"file\" \"probe\" {\n  from = source.orders\n  path = var.%s\n}\n", []string{"minimum", "region", "output_path"}},
		{"locals", "sink \"file\" \"probe\" {\n  from = source.orders\n  path = local.%s\n}\n", []string{"markets", "currency"}},
		{"schemas", "source \"file\" \"probe\" {\n  path = \"x.json\"\n  schema = schema.%s\n}\n", []string{"order", "payment"}},
		{"types", "schema \"probe\" {\n  x = %s\n}\n", []string{"string", "float", "bool", "timestamp", "duration", "bytes"}},
		{"columns", filter("%s == 'x'"), columns},
		{"columns as keys", "window \"tumbling\" \"probe\" {\n  from = source.orders\n  key_by = [\"%s\"]\n  size = \"1h\"\n  aggregate = { n = \"count()\" }\n}\n", columns},
		{"event time", "source \"file\" \"probe\" {\n  path = \"x.json\"\n  schema = { created_at = timestamp, customer = string }\n  event_time { field = \"%s\" }\n}\n", []string{"created_at"}},
		{"constants of expressions", filter("amount > var.%s"), []string{"minimum", "region", "output_path"}},
		{"functions of expressions", filter("%s(customer) == 1"), []string{"upper", "lower", "trim", "trimPrefix", "trimSuffix", "replace", "split", "int", "float", "string", "round", "floor", "ceil", "year", "month", "hour", "minute"}},
		{"functions of values", "sink \"file\" \"probe\" {\n  from = source.orders\n  path = %s(\"x\")\n}\n", []string{"upper", "lower", "replace", "format", "trimspace", "trimprefix", "substr", "jsonencode", "length", "concat"}},
		{"aggregates", "window \"tumbling\" \"probe\" {\n  from = source.orders\n  size = \"1h\"\n  aggregate = { n = \"%s(amount)\" }\n}\n", []string{"count", "first", "last"}},
		{"units of durations", "window \"tumbling\" \"probe\" {\n  from = source.orders\n  size = \"5%s\"\n  aggregate = { n = \"count()\" }\n}\n", []string{"minutes", "seconds", "hours", "days", "milliseconds"}},
	}
}

// typo returns word with n mistakes of the hand: a letter that is wrong,
// missing, too many or doubled, or two that are swapped.
func typo(r *rand.Rand, word string, n int) string {
	w := []byte(word)
	for range n {
		letter := "abcdefghijklmnopqrstuvwxyz"[r.IntN(26)]
		switch i := r.IntN(len(w)); r.IntN(5) {
		case 0:
			w[i] = letter
		case 1:
			w = slices.Delete(w, i, i+1)
		case 2:
			w = slices.Insert(w, i, letter)
		case 3:
			w = slices.Insert(w, i, w[i])
		case 4:
			if i+1 < len(w) {
				w[i], w[i+1] = w[i+1], w[i]
			}
		}
	}
	return string(w)
}

var aWord = regexp.MustCompile(`^[a-z_][a-zA-Z_]*(\.[a-z_][a-zA-Z_]*)?$`)

// TestSuggestions: of the names of all domains, misspelt in one or two places,
// the one that was meant is suggested for 95 of 100 of four letters or more.
func TestSuggestions(t *testing.T) {
	r, random := builtins(t), rand.New(rand.NewPCG(1, 2))
	var all, right [3]int
	for _, d := range domains() {
		var asked, found [3]int
		for _, name := range d.names {
			for edits := 1; edits <= 2; edits++ {
				for range 6 {
					word := typo(random, name, edits)
					if len(name) < 4 || !aWord.MatchString(word) || slices.Contains(d.names, word) {
						continue
					}
					list, _ := diagnose(r, "x.gp.hcl", fmt.Appendf(nil, d.spec+wholeSpec, word))
					if said, good := suggests(list, word, name); said {
						asked[edits]++
						if good {
							found[edits]++
						} else {
							t.Logf("%s: %q for %q: %s", d.name, word, name, texts(list))
						}
					}
				}
			}
		}
		for i := range asked {
			all[i], right[i] = all[i]+asked[i], right[i]+found[i]
		}
		t.Logf("%-25s one edit %3d of %3d, two edits %3d of %3d", d.name, found[1], asked[1], found[2], asked[2])
	}
	share := 100 * float64(right[1]+right[2]) / float64(all[1]+all[2])
	t.Logf("one edit %d of %d, two edits %d of %d: %.1f %% are right", right[1], all[1], right[2], all[2], share)
	if share < 95 {
		t.Errorf("%.1f %% of the suggestions are right, want 95", share)
	}
}

// written is what is written for the words of durations.
var written = map[string]string{"minutes": `"5m"`, "seconds": `"5s"`, "hours": `"5h"`, "days": `"5d"`, "milliseconds": `"5ms"`}

// suggests reports whether a diagnostic is about word, as it is not where the
// word is by chance something else, and whether it suggests name.
func suggests(list diag.List, word, name string) (said, good bool) {
	meant := regexp.MustCompile(`Did you mean "?([a-z]+\.)*` + regexp.QuoteMeta(name) + `"?\b|There is ` + regexp.QuoteMeta(name) + ` to read`)
	bare := word[strings.LastIndexByte(word, '.')+1:]
	for _, d := range list {
		if unit, ok := written[name]; ok && strings.Contains(d.Detail, `"5`+word+`"`) {
			return true, strings.Contains(d.Fix, unit)
		}
		if strings.Contains(d.Summary, bare) {
			said = true
			good = good || meant.MatchString(d.Detail+" "+d.Fix)
		}
	}
	return said, good
}

func texts(list diag.List) string {
	var out []string
	for _, d := range list {
		out = append(out, d.Summary+" / "+d.Detail+" / "+d.Fix)
	}
	return strings.Join(out, "\n    ")
}
