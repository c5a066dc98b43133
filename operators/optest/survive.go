package optest

import (
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// groups is the number of key groups of a job that is gone on with.
const groups = 64

// survives runs the case as jobs that are cancelled behind each batch, and gone on
// with from what their state was and the watermark that had been reached: by one
// subtask each time, and by 1, 3 and 2 in turn where there may be several. The
// former must be the same run, row for row; the latter one of the same rows.
func (c *Case) survives(t TB, base *Played) {
	t.Helper()
	for _, size := range []int{1, 2, 7} {
		what := fmt.Sprintf("gone on with behind each batch of %d", size)
		got := c.relive(t, what, size, []int{1})
		same(t, what, base, got, nil)
		tallies(t, what, base, got)
	}
	config := gpflow.NewConfig(c.Descriptor.Fields, c.Config)
	traits := c.Descriptor.TraitsOf(config)
	if c.Descriptor.State != nil && len(c.Descriptor.State(config, c.In, c.Constants)) > 0 && traits.KeyField == "" && !traits.Single {
		t.Errorf("%s keeps state, and its traits have neither a KeyField, which says by what its input is partitioned, nor Single: several subtasks would each have a part of what is kept by a key",
			c.Descriptor.Name())
		return
	}
	if traits.Single || len(traits.Key) == 0 && traits.KeyField != "" || base.Err != nil {
		return
	}
	for _, size := range []int{1, 7} {
		what := fmt.Sprintf("gone on with behind each batch of %d by 1, 3 and 2 subtasks", size)
		got := c.relive(t, what, size, []int{1, 3, 2})
		if got.Err != nil {
			t.Errorf("%s: the run ends with %v", what, got.Err)
		}
		for name := range base.Ports {
			diff(t, what, name, slices.Sorted(slices.Values(texts(base.Ports[name]))), slices.Sorted(slices.Values(texts(got.Ports[name]))))
		}
		tallies(t, what, base, got)
	}
}

// tallies compares the ledgers of two runs.
func tallies(t TB, what string, want, got *Played) {
	t.Helper()
	a, b := want.Counts, got.Counts
	a.Bytes, b.Bytes = 0, 0
	if want.Err == nil && a != b {
		t.Errorf("%s: the ledger is %+v, not %+v", what, b, a)
	}
}

// lives is a run of many jobs.
type lives struct {
	*Case
	t      TB
	what   string
	played *Played
	names  []string           // of the ports
	after  []gpflow.Timestamp // by port: the last mark that left it
	marks  []gpflow.Timestamp // by input
	now    gpflow.Timestamp   // the watermark
	state  []saved            // of all subtasks
	turn   int                // subtask of the next row without a key
}

// relive runs c with a new operator, or so many, behind each batch of size rows.
func (c *Case) relive(t TB, what string, size int, parallelism []int) *Played {
	t.Helper()
	l := &lives{
		Case: c, t: t, what: what, played: &Played{Ports: make(map[string][]Out)}, names: []string{""}, now: gpflow.MinTimestamp,
		after: make([]gpflow.Timestamp, 1+len(c.Descriptor.Ports)), marks: make([]gpflow.Timestamp, len(c.In)),
	}
	for _, p := range c.Descriptor.Ports {
		l.names = append(l.names, p.Name)
	}
	for i := range l.after {
		l.after[i] = gpflow.MinTimestamp
	}
	for i := range l.marks {
		l.marks[i] = gpflow.MinTimestamp
	}
	steps := numbered(c.Steps)
	for i := 0; len(steps) > 0 && l.played.Err == nil; i++ {
		n := behind(steps, size)
		l.live(steps[:n], parallelism[i%len(parallelism)])
		steps = steps[n:]
	}
	return l.played
}

// numbered returns steps that keep their positions wherever they are read.
func numbered(steps []Step) []Step {
	out, n := slices.Clone(steps), int64(0)
	for i := range out {
		if out[i].Values != nil {
			n++
			out[i].at = n
		}
	}
	return out
}

// behind returns how many steps there are up to the end of a batch of size rows,
// with the marks behind it.
func behind(steps []Step, size int) int {
	rows := 0
	for i, s := range steps {
		if s.Values != nil {
			if rows == size {
				return i
			}
			rows++
		}
	}
	return len(steps)
}

// live is the life of one job: its operators go on from l.state, take some steps,
// are closed, and leave their state.
func (l *lives) live(steps []Step, parallelism int) {
	l.t.Helper()
	former := l.state
	l.state = nil
	now, marks := l.now, l.marks
	for sub := range parallelism {
		var m memory
		d := NewDriver(l.t, *l.Case, Options{subtask: gpflow.Subtask{Index: sub, Parallelism: parallelism}, State: func(descs []gpflow.StateDescriptor) gpflow.State {
			m = newMemory(descs)
			for _, s := range former {
				m.restore(s, func(key []byte) bool { return owner(key, parallelism) == sub })
			}
			return m
		}})
		l.listen(d)
		err := d.resume(marks, now)
		if moved := d.Out.Passed + d.Out.Created + d.Out.Late + d.Out.Diverted; moved > 0 {
			l.t.Errorf("%s: %d rows leave when the operator hears of the watermark that had been reached before", l.what, moved)
		}
		if err == nil {
			err = l.feed(d, l.share(steps, sub, parallelism))
		}
		l.played.Counts.Add(d.Out.Counts)
		l.played.Schema = d.Ports[0]
		l.now, l.marks = d.now, d.marks
		if closer, ok := d.op.(gpflow.Closer); ok {
			if err := closer.Close(); err != nil {
				l.t.Errorf("%s: Close: %v", l.what, err)
			}
		}
		l.state = append(l.state, m.save())
		if err != nil {
			l.played.Err = err
			return
		}
	}
	for _, s := range steps {
		if s.Values != nil {
			l.turn++
		}
	}
}

// listen keeps what leaves d.
func (l *lives) listen(d *Driver) {
	began := slices.Clone(l.after)
	d.Emit = func(port int, b *gpflow.Batch) {
		name := l.names[port]
		l.played.Ports[name] = copyOut(l.played.Ports[name], b, began[port])
		if n := len(b.Marks); n > 0 {
			began[port] = max(began[port], b.Marks[n-1].Time)
			l.after[port] = max(l.after[port], began[port])
		}
	}
	for i, s := range d.Ports {
		if s != nil && l.played.Ports[l.names[i]] == nil {
			l.played.Ports[l.names[i]] = nil
		}
	}
}

// share returns the steps that come to a subtask: all marks, and the rows whose keys
// it owns, or every parallelism-th.
func (l *lives) share(steps []Step, sub, parallelism int) []Step {
	key := l.Descriptor.TraitsOf(gpflow.NewConfig(l.Descriptor.Fields, l.Config)).Key
	var mine []Step
	turn := l.turn
	for _, s := range steps {
		at := turn % parallelism
		if s.Values != nil {
			turn++
			if key != nil {
				keyer, err := gpflow.NewKeyer(l.In[s.Input], key)
				if err != nil {
					l.t.Fatalf("the key of the operator: %v", err)
				}
				at = owner(keyer.Append(nil, s.Values), parallelism)
			}
		}
		if s.Values == nil || at == sub {
			mine = append(mine, s)
		}
	}
	return mine
}

func owner(key []byte, parallelism int) int {
	return keygroup.Owner(keygroup.Of(gpflow.HashKey(key), groups), groups, parallelism)
}

// feed gives d some steps, as few batches as can be.
func (l *lives) feed(d *Driver, steps []Step) error {
	l.t.Helper()
	for _, b := range batches(d.In, steps, 0) {
		b.Retain()
		err := d.Feed(b.Batch, b.input)
		d.deliver()
		b.poison()
		b.Release()
		if err != nil {
			return err
		}
	}
	return nil
}
