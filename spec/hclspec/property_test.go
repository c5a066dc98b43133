package hclspec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/spectest"
)

// Maps, schemas and expression maps keep the order of the text.
func TestOrderIsKept(t *testing.T) {
	r := spectest.Registry(t)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z_][a-zA-Z0-9_]{0,6}`), 1, 12, rapid.ID[string]).Draw(t, "names")
		names = slices.DeleteFunc(names, func(s string) bool { return slices.Contains([]string{"null", "true", "false", "for", "if", "in"}, s) })
		var types, exprs strings.Builder
		for _, n := range names {
			fmt.Fprintf(&types, "    %s = int\n", n)
			fmt.Fprintf(&exprs, "    %s = \"%s\"\n", n, n)
		}
		src := "pipeline \"p\" {\n  labels = {\n" + exprs.String() + "  }\n}\nschema \"s\" {\n" + types.String() +
			"  last = int\n}\nsource \"file\" \"a\" {\n  path = \"x\"\n  schema = schema.s\n}\nmap \"m\" {\n  from = source.a\n  select = {\n" +
			exprs.String() + "  last = \"last\"\n  }\n}\n"
		p, ds := Parse("t", []byte(src), Options{Registry: r})
		if len(ds) > 0 {
			if slices.Contains(names, "last") {
				return
			}
			t.Fatal(spectest.Show(ds, map[string][]byte{"t": []byte(src)}))
		}
		var labels, selected []string
		for _, l := range p.Settings.Pairs("labels") {
			labels = append(labels, l.Key)
		}
		for _, e := range p.Node("map.m").Config.Exprs("select") {
			selected = append(selected, e.Name)
		}
		columns := p.Node("source.a").Config.Schema("schema").Names()
		all := append(slices.Clone(names), "last")
		if !slices.Equal(labels, names) || !slices.Equal(selected, all) || !slices.Equal(columns, all) {
			t.Fatalf("labels %v, select %v, columns %v of\n%s", labels, selected, columns, src)
		}
	})
}

// tokens are what a mutation puts into a specification.
var tokens = []string{
	"", "{", "}", "[", "]", "(", ")", "\"", "=", ",", ".", "\n", "${", "%{", "<<E\n", "null", "true", "0", "1.5", "-", "*", "/", "...", "var.min", "local.bots",
	"local", "source", "schema", "optional(", "list(", "{}", "[]", "\"x\"", "x", "é", "\xff", "#", "?", ":", "for", "source.orders", "upper(", "[*]", "=>", "//", "\x00",
}

// Whatever is done to a specification, it is read without a panic, every
// diagnostic has a code and lies within the text, and an intact node keeps its
// inputs in the order of its descriptor.
func TestMutations(t *testing.T) {
	r := spectest.Registry(t)
	rapid.Check(t, func(t *rapid.T) {
		src := whole
		for range rapid.IntRange(1, 3).Draw(t, "mutations") {
			from := rapid.IntRange(0, len(src)).Draw(t, "from")
			to := min(len(src), from+rapid.IntRange(0, 12).Draw(t, "length"))
			src = src[:from] + rapid.SampledFrom(tokens).Draw(t, "token") + src[to:]
		}
		p, ds := Parse("t", []byte(src), Options{Registry: r, Vars: []string{"min=3"}})
		spectest.CheckReported(t, p != nil, ds, src)
		if p == nil {
			return
		}
		for _, n := range p.Nodes {
			if n.Descriptor == nil || len(n.Inputs) != len(n.Descriptor.InputFields()) {
				t.Fatalf("%s has inputs %v", n.Address(), n.Inputs)
			}
			for path := range n.Fields {
				if at := n.Place(path, 0, 1); at.File != "t" || at.Start.Line == 0 {
					t.Fatalf("%s: %s is at %v", n.Address(), path, at)
				}
			}
			if len(n.Wrong) == 0 && !ds.HasErrors() {
				if err := roundTrip(n.Descriptor, n.Config); err != nil {
					t.Fatalf("%s: %v in\n%s", n.Address(), err, src)
				}
			}
		}
	})
}

// roundTrip checks that the values of a configuration are of the types that
// the kinds of the fields promise.
func roundTrip(d *gpflow.Descriptor, c gpflow.Config) error {
	data, err := c.MarshalJSON()
	if err != nil {
		return err
	}
	back, err := gpflow.DecodeConfig(d.AllFields(), data)
	if err != nil {
		return err
	}
	again, err := back.MarshalJSON()
	if err == nil && string(again) != string(data) {
		err = fmt.Errorf("%s comes back as %s", data, again)
	}
	return err
}

// One mistake makes one diagnostic, wherever the broken name is used.
func TestOneMistakeOneDiagnostic(t *testing.T) {
	for _, c := range []struct{ old, now string }{
		{`default = 5`, `default = "five"`},
		{`once  = 21`, `once  = 21 + "x"`},
		{`user  = string`, `user  = strin`},
		{`schema "order"`, `schema "Order"`},
		{`schema "order"`, `shema "order"`},
		{`schema "order"`, `schema`},
		{`variable "min"`, `varable "min"`},
		{`variable "min"`, `variable`},
		{`source "file" "orders"`, `source "orders"`},
		{`source "file" "orders"`, `source "fil" "orders"`},
		{`window "tumbling"`, `windw "tumbling"`},
		{`path       = `, `pth        = `},
		{`where = "price > var.min"`, `where = price`},
		{`aggregate = {`, `aggregat = {`},
		{`size   = "1h"`, `size   = 1`},
		{`event_time {`, `event_tim {`},
		{`pipeline "orders" {`, `pipelin "orders" {`},
		{`pipeline "orders" {`, `pipeline {`},
		{`rule { where = "a" }`, `rule "x" { where = "a" }`},
		{`from = filter.big`, `frm = filter.big`},
		{`left  = filter.big.errors`, `left  = "filter.big"`},
		{`on_error    = "skip"`, `on_error    = skp`},
		{`locals {`, `local {`},
	} {
		if !strings.Contains(whole, c.old) {
			t.Fatalf("%q is not in the specification", c.old)
		}
		src := strings.Replace(whole, c.old, c.now, 1)
		src = strings.Replace(src, `lower("ORDERS")`, `lower("${local.once}")`, 1)
		src = strings.Replace(src, `key_by = ["user"]`, `key_by = ["${var.min}"]`, 1)
		_, ds := Parse("t", []byte(src), Options{Registry: spectest.Registry(t)})
		if len(ds) != 1 || ds[0].Severity != diag.Error {
			t.Errorf("%s -> %s:\n%s", c.old, c.now, spectest.Show(ds, map[string][]byte{"t": []byte(src)}))
		}
	}
}

// TestWrongFields: the fields that are missing or wrong are known, and what
// stands beside the fields makes none of them wrong.
func TestWrongFields(t *testing.T) {
	for body, wrong := range map[string]string{
		`where = "x"`:                                  "",
		"where = \"x\"\n  lateness = 5":                "",
		"where = \"x\"\n  lateness {}":                 "",
		"where = \"x\"\n  paralelism = 5":              "parallelism",
		"where = \"x\"\n  limit = 5":                   "on_error", // belongs into it
		"where = \"x\"\n  on_error = \"ignore\"":       "on_error",
		"where = \"x\"\n  description = var.missing":   "description",
		"where = \"x\"\n  on_error {\n  action = 5\n}": "on_error on_error.action",
		`whree = "x"`:                                  "where",
		"":                                             "where",
		"where = \"x\"\n  parallelism = local.wrong":   "parallelism",
		"chain = 5\n  chain = 6":                       "chain where",
		"where { }\n  parallelism = \"x\"":             "parallelism where",
	} {
		src := "pipeline \"p\" {}\nlocals {\n  wrong = 1 / 0\n}\nfilter \"f\" {\n  from = source.a\n  " + body + "\n}\n"
		p, ds := Parse("t", []byte(src), Options{Registry: spectest.Registry(t)})
		n := p.Node("filter.f")
		if got := strings.Join(slices.Sorted(maps.Keys(n.Wrong)), " "); got != wrong || n.Broken {
			t.Errorf("%s: wrong are %q, want %q\n%s", body, got, wrong, spectest.Show(ds, nil))
		}
	}
}
