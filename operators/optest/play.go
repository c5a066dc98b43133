package optest

import (
	"github.com/gpflow/gpflow"
)

// Played is what a run came to.
type Played struct {
	Ports  map[string][]Out // by name; ports that nobody reads are absent
	Schema *gpflow.Schema   // of the main port
	Counts gpflow.Counts
	Err    error // what ended the run; nil: nothing
}

// Play runs c once. Input batches are checked for changes and overwritten as
// soon as what they led to has left.
func Play(tb TB, c Case, o Options) *Played {
	tb.Helper()
	d := NewDriver(tb, c, o)
	played := &Played{Ports: make(map[string][]Out), Schema: d.Ports[0]}
	names := []string{""}
	for _, p := range c.Descriptor.Ports {
		names = append(names, p.Name)
	}
	for i, s := range d.Ports {
		if s != nil {
			played.Ports[names[i]] = nil
		}
	}
	after := make([]gpflow.Timestamp, len(d.Ports))
	for i := range after {
		after[i] = gpflow.MinTimestamp
	}
	d.Emit = func(port int, b *gpflow.Batch) {
		played.Ports[names[port]] = copyOut(played.Ports[names[port]], b, after[port])
		if n := len(b.Marks); n > 0 {
			after[port] = max(after[port], b.Marks[n-1].Time)
		}
	}
	steps := c.Steps
	if o.Wanted != nil {
		steps = narrow(steps, c.In, d.In)
	}
	for _, b := range batches(d.In, steps, o.Batch) {
		b.Retain()
		played.Err = d.Feed(b.Batch, b.input)
		if err := b.intact(); err != nil {
			tb.Errorf("the operator changes its input: %v", err)
		}
		d.deliver()
		b.poison()
		b.Release()
		if played.Err != nil {
			break
		}
	}
	played.Counts = d.Out.Counts
	if played.Err == nil {
		d.tally(tb, names, played)
	}
	if closer, ok := d.op.(gpflow.Closer); ok {
		if err := closer.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	}
	return played
}

// tally compares the ledger with what left.
func (d *Driver) tally(tb TB, names []string, played *Played) {
	tb.Helper()
	c := played.Counts
	for i, s := range d.Ports {
		if s == nil {
			continue
		}
		n, counted := int64(len(played.Ports[names[i]])), int64(-1)
		switch names[i] {
		case "":
			counted = c.Passed + c.Created
		case "late":
			counted = c.Late
		case "errors":
			counted = c.Diverted
		}
		if counted >= 0 && n != counted {
			tb.Errorf("port %q gave %d rows, and the ledger has %d: %+v", names[i], n, counted, c)
		}
	}
}

// narrow returns steps with the columns of to only, which are some of from.
func narrow(steps []Step, from, to []*gpflow.Schema) []Step {
	out := make([]Step, len(steps))
	for i, s := range steps {
		out[i] = s
		if s.Values == nil {
			continue
		}
		out[i].Values = make([]gpflow.Value, 0, to[s.Input].Width())
		for _, c := range to[s.Input].Columns {
			out[i].Values = append(out[i].Values, s.Values[from[s.Input].Index(c.Name)])
		}
	}
	return out
}
