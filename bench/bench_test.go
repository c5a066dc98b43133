package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/load"
)

// TestPipelines: what is measured is in order, so that a change of the language
// is seen here and not at the next measurement.
func TestPipelines(t *testing.T) {
	r, err := gpflow.NewRegistry(append(operators.Builtin(), &drop, &hop, &tally, dueSource(nil), new(latencySink).descriptor())...)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"small": small, "hops": hopsHead + dueHops + timeHops, "pause": pausePipeline, "recovery": recoveryPipeline}
	for _, j := range jobs() {
		all[j.name] = j.pipeline
		if j.generator != "" {
			all[j.name+" generator"] = j.generator
		}
	}
	for _, d := range durables() {
		all[d.name] = d.pipeline
		if d.generator != "" {
			all[d.name+" generator"] = d.generator
		}
	}
	for _, p := range paths() {
		all["heap of "+p.name] = p.pipeline
	}
	for name, text := range all {
		path := filepath.Join(t.TempDir(), "p.gp.hcl")
		if err := spell(path, text, "DIR", "/data", "OUT", "/out", "COUNT", "10", "PARALLELISM", "2", "EVERY", "1s", "KEY", "i"); err != nil {
			t.Fatal(err)
		}
		p, list := load.Load([]string{path}, load.Options{Registry: r})
		if p != nil {
			_, more := compiler.Compile(p, compiler.Options{})
			list = append(list, more...)
		}
		if list.HasErrors() {
			t.Errorf("%s: %v", name, complain(list))
		}
	}
}

// TestOrders: they are the same each time, in both forms, and as large as the
// page says.
func TestOrders(t *testing.T) {
	const n = 1000
	var first, second, csv []byte
	eachOrder(n, false, func(o *order) { first, csv = o.appendJSON(first), o.appendCSV(csv) })
	eachOrder(n, false, func(o *order) { second = o.appendJSON(second) })
	if !bytes.Equal(first, second) {
		t.Error("the orders differ from one time to the next")
	}
	if size := len(first) / n; size < 160 || size > 180 {
		t.Errorf("an order has %d bytes, want about 170", size)
	}
	if got := bytes.Count(csv, []byte("\n")); got != n || strings.Count(csvHeader, ",") != 8 {
		t.Errorf("%d lines of CSV with %q", got, csvHeader)
	}
	late := int64(0)
	eachOrder(n, true, func(o *order) { late = max(late, epoch+disorder+o.id-1-o.milliseconds) })
	if late < disorder/2 || late >= disorder {
		t.Errorf("orders are out of order by %d ms", late)
	}
}

func TestRatios(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ratios.json")
	was := []figure{{Name: "a", Hand: 1, Naive: 10}, {Name: "b", Hand: 2}, {Name: "c", Median: 3}}
	if err := writeJSON(path, ratiosOf(was)); err != nil {
		t.Fatal(err)
	}
	kept, err := readRatios(path)
	if err != nil {
		t.Fatal(err)
	}
	if worse := losses(kept, []figure{{Name: "a", Hand: 0.86, Naive: 11}, {Name: "c"}, {Name: "new", Hand: 1}}); worse != nil {
		t.Error(worse)
	}
	worse := losses(kept, []figure{{Name: "a", Hand: 1, Naive: 8.4}, {Name: "b", Hand: 1.6}})
	if len(worse) != 2 || !strings.Contains(worse[0].Error(), "a: 8.40 times") || !strings.Contains(worse[1].Error(), "b: 1.60 times") {
		t.Errorf("what got slower: %v", worse)
	}
	if _, err := readRatios(path + "x"); err == nil || !strings.Contains(err.Error(), "-update") {
		t.Errorf("without a file: %v", err)
	}
}

func TestTable(t *testing.T) {
	got := table([]figure{
		newFigure("x", "records", "M/CPU-s", []float64{3, 1, 2}).atLeast(2),
		newFigure("y", "latency", "ms", []float64{0.5, 0.25}).atMost(0.1),
	})
	for _, want := range []string{"2.00", "1.00 - 3.00", ">= 2.00  met", "0.375", "0.250 - 0.500", "< 0.100  MISSED"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
}

// TestKeptRatios: the file has every job that has a yardstick.
func TestKeptRatios(t *testing.T) {
	data, err := os.ReadFile("ratios.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs() {
		if !bytes.Contains(data, []byte(`"`+j.name+`"`)) {
			t.Errorf("ratios.json has no %s; make bench-check BENCH=-update writes it", j.name)
		}
	}
}
