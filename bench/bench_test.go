package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	all := map[string]string{"small": small, "hops": hopsHead + dueHops + timeHops, "pause": pausePipeline, "recovery": recoveryPipeline, "resident": residentPipeline, "spill": spillPipeline}
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
		if err := spell(path, text, "DIR", "/data", "OUT", "/out", "COUNT", "10", "PARALLELISM", "2", "EVERY", "1s", "KEY", "i", "TEXT", spillText, "SPAN", "10", "MEMORY", "1MiB"); err != nil {
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

func TestOverhead(t *testing.T) {
	run := func(cpu float64, checkpoints int) sample { return sample{usage: usage{CPU: cpu}, got: checkpoints} }
	d := durable{job{name: "x", title: "a job"}, 5}
	samples := map[string][]sample{
		"x/" + everySecond: {run(10.4, 4), run(11, 4), run(9.9, 5)}, "x/" + never: {run(10, 1), run(10, 1), run(10, 1)},
		"x" + byGenerator: {run(5, 0)},
	}
	f, err := d.overhead(samples)
	if err != nil || number(f.Median) != "4.00" || number(f.Min) != "-1.00" || f.met() != "met" || !strings.Contains(f.Note, "records -2.0 %") {
		t.Errorf("%+v, %v", f, err)
	}
	samples["x/"+everySecond] = []sample{run(1, 2)}
	if _, err := d.overhead(samples); err == nil {
		t.Error("two checkpoints are enough")
	}
}

// TestLongest: what is long at one time of many does not count, at two it does.
func TestLongest(t *testing.T) {
	perCheckpoint := int(pauseRate * pauseEvery.Seconds())
	spans := make([]time.Duration, 200*perCheckpoint)
	spans[5] = 9 * time.Millisecond
	spans[7] = 8 * time.Millisecond
	spans[60*perCheckpoint] = 7 * time.Millisecond
	spans[70*perCheckpoint] = 3 * time.Millisecond
	if got := longest(spans); got != 3 {
		t.Errorf("the longest is %v", got)
	}
}

// TestHeavy: the output of the resident job is complete, or is refused.
func TestHeavy(t *testing.T) {
	var all bytes.Buffer
	const files, records = 2, 3
	for range files {
		for key := range records {
			fmt.Fprintf(&all, `{"key":%d,"text":"%s"}`+"\n", key, heavyText(key))
		}
	}
	if err := checkHeavy(bytes.NewReader(all.Bytes()), files, records); err != nil {
		t.Error(err)
	}
	lines := bytes.SplitAfter(all.Bytes(), []byte("\n"))
	if err := checkHeavy(bytes.NewReader(bytes.Join(lines[1:], nil)), files, records); err == nil || !strings.Contains(err.Error(), "record 0 was put out 1 times") {
		t.Errorf("a record is missing: %v", err)
	}
	if err := checkHeavy(strings.NewReader(`{"key":1,"text":"1"}`+"\n"), files, records); err == nil {
		t.Error("another record is taken")
	}
	log := `{"msg":"start","in_flight_at_most":12}`
	if most, err := inFlight([]byte(log)); most != 12 || err != nil {
		t.Errorf("%d is in flight, %v", most, err)
	}
	if _, err := inFlight(nil); err == nil {
		t.Error("a log that says nothing is taken")
	}
}
