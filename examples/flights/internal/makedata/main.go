// Command makedata turns flights-20k.json of the npm package vega-datasets
// into the example's input: one JSON object a line, a little out of order, with
// a few late and a few broken records, compressed.
//
// Its output depends on its input alone. The random numbers come from a PCG
// generator with a written seed, and the compressor is the one that go.mod
// pins.
//
//	makedata flights-20k.json flights.jsonl.gz
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"
)

const (
	// seed starts the generator that shuffles and plants.
	seed = 2001
	// horizon is how much earlier than the latest record before it a record
	// can be, unless it is one of the late ones.
	horizon = 2 * time.Hour
	// layout is how the data writes a date.
	layout = "2006/01/02 15:04"
)

// lateness says how much later than at its own time each late record comes.
var lateness = []time.Duration{50 * time.Hour, 72 * time.Hour, 5 * 24 * time.Hour, 9 * 24 * time.Hour, 30 * 24 * time.Hour}

// broken are the planted lines that are not flights.
var broken = []string{
	`{"date":"2001/01/09 16:40","delay":12,"dist`,
	`{"date":"2001/01/20 07:15","delay":"twelve","distance":733,"origin":"ATL","destination":"LGA"}`,
	`{"delay":-3,"distance":1235,"origin":"DFW","destination":"LAX"}`,
	`{"date":"2001/13/01 10:00","delay":0,"distance":606,"origin":"ORD","destination":"ATL"}`,
	`2001/02/14 11:20,14,733,ATL,LGA`,
	`{"date":"2001/03/01 18:05","delay":7.5,"distance":337,"origin":"SFO","destination":"LAX"}`,
	`{"date":"2001/03/12 06:30","delay":4,"distance":null,"origin":"PHX","destination":"LAS"}`,
}

// record is a line of the output, and the time by which it is ordered.
type record struct {
	line []byte
	at   time.Time
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: makedata flights-20k.json flights.jsonl.gz")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "makedata:", err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	text, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	records, err := read(text)
	if err != nil {
		return fmt.Errorf("reading %s: %w", in, err)
	}
	random := rand.NewPCG(seed, 0)
	below := func(n int) int { return int(random.Uint64() % uint64(n)) }
	shuffle(records, below)
	plantLate(records, below)
	slices.SortStableFunc(records, func(a, b record) int { return a.at.Compare(b.at) })
	lines := plantBroken(records)
	data, err := compress(lines)
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// read splits the JSON array into its objects, each as it is written there.
func read(text []byte) ([]record, error) {
	var raws []json.RawMessage
	if err := json.Unmarshal(text, &raws); err != nil {
		return nil, err
	}
	records := make([]record, len(raws))
	for i, raw := range raws {
		var flight struct{ Date string }
		if err := json.Unmarshal(raw, &flight); err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
		at, err := time.Parse(layout, flight.Date)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", i, err)
		}
		records[i] = record{raw, at}
	}
	return records, nil
}

// shuffle delays every record by less than the horizon. In the order of the
// delayed times, a record that comes after another one is then earlier than it
// by less than the horizon.
func shuffle(records []record, below func(int) int) {
	for i := range records {
		records[i].at = records[i].at.Add(time.Duration(below(int(horizon/time.Second))) * time.Second)
	}
}

// plantLate delays a few records by days. Each is taken from an equal stretch
// of the first half of the data, so that there is something left to be late
// for.
func plantLate(records []record, below func(int) int) {
	stretch := len(records) / 2 / len(lateness)
	for i, d := range lateness {
		r := &records[i*stretch+below(stretch)]
		r.at = r.at.Add(d)
	}
}

// plantBroken returns the lines with the broken ones at equal distances.
func plantBroken(records []record) [][]byte {
	lines := make([][]byte, 0, len(records)+len(broken))
	stretch := len(records) / (len(broken) + 1)
	for i, r := range records {
		if n := i / stretch; i%stretch == 0 && n >= 1 && n <= len(broken) {
			lines = append(lines, []byte(broken[n-1]))
		}
		lines = append(lines, r.line)
	}
	return lines
}

// compress returns the lines, each ended by a line feed, as one gzip member
// without a name and a time.
func compress(lines [][]byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(append(bytes.Join(lines, []byte("\n")), '\n')); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
