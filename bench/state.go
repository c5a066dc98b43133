package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/state"
)

// The measurements of keyed state by itself.
const (
	stateGroups = 1024
	freezes     = 500
	largeBytes  = 1_000_000_000
	largeText   = 64 // bytes of text in each row of the large state
)

// kept is what the part "state" says.
type kept struct {
	Freeze  float64 `json:"freeze"`  // milliseconds, p99
	Delta   float64 `json:"delta"`   // percent of the bytes of a full segment, median
	Million float64 `json:"million"` // MB a CPU-second of the restore of manyKeys
}

// large is what the part "large" says.
type large struct {
	Bytes int     `json:"bytes"`
	Keys  int     `json:"keys"`
	Speed float64 `json:"speed"` // MB a CPU-second of a restore
	Wall  float64 `json:"wall"`  // seconds
}

// keyedState measures the tables of keyed state, in processes of their own.
func (l *lab) keyedState() ([]figure, error) {
	if !l.jobs.MatchString("state") {
		return nil, nil
	}
	trials := []*trial{
		{name: "state", argv: []string{l.self, "state"}, check: func(stdout, _ []byte) (any, error) { return said[kept](stdout) }},
		{name: "large", argv: []string{l.self, "large"}, check: func(stdout, _ []byte) (any, error) { return said[large](stdout) }},
	}
	samples := make(map[string][]sample)
	if err := rounds(trials, l.runs, samples); err != nil {
		return nil, err
	}
	small := func(of func(kept) float64) []float64 {
		return each(l.runs, func(i int) float64 { return of(samples["state"][i].got.(kept)) })
	}
	big := each(l.runs, func(i int) float64 { return samples["large"][i].got.(large).Speed })
	all := []figure{
		newFigure("state-freeze", "freeze of 1 M keys, p99", "ms", small(func(k kept) float64 { return k.Freeze })).atMost(1),
		newFigure("state-delta", "checkpoint of 1 M keys with 1 % touched at random, against a full one", "% bytes",
			small(func(k kept) float64 { return k.Delta })).atMost(5),
		newFigure("state-large", "restore of 1 GB of state, on one core", "MB/CPU-s", big).atLeast(300),
		newFigure("state-million", "  of 1 M keys with two numbers each", "MB/CPU-s", small(func(k kept) float64 { return k.Million })),
	}
	first := samples["large"][0].got.(large)
	wall := median(each(l.runs, func(i int) float64 { return samples["large"][i].got.(large).Wall }))
	all[2].Note = fmt.Sprintf("%.1f M keys, in %.1f s by the clock", float64(first.Keys)/million, wall)
	return all, nil
}

// tables is keyed state that is filled and compared here.
type tables struct {
	desc  gpflow.StateDescriptor
	state *state.Memory
	panes gpflow.Panes
	keyer gpflow.Keyer
	key   []byte
}

func newTables(value ...gpflow.Column) (*tables, error) {
	key := gpflow.NewSchema(gpflow.Column{Name: "key", Type: gpflow.T(gpflow.KindInt)})
	t := &tables{desc: gpflow.StateDescriptor{Name: "counts", Kind: "panes", Version: 1, Key: key, Value: gpflow.NewSchema(value...)}}
	var err error
	if t.keyer, err = gpflow.NewKeyer(key, []string{"key"}); err != nil {
		return nil, err
	}
	return t, t.empty()
}

// empty begins anew.
func (t *tables) empty() (err error) {
	if t.state, err = state.New(stateGroups, 0, stateGroups, []gpflow.StateDescriptor{t.desc}); err == nil {
		t.panes = t.state.Panes(t.desc.Name)
	}
	return err
}

// row returns the row of a key.
func (t *tables) row(key int64) []gpflow.Value {
	t.key = t.keyer.Append(t.key[:0], []gpflow.Value{gpflow.Int(key)})
	row, _ := t.panes.Upsert(0, t.key, gpflow.HashKey(t.key))
	return row
}

// restore reads segments into an empty table, and returns the CPU time and the
// time that it has taken.
func (t *tables) restore(segments ...[]byte) (spent, wall float64, err error) {
	if err := t.empty(); err != nil {
		return 0, 0, err
	}
	runtime.GC()
	began, before := time.Now(), cpu()
	err = t.state.Restore(segments)
	return cpu() - before, time.Since(began).Seconds(), err
}

var numbers = []gpflow.Column{{Name: "n", Type: gpflow.T(gpflow.KindInt)}, {Name: "sum", Type: gpflow.T(gpflow.KindInt)}}

// statePart freezes a table of manyKeys again and again, 1 % of them being
// written in between, and restores what it has saved.
//
//	state
func statePart([]string) error {
	t, err := newTables(numbers...)
	if err != nil {
		return err
	}
	sums := make([]int64, manyKeys)
	write := func(k int64) {
		sums[k]++
		row := t.row(k)
		row[0], row[1] = gpflow.Int(sums[k]), gpflow.Int(sums[k]*k)
	}
	for k := range int64(manyKeys) {
		write(k)
	}
	var times []time.Duration
	var shares []float64
	var saved [][]byte
	full, next := 0, int64(0)
	for range freezes {
		began := time.Now()
		f := t.state.Freeze(false)
		times = append(times, time.Since(began))
		segment, err := f.Encode()
		f.Release()
		if err != nil {
			return err
		}
		t.state.Completed(f)
		if f.Delta() {
			shares = append(shares, 100*float64(len(segment))/float64(full))
			saved = append(saved, segment)
		} else {
			full, saved = len(segment), [][]byte{segment}
		}
		for range manyKeys / 100 {
			write(hashInt(next) % manyKeys)
			next++
		}
	}
	for range manyKeys / 100 { // these are in no checkpoint
		next--
		sums[hashInt(next)%manyKeys]--
	}
	slices.Sort(times)
	spent, _, err := t.restore(saved...)
	if err != nil {
		return err
	}
	for k, n := range sums {
		if row := t.row(int64(k)); row[0].Int() != n || row[1].Int() != n*int64(k) {
			return fmt.Errorf("key %d has %d, %d after the restore, want %d, %d", k, row[0].Int(), row[1].Int(), n, n*int64(k))
		}
	}
	bytes := 0
	for _, s := range saved {
		bytes += len(s)
	}
	return say(kept{quantile(times, 0.99), median(shares), float64(bytes) / million / spent})
}

// largePart restores a segment of a gigabyte: counts, sums and a text.
//
//	large
func largePart([]string) error {
	t, err := newTables(append(slices.Clone(numbers), gpflow.Column{Name: "last", Type: gpflow.T(gpflow.KindString)})...)
	if err != nil {
		return err
	}
	const row = 2 + 8 + 2 + 5 + 2 + largeText // bytes of one in a segment, about
	text := strings.Repeat("a text of some length, as people write them; ", 2)[:largeText]
	keys := int64(largeBytes / row)
	for k := range keys {
		r := t.row(k)
		r[0], r[1], r[2] = gpflow.Int(1), gpflow.Int(hashInt(k)>>24), gpflow.String(text)
	}
	f := t.state.Freeze(true)
	segment, err := f.Encode()
	f.Release()
	if err != nil {
		return err
	}
	if len(segment) < largeBytes*9/10 {
		return fmt.Errorf("the segment has %d bytes, want about %d", len(segment), largeBytes)
	}
	spent, wall, err := t.restore(segment)
	if err != nil {
		return err
	}
	if n := t.panes.Len(0); n != int(keys) {
		return fmt.Errorf("%d keys are restored, want %d", n, keys)
	}
	for k := range keys {
		if r := t.row(k); r[0].Int() != 1 || r[1].Int() != hashInt(k)>>24 || string(r[2].Bytes()) != text {
			return errors.New("what was restored is not what was saved")
		}
	}
	return say(large{len(segment), int(keys), float64(len(segment)) / million / spent, wall})
}
