package compiler_test

import (
	"testing"

	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/spec/hclspec"
)

// TestUnionOfEventTimes: the inputs of a union stay alike, though each source
// keeps the column of its own event time, and what a filter reads is passed on.
func TestUnionOfEventTimes(t *testing.T) {
	const text = `
pipeline "p" {}
schema "visit" {
  user   = string
  came   = timestamp
  went   = timestamp
  visits = int
  other  = int
}
source "file" "a" {
  path   = "a.json"
  schema = schema.visit
  event_time { field = "came" }
}
source "file" "b" {
  path   = "b.json"
  schema = schema.visit
  event_time { field = "went" }
}
filter "c" {
  from  = source.b
  where = "visits > 0"
}
map "users" {
  from   = [source.a, filter.c]
  select = { user = "user" }
}
sink "blackhole" "x" { from = map.users }
`
	p, list := hclspec.Parse("union.gp.hcl", []byte(text), hclspec.Options{Registry: builtins(t)})
	result, more := compiler.Compile(p, compiler.Options{})
	if result.Plan == nil {
		t.Fatal(list, more)
	}
	for _, n := range result.Graph.Nodes {
		if a := n.Address(); a != "source.a" && a != "source.b" && a != "filter.c" {
			continue
		}
		const want = "user string, came timestamp, went timestamp, visits int" // all that one of them has
		if got := n.Ports[0].String(); got != want {
			t.Errorf("%s: %s, want %s", n.Address(), got, want)
		}
	}
}
