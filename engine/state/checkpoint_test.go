package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
	"github.com/gpflow/gpflow/engine/state/oracle"
)

// draw gives a number from lo to hi.
type draw func(what string, lo, hi int) int

// world is a node of several subtasks, what a keeper has of its checkpoints, and
// what all that has to be equal to.
type world struct {
	draw     draw
	bug      Bug
	budget   *Budget // nil: everything stays in memory
	groups   int
	desc     gpflow.StateDescriptor
	subtasks []*Memory
	now      *oracle.Store
	open     []*snapshot // in order
	chains   [][][]byte  // of the last completed checkpoint, by subtask
	saved    *oracle.Store
	serial   int
}

type snapshot struct {
	frozen   []*Frozen
	segments [][][]byte // by subtask, the pieces; nil until encoded
	state    *oracle.Store
}

// everyKind declares a column of each kind.
func everyKind() gpflow.StateDescriptor {
	kinds := []gpflow.Type{
		gpflow.T(gpflow.KindInt), gpflow.T(gpflow.KindFloat), gpflow.T(gpflow.KindBool), gpflow.T(gpflow.KindTimestamp),
		gpflow.T(gpflow.KindDuration), gpflow.T(gpflow.KindString), gpflow.T(gpflow.KindBytes),
		gpflow.ListOf(gpflow.T(gpflow.KindString)), gpflow.MapOf(gpflow.T(gpflow.KindInt)), gpflow.T(gpflow.KindAny),
	}
	var cols []gpflow.Column
	for i, t := range kinds {
		cols = append(cols, gpflow.Column{Name: fmt.Sprint("c", i), Type: t.Opt()})
	}
	key := gpflow.NewSchema(gpflow.Column{Name: "k", Type: gpflow.T(gpflow.KindInt)})
	return gpflow.StateDescriptor{Name: "every", Kind: "panes", Key: key, Value: gpflow.NewSchema(cols...), Version: 3}
}

// valuesOf returns a row of everyKind that is a function of n.
func valuesOf(n int) []gpflow.Value {
	text := strings.Repeat("é", n%9) + fmt.Sprint(n)
	row := []gpflow.Value{
		gpflow.Int(int64(n) * 0x0123_4567_89AB * int64(1-n%3)), gpflow.Float(float64(n) / 7), gpflow.Bool(n%2 == 0),
		gpflow.Time(gpflow.Timestamp(-n) << 40), gpflow.Span(gpflow.Duration(n)), gpflow.String(text),
		gpflow.Bytes([]byte(text)[:n%2]), gpflow.List([]gpflow.Value{gpflow.String(text), gpflow.Null, gpflow.String("")}),
		gpflow.Map([]gpflow.Entry{{Key: text, Value: gpflow.Int(int64(n))}, {Key: "", Value: gpflow.Null}}), gpflow.Null,
	}
	row[9] = row[n%10]
	if n%5 == 0 {
		row[n%7], row[8] = gpflow.Null, gpflow.Map(nil)
	}
	return row
}

func textOf(row []gpflow.Value) string {
	var b []byte
	for _, v := range row {
		b = appendText(b, textOfValue(v))
	}
	return string(b)
}

func textOfValue(v gpflow.Value) string {
	b := []byte{byte(v.Kind())}
	switch v.Kind() {
	case gpflow.KindString, gpflow.KindBytes:
		b = append(b, v.Bytes()...)
	case gpflow.KindList:
		for _, e := range v.List() {
			b = appendText(b, textOfValue(e))
		}
	case gpflow.KindMap:
		for _, e := range v.Map() {
			b = appendText(appendText(b, e.Key), textOfValue(e.Value))
		}
	default:
		b = binary.BigEndian.AppendUint64(b, uint64(v.Int()))
	}
	return string(b)
}

func (w *world) group(key string) int { return keygroup.Of(gpflow.HashKey([]byte(key)), w.groups) }

func (w *world) start(parallelism int) (subtasks []*Memory, err error) {
	for i := range parallelism {
		from, to := keygroup.Range(i, w.groups, parallelism)
		m, err := New(w.groups, from, to, []gpflow.StateDescriptor{w.desc})
		if err != nil {
			return nil, err
		}
		if w.budget != nil {
			m.Limit(w.budget)
			m.evictor.limits = drawnLimits(w.draw)
		}
		m.Plant(w.bug)
		subtasks = append(subtasks, m)
	}
	return subtasks, nil
}

func (w *world) upsert(at, k int) error {
	w.serial++
	key := string(intKey(nil, uint64(k)))
	hash := gpflow.HashKey([]byte(key))
	m := w.subtasks[keygroup.Owner(w.group(key), w.groups, len(w.subtasks))]
	row, fresh := m.Panes("every").Upsert(gpflow.Timestamp(at), []byte(key), hash)
	old, known := w.now.Get(int64(at), key)
	if fresh == known || known && textOf(row) != old {
		return fmt.Errorf("pane %d, key %d: fresh %v, row %s, want %s", at, k, fresh, textOf(row), old)
	}
	copy(row, valuesOf(w.serial))
	w.now.Set(int64(at), key, textOf(row))
	return nil
}

func (w *world) freeze(full bool) {
	s := &snapshot{state: w.now.Clone()}
	for _, m := range w.subtasks {
		s.frozen = append(s.frozen, m.Freeze(full))
	}
	w.open = append(w.open, s)
}

// encode encodes a snapshot, whole or in pieces of a size.
func (s *snapshot) encode(size int) error {
	if s.segments != nil {
		return nil
	}
	for _, f := range s.frozen {
		var pieces [][]byte
		var err error
		if size > 0 {
			err = f.Pieces(size, headless, func(b []byte) error {
				pieces = append(pieces, bytes.Clone(b))
				return nil
			})
		} else {
			pieces = make([][]byte, 1)
			pieces[0], err = f.Encode()
		}
		if err != nil {
			return err
		}
		s.segments = append(s.segments, pieces)
		f.Release()
	}
	return nil
}

// complete completes checkpoint i, and with it those before.
func (w *world) complete(i int) error {
	s := w.open[i]
	if err := s.encode(w.draw("size", 0, 3) * 1000); err != nil {
		return err
	}
	if w.chains == nil {
		w.chains = make([][][]byte, len(w.subtasks))
	}
	for j, f := range s.frozen {
		if !f.Delta() {
			w.chains[j] = nil
		}
		w.chains[j] = append(w.chains[j], s.segments[j]...)
		w.subtasks[j].Completed(f)
	}
	for _, before := range w.open[:i] {
		before.release()
	}
	w.open, w.saved = w.open[i+1:], s.state
	if w.draw("look", 0, 1) == 1 {
		subtasks, err := w.restored(w.draw("parallelism", 1, 4))
		for _, m := range subtasks {
			m.Leave()
		}
		return err
	}
	return nil
}

func (s *snapshot) release() {
	for _, f := range s.frozen {
		f.Release()
	}
}

func (w *world) abort(i int) {
	for j, f := range w.open[i].frozen {
		w.subtasks[j].Aborted(f)
	}
	w.open[i].release()
	w.open = append(w.open[:i:i], w.open[i+1:]...)
}

// leave gives up the subtasks.
func (w *world) leave() {
	for _, s := range w.open {
		s.release()
	}
	for _, m := range w.subtasks {
		m.Leave()
	}
}

// restored returns the subtasks as the last completed checkpoint has them.
func (w *world) restored(parallelism int) ([]*Memory, error) {
	subtasks, err := w.start(parallelism)
	if err != nil {
		return nil, err
	}
	for _, m := range subtasks {
		for _, chain := range w.chains {
			if err := m.Restore(chain); err != nil {
				return nil, err
			}
		}
		if parallelism != len(w.chains) {
			m.Rebase()
		}
	}
	if err := w.looked(); err != nil {
		return nil, err
	}
	return subtasks, w.compare(subtasks, w.saved)
}

// restore goes on from the last completed checkpoint.
func (w *world) restore(parallelism int) error {
	if w.saved == nil {
		return nil
	}
	w.leave()
	subtasks, err := w.restored(parallelism)
	w.subtasks, w.now, w.open = subtasks, w.saved.Clone(), nil
	if err != nil || parallelism == len(w.chains) {
		return err
	}
	w.chains, w.saved = nil, nil
	w.freeze(false)
	for _, f := range w.open[0].frozen {
		if f.Delta() {
			return fmt.Errorf("the first checkpoint after a restore at another parallelism is a delta")
		}
	}
	return w.complete(0)
}

// compare compares everything with the oracle.
func (w *world) compare(subtasks []*Memory, with *oracle.Store) error {
	for _, at := range with.Panes() {
		var got []oracle.Entry
		for _, m := range subtasks {
			var c gpflow.Cursor
			for {
				next, key, row, ok := m.Panes("every").Next(gpflow.Timestamp(at), c)
				if !ok {
					break
				}
				got = append(got, oracle.Entry{Key: string(key), Row: textOf(row)})
				c = next
			}
		}
		want := with.Walk(at, w.group)
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				return fmt.Errorf("pane %d has %d entries, want %d; entry %d differs", at, len(got), len(want), i)
			}
		}
	}
	for _, m := range subtasks {
		for _, p := range m.panes[0].panes {
			if !slices.Contains(with.Panes(), int64(p.at)) {
				return fmt.Errorf("pane %d is there, and should not be", p.at)
			}
		}
		if m.Bytes() < 0 {
			return fmt.Errorf("a negative size")
		}
	}
	return nil
}

func (w *world) step() error {
	switch d := w.draw; d("what", -1, 11) {
	case -1:
		for _, m := range w.subtasks {
			if err := evictSome(m, d("bytes", 1, 20_000), d("step", 0, 20_000)); err != nil {
				return err
			}
		}
	case 0:
		at := d("pane", 0, 3)
		for _, m := range w.subtasks {
			m.Panes("every").Drop(gpflow.Timestamp(at))
		}
		w.now.Drop(int64(at))
	case 1, 2:
		if len(w.open) < 4 {
			w.freeze(d("full", 0, 9) == 0)
		}
	case 3:
		if len(w.open) > 0 {
			return w.open[d("which", 0, len(w.open)-1)].encode(d("size", 0, 3) * 1000)
		}
	case 4, 5:
		if len(w.open) > 0 {
			return w.complete(d("which", 0, len(w.open)-1))
		}
	case 6:
		if len(w.open) > 0 {
			w.abort(d("which", 0, len(w.open)-1))
		}
	case 7:
		p := len(w.subtasks)
		if d("rescale", 0, 1) == 1 {
			p = d("parallelism", 1, min(4, w.groups))
		}
		return w.restore(p)
	default:
		at, from := d("pane", 0, 3), d("key", 0, 300)
		stride := d("stride", 0, 20)
		for i := range d("updates", 1, 100) {
			if err := w.upsert(at, from+i*stride); err != nil {
				return err
			}
		}
	}
	return nil
}

// play lets random things happen to a world, and returns what went wrong.
func play(d draw, bug Bug, budget *Budget, steps int) error {
	w := &world{draw: d, bug: bug, budget: budget, groups: []int{4, 7, 64, 1024}[d("groups", 0, 3)], desc: everyKind(), now: oracle.New()}
	var err error
	if w.subtasks, err = w.start(d("parallelism", 1, 4)); err != nil {
		return err
	}
	defer func() { w.leave() }()
	for range steps {
		if err := w.step(); err != nil {
			return err
		}
	}
	if err := w.compare(w.subtasks, w.now); err != nil {
		return err
	}
	return w.restore(d("parallelism", 1, 4))
}

// What is restored is what was there when the checkpoint was made, whatever else
// happened before and after.
func TestCheckpointsEqualMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := func(what string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, what) }
		if err := play(d, NoBug, nil, d("steps", 1, 40)); err != nil {
			t.Fatal(err)
		}
	})
}

// So it is where tables are evicted at any time.
func TestSpilledCheckpointsEqualMaps(t *testing.T) {
	budget := tiny(t)
	rapid.Check(t, func(t *rapid.T) {
		d := func(what string, lo, hi int) int { return rapid.IntRange(lo, hi).Draw(t, what) }
		if err := play(d, NoBug, budget, d("steps", 1, 40)); err != nil {
			t.Fatal(err)
		}
	})
}
