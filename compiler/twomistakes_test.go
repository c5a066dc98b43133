// With the race detector this takes minutes, and shows nothing more.
//go:build !race

package compiler_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// pairedSpec has nodes whose fields have much to do with each other.
const pairedSpec = `
pipeline "p" {}

source "file" "orders" {
  path           = "orders.json"
  format         = "json"
  compression    = "none"
  order          = "none"
  follow         = false
  unknown_fields = "error"
  max_record     = "4MiB"
  timezone       = "Europe/Berlin"
  rate           = 1000
  description    = "what was ordered"
  schema         = { user = string, amount = int, items = list(string), at = timestamp }

  event_time {
    field        = "at"
    out_of_order = "5s"
  }
}

source "file" "lines" {
  path   = "log.txt"
  schema = { line = string }
}

flat_map "items" {
  from        = source.orders
  each        = "items"
  as          = "item"
  index       = "place"
  keep        = ["user", "amount"]
  description = "an item each"
}

window "tumbling" "totals" {
  from        = flat_map.items
  key_by      = ["user"]
  size        = "1m"
  offset      = "1s"
  parallelism = 2
  aggregate   = { n = "count()", sum = "sum(amount)", half = "sum(amount) / 2" }
}

sink "file" "totals" {
  from        = window.totals
  mode        = "single"
  path        = "totals.csv"
  format      = "csv"
  if_exists   = "fail"
  compression = "none"
  on_error    = "fail"

  csv {
    header    = true
    delimiter = ";"
  }
}

sink "file" "late" {
  from   = window.totals.late
  mode   = "parts"
  path   = "out/{user}/"
  format = "csv"

  roll {
    size  = "1MiB"
    every = "1m"
  }
}

sink "file" "lines" {
  from = source.lines
  path = "copy.txt"
}
`

// silences lists, for each kind of node, whose mistakes leave open whether
// there is one in another field: that field means something else by them.
var silences = map[string]map[string][]string{
	"source.file": {
		"format": {"path", "schema", "csv"}, "path": {"schema", "csv"}, // by its extension
		"schema": {"event_time"},
		"follow": {"path", "compression", "order"}, "compression": {"path"},
	},
	"sink.file": {
		"mode": {"path", "roll", "if_exists", "from"}, "format": {"path", "from", "csv", "mode"}, "path": {"from", "csv"},
	},
	"source.generate": {"fields": {"event_time"}},
	"sink.stdout":     {"format": {"from"}},
	"flat_map":        {"keep": {"as", "index"}, "each": {"as", "index"}, "as": {"index"}},
	"window":          {"key_by": {"aggregate", "parallelism"}},
}

// data lists the fields that decide the columns that leave a node: what is said
// of those, there and downstream, waits. Where from is wrong nothing is known of
// what comes in, and all that the operator says waits.
var data = map[string][]string{
	"source.file": {"schema", "format", "path"}, "source.generate": {"fields"}, "map": {"select"}, "flat_map": {"each", "as", "index", "keep"},
	"window": {"key_by", "aggregate"},
}

// values that are wrong in some fields: none at all, of the wrong type, of the
// right type and not there, and what other values do not go with.
var badValues = []string{
	"1 / 0", "[[]]", `"no_such"`, `["no_such"]`, `"no_such + 1"`, `{ n = "no_such" }`, `"user"`, `["user", "user"]`, `"csv"`, `"lines"`,
	`"parts"`, `"single"`, `"name"`, `"gzip"`, `"-"`, `"out/"`, `"out/{no_such + 1}/"`, `"out/{user"`, `"a.gz"`, "true", "-1", "4096", "{ a = list(int) }", `{ a = timestamp("%Q") }`, `"divert"`,
}

// anAttribute is an attribute on a line of its own, within a node.
var anAttribute = regexp.MustCompile(`^(\s+([a-z_]+)\s*=\s*)(?:[^\s<].*)?[^{\[(\s]$`)

// anObject is the first line of an attribute that goes on over several.
var anObject = regexp.MustCompile(`^  ([a-z_]+)\s*=?\s*\{$`)

// mistake is a line of a specification with another value, of which one error
// is reported.
type mistake struct {
	line  int    // from 0
	field string // at the top of the node
	text  string // of the line
	said  string
}

// TestTwoMistakes: of two mistakes in one node, each is said as it is alone,
// unless one leaves open whether the other is one, or decides the data that the
// other is about.
func TestTwoMistakes(t *testing.T) {
	r := builtins(t)
	files, _ := filepath.Glob("../examples/*/*.gp.hcl")
	texts := map[string]string{"whole": wholeSpec, "paired": pairedSpec}
	for _, name := range append(files, "testdata/chain.hcl", "testdata/parallel.hcl") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	count := make(map[string]int)
	for name, text := range texts {
		if list, _ := diagnose(r, name, []byte(text)); list.HasErrors() {
			continue
		}
		pairs(t, r, name, strings.Split(text, "\n"), count)
	}
	total := 0
	for _, n := range count {
		total += n
	}
	for _, rule := range []string{"both", "data", "field"} {
		t.Logf("%s: %d of %d, %.1f %%", rule, count[rule], total, 100*float64(count[rule])/float64(total))
	}
	if total < 3000 || 10*count["both"] < 8*total {
		t.Errorf("both are said of %d pairs of %d", count["both"], total)
	}
}

// pairs tries all pairs of mistakes in each node, and counts them by what
// becomes of them.
func pairs(t *testing.T, r *gpflow.Registry, name string, lines []string, count map[string]int) {
	t.Helper()
	kind, around := "", "" // the node's kind, the attribute that an attribute is in
	var found []mistake
	for i, line := range lines {
		switch words := strings.Fields(line); {
		case strings.HasPrefix(line, "}"):
			if kind != "" {
				inPairs(t, r, name, kind, lines, found, count)
			}
			kind, found = "", nil
		case line != "" && line[0] >= 'a' && strings.HasSuffix(line, "{") && len(words) > 2:
			if kind = words[0]; len(words) == 4 && kind != "window" {
				kind += "." + strings.Trim(words[1], `"`)
			}
			if kind == "variable" || kind == "pipeline" || kind == "schema" {
				kind = ""
			}
		case anObject.MatchString(line):
			around = anObject.FindStringSubmatch(line)[1]
		case strings.HasPrefix(line, "  }"):
			around = ""
		case kind != "":
			for _, m := range mistakes(r, name, lines, i) {
				if around != "" {
					m.field = around
				}
				found = append(found, m)
			}
		}
	}
}

// mistakes returns those of a line that differ in what is said of them.
func mistakes(r *gpflow.Registry, name string, lines []string, i int) (out []mistake) {
	m := anAttribute.FindStringSubmatch(lines[i])
	if m == nil {
		return nil
	}
	for _, v := range badValues {
		x := mistake{line: i, field: m[2], text: m[1] + v}
		said := saidOf(r, name, lines, x)
		if len(said) != 1 {
			continue
		}
		x.said = said[0]
		// What has one code at one place is one kind of mistake.
		x.said = said[0]
		if !slices.ContainsFunc(out, func(o mistake) bool { return o.code() == x.code() }) {
			out = append(out, x)
		}
	}
	return out
}

// code returns the line and the code of what is said of m.
func (m mistake) code() string {
	f := strings.Fields(m.said)
	line, _, _ := strings.Cut(f[0], ":")
	return line + f[1]
}

// place returns the line of what is said of m, from 0.
func (m mistake) place() (line int) {
	_, _ = fmt.Sscan(strings.Split(m.said, ":")[0], &line)
	return line - 1
}

// saidOf returns the errors of a text with some mistakes.
func saidOf(r *gpflow.Registry, name string, lines []string, ms ...mistake) (out []string) {
	lines = slices.Clone(lines)
	for _, m := range ms {
		lines[m.line] = m.text
	}
	list, _ := diagnose(r, name, []byte(strings.Join(lines, "\n")))
	for _, d := range list {
		if d.Severity == diag.Error {
			out = append(out, fmt.Sprintf("%d:%d %s %s", d.Range.Start.Line, d.Range.Start.Column, d.Code, d.Summary))
		}
	}
	slices.Sort(out)
	return out
}

// inPairs tries all pairs of the mistakes of one node.
func inPairs(t *testing.T, r *gpflow.Registry, name, kind string, lines []string, ms []mistake, count map[string]int) {
	t.Helper()
	for i, a := range ms {
		for _, b := range ms[i+1:] {
			if a.line == b.line || a.said == b.said {
				continue
			}
			want := []string{a.said, b.said}
			slices.Sort(want)
			got := saidOf(r, name, lines, a, b)
			if slices.Equal(got, want) {
				count["both"]++
				continue
			}
			rule := ""
			if len(got) == 1 && slices.Contains(want, got[0]) {
				if rule = silenced(kind, ms, a, b); got[0] == b.said {
					rule = silenced(kind, ms, b, a)
				}
			}
			if count[rule]++; rule == "" {
				t.Errorf("%s %s %s %s:\n%d: %s\n%d: %s\ngot  %q\nwant %q", kind, a.field, b.field, name, a.line+1, a.text, b.line+1, b.text, got, want)
			}
		}
	}
}

// silenced returns the rule by which nothing is said of b beside a, or "". ms
// are the mistakes of the node.
func silenced(kind string, ms []mistake, a, b mistake) string {
	switch own := b.place() >= ms[0].line && b.place() <= ms[len(ms)-1].line; {
	case slices.Contains(data[kind], a.field) && (!own || b.field == a.field), a.field == "from":
		return "data"
	case slices.Contains(silences[kind][a.field], b.field), b.place() == a.line:
		return "field"
	}
	return ""
}
