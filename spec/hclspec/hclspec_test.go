package hclspec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/spectest"
)

// parse parses a text that has no mistakes.
func parse(t *testing.T, src string, o Options) *spec.Pipeline {
	t.Helper()
	o.Registry = spectest.Registry(t)
	p, ds := Parse("t.gp.hcl", []byte(src), o)
	if len(ds) > 0 {
		t.Fatal(spectest.Show(ds, map[string][]byte{"t.gp.hcl": []byte(src)}))
	}
	return p
}

const whole = `pipeline "orders" {
  parallelism = 2
  on_error    = "skip"
  labels      = { zeta = "1", alpha = upper("x") }
}

variable "min" {
  type    = float
  default = 5
}

locals {
  twice = local.once * 2
  once  = 21
  bots  = ["curl", "bot"]
  geo   = { eu = { vat = 0.2 }, name = "x" }
}

schema "order" {
  user  = string
  at    = timestamp("unix_ms")
  tags  = list(string)
  addr  = { street = string, zip = optional(int) }
  note  = optional(string)
  price = decimal(18, 2)
}

source "file" "orders" {
  path       = "data/${lower("ORDERS")}.jsonl"
  schema     = schema.order
  max_record = "64KiB"
  columns    = ["user", "at"]
  password   = secret.kafka

  event_time {
    field        = "at"
    out_of_order = "1m30s"
  }
}

filter "big" {
  from  = source.orders
  where = "price > var.min"
  on_error {
    action = "divert"
    limit  = 7
  }
}

window "tumbling" "totals" {
  from   = [filter.big, source.orders]
  key_by = ["user"]
  size   = "1h"
  aggregate = {
    zebra = "count()"
    apple = <<-EXPR
      sum(price)
        / count()
    EXPR
    mango = "max(price)"
  }
}

route "by" {
  from = filter.big
  rule { where = "a" }
  rule {
    where  = "b"
    weight = 3
  }
}

join "j" {
  left  = filter.big.errors
  right = window.totals
}

sink "stdout" "late" { from = window.totals.late }
`

// own returns the configuration of a node without the fields that it shares
// with others and that were not written.
func own(n *spec.Node) gpflow.Config {
	var fields []gpflow.Field
	vals := make(map[string]any)
	for _, f := range n.Descriptor.AllFields() {
		_, written := n.Fields[f.Name]
		common := !slices.ContainsFunc(n.Descriptor.Fields, func(g gpflow.Field) bool { return g.Name == f.Name })
		if written || !common {
			fields = append(fields, f)
			vals[f.Name] = n.Config.Get(f.Name)
		}
	}
	return gpflow.NewConfig(fields, vals)
}

func TestWhole(t *testing.T) {
	p := parse(t, whole, Options{})
	settings, err := json.Marshal(p.Settings)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"parallelism":2,"key_groups":1024,"on_error":{"action":"skip"},"labels":[{"key":"zeta","value":"1"},{"key":"alpha","value":"X"}]}`; string(settings) != want {
		t.Errorf("settings %s", settings)
	}
	want := []string{
		`source.orders {"path":"data/orders.jsonl","schema":{"columns":[{"name":"user","type":"string"},{"name":"at","type":"timestamp(\"unix_ms\")"},{"name":"tags","type":"list(string)"},{"name":"addr.street","type":"string"},{"name":"addr.zip","type":"optional(int)"},{"name":"note","type":"optional(string)"},{"name":"price","type":"decimal(18, 2)"}]},"format":"json","max_record":65536,"columns":["user","at"],"password":"kafka","event_time":{"field":"at","out_of_order":90000000}} []`,
		`filter.big {"where":"price \u003e var.min","on_error":{"action":"divert","limit":7}} [from: source.orders]`,
		`window.totals {"key_by":["user"],"size":3600000000,"aggregate":[{"name":"zebra","expr":"count()"},{"name":"apple","expr":"sum(price)\n  / count()\n"},{"name":"mango","expr":"max(price)"}]} [from: filter.big source.orders]`,
		`route.by {"rule":[{"where":"a"},{"where":"b","weight":3}]} [from: filter.big]`,
		`join.j {} [left: filter.big:errors right: window.totals]`,
		`sink.late {} [from: window.totals:late]`,
	}
	for i, n := range p.Nodes {
		config, err := json.Marshal(own(n))
		if err != nil {
			t.Fatal(err)
		}
		var ins []string
		for _, in := range n.Inputs {
			s := in.Field + ":"
			for _, r := range in.Refs {
				s += " " + r.Address
				if r.Port != "" {
					s += ":" + r.Port
				}
			}
			ins = append(ins, s)
		}
		if got := fmt.Sprintf("%s %s %v", n.Address(), config, ins); got != want[i] {
			t.Errorf("got  %s\nwant %s", got, want[i])
		}
		if n.Broken || len(n.Wrong) > 0 || n.Descriptor == nil {
			t.Errorf("%s: wrong: %v", n.Address(), n.Wrong)
		}
	}
	constants := map[string]string{}
	for name, c := range p.Constants {
		v, err := gpflow.AppendJSON(nil, c.Value)
		if err != nil {
			t.Fatal(err)
		}
		constants[name] = c.Type.String() + " " + string(v)
	}
	if want := map[string]string{
		"var.min": "float 5", "local.twice": "int 42", "local.once": "int 21", "local.bots": `list(string) ["curl","bot"]`,
		"local.geo.eu.vat": "float 0.2", "local.geo.name": `string "x"`,
	}; !reflect.DeepEqual(constants, want) {
		t.Errorf("constants %v", constants)
	}
}

// Ranges are exact: the text that they name is the one that is meant.
func TestRanges(t *testing.T) {
	p := parse(t, whole, Options{})
	text := func(r diag.Range) string { return whole[r.Start.Byte:r.End.Byte] }
	node := func(address string) *spec.Node { return p.Node(address) }
	for _, c := range []struct {
		got  diag.Range
		want string
		at   string
	}{
		{p.Range, `pipeline "orders"`, "t.gp.hcl:1,1"},
		{p.SettingRanges["parallelism"], "2", "t.gp.hcl:2,17"},
		{p.SettingRanges["on_error.action"], `"skip"`, "t.gp.hcl:3,17"},
		{p.ConstantRanges["var.min"], `variable "min"`, "t.gp.hcl:7,1"},
		{p.ConstantRanges["local.geo.eu.vat"], "geo", "t.gp.hcl:16,3"},
		{node("filter.big").Range, `filter "big"`, "t.gp.hcl:41,1"},
		{node("filter.big").Place("where", 8, 15), "var.min", "t.gp.hcl:43,20"},
		{node("filter.big").Place("where", 0, 0), `"price > var.min"`, "t.gp.hcl:43,11"},
		{node("filter.big").Place("where", 3, 99), `"price > var.min"`, "t.gp.hcl:43,11"},
		{node("filter.big").Place("on_error.action", 0, 0), `"divert"`, "t.gp.hcl:45,14"},
		{node("filter.big").Place("on_error.nope", 2, 3), "on_error", "t.gp.hcl:44,3"},
		{node("filter.big").Place("nope", 0, 0), `filter "big"`, "t.gp.hcl:41,1"},
		{node("filter.big").Place("", 0, 0), `filter "big"`, "t.gp.hcl:41,1"},
		{node("window.totals").Place("aggregate.apple", 15, 22), "count()", "t.gp.hcl:58,11"},
		{node("window.totals").Place("aggregate.apple", 10, 11), "\n", "t.gp.hcl:57,17"},
		{node("window.totals").Place("aggregate.apple", 4, 9), "price", "t.gp.hcl:57,11"},
		{node("window.totals").Fields["aggregate.mango"].Name, "mango", "t.gp.hcl:60,5"},
		{node("window.totals").Inputs[0].Refs[1].Range, "source.orders", "t.gp.hcl:51,25"},
		{node("source.orders").Place("event_time.out_of_order", 0, 0), `"1m30s"`, "t.gp.hcl:37,20"},
		{node("route.by").Place("rule[1].where", 0, 1), "b", "t.gp.hcl:68,15"},
		{node("route.by").Place("rule[1].nope", 0, 1), "rule", "t.gp.hcl:67,3"},
	} {
		if text(c.got) != c.want || c.got.String() != c.at {
			t.Errorf("%s is %q, want %q at %s", c.got, text(c.got), c.want, c.at)
		}
	}
}
