package optest

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"

	"github.com/gpflow/gpflow"
)

// Address is the address of the operator under test.
const Address = "optest.node"

// mostRows is how many rows one input row, or one mark, may lead to where
// Options do not say.
const mostRows = 1 << 17

// Options say how a case is played.
type Options struct {
	Batch  int             // rows of an input batch; 0: as many as can be
	Slice  int             // rows after which the main port is full; 0: the product's limits
	Policy gpflow.Action   // "": divert
	Unread []string        // side ports that nobody reads
	Wanted map[string]bool // main-port columns that somebody reads; nil: all
	// Most is how many rows one input row, or one mark, may lead to; 0: 131,072.
	// An operator that has given more and is still not done with it is taken
	// for one that begins anew on each call, and ends the test.
	Most int
	// Steps has the end of time come to in the steps of a gpflow.MarkStepper, as
	// when somebody waits for a checkpoint.
	Steps bool
	// State makes the operator's state; nil: the harness's own, which has one
	// key group and is hard on who keeps what it lends.
	State func([]gpflow.StateDescriptor) gpflow.State

	subtask gpflow.Subtask // Parallelism 0: the only one
}

// Driver runs an operator as the engine does, one batch at a time.
type Driver struct {
	// Out is the operator's collector.
	Out *gpflow.Collector
	// In and Ports are the schemas of the inputs and of the ports; a port that
	// nobody reads has nil.
	In, Ports []*gpflow.Schema
	// Emit takes each batch that leaves a port, before the input that it came
	// of is released. nil: it is released at once.
	Emit func(port int, b *gpflow.Batch)

	tb     TB
	op     gpflow.Operator
	onMark gpflow.MarkHandler
	slice  int
	steps  bool
	marks  []gpflow.Timestamp // the last mark, by input
	now    gpflow.Timestamp   // the least of them
	moved  int                // rows that left with the last delivery
	most   int                // rows that may come of one input row, or one mark
	made   int                // rows that came of the one that is not finished
	calls  int                // of the operator, that made them
}

// NewDriver makes the operator of c. The configuration goes through its serial
// form, as it does in a plan. A configuration that Infer complains about ends
// the test.
func NewDriver(tb TB, c Case, o Options) *Driver {
	tb.Helper()
	d := &Driver{tb: tb, slice: o.Slice, steps: o.Steps, most: o.Most, now: gpflow.MinTimestamp, In: c.In, marks: make([]gpflow.Timestamp, len(c.In))}
	for i := range d.marks {
		d.marks[i] = gpflow.MinTimestamp
	}
	if d.most == 0 {
		d.most = mostRows
	}
	config := d.config(c)
	inferred := infer(tb, c, config, c.In, o.Wanted)
	if o.Wanted != nil {
		d.In = used(c.In, inferred, o.Wanted)
		inferred = infer(tb, c, config, d.In, o.Wanted)
	}
	late := d.ports(c.Descriptor, inferred, o.Unread)
	var descs []gpflow.StateDescriptor
	if c.Descriptor.State != nil {
		descs = c.Descriptor.State(config, c.In, c.Constants) // of the declared inputs, whatever is pruned
	}
	if o.State == nil {
		o.State = func(descs []gpflow.StateDescriptor) gpflow.State { return newMemory(descs) }
	}
	o.subtask.Parallelism = max(o.subtask.Parallelism, 1)
	d.Out = gpflow.NewCollector(d.Ports, late, policy{tb, o.Policy})
	op, err := c.Descriptor.NewOperator(&gpflow.OperatorContext{
		Address: Address, Config: config, Constants: c.Constants, In: d.In, Out: d.Ports,
		Subtask: o.subtask, State: o.State(descs),
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		tb.Fatalf("make the operator: %v", err)
	}
	d.op = op
	d.onMark, _ = op.(gpflow.MarkHandler)
	return d
}

func (d *Driver) config(c Case) gpflow.Config {
	d.tb.Helper()
	data, err := gpflow.NewConfig(c.Descriptor.Fields, c.Config).MarshalJSON()
	if err != nil {
		d.tb.Fatalf("write the configuration: %v", err)
	}
	config, err := gpflow.DecodeConfig(c.Descriptor.Fields, data)
	if err != nil {
		d.tb.Fatalf("read the configuration back: %v", err)
	}
	return config
}

// ports sets d.Ports, and returns the index of the late port.
func (d *Driver) ports(desc *gpflow.Descriptor, inferred gpflow.Inferred, unread []string) (late int) {
	d.tb.Helper()
	if len(inferred.Ports) != len(desc.Ports)+1 {
		d.tb.Fatalf("Infer gives %d ports, and the descriptor has the main one and %d", len(inferred.Ports), len(desc.Ports))
	}
	d.Ports = append([]*gpflow.Schema(nil), inferred.Ports...)
	if i := desc.PortIndex("errors"); i > 0 {
		d.Ports[i] = gpflow.ErrorSchema()
	}
	for i, s := range d.Ports {
		if s == nil {
			d.tb.Fatalf("Infer gives no schema for port %d, and reports no problem", i)
		}
	}
	for _, name := range unread {
		d.Ports[desc.PortIndex(name)] = nil
	}
	return max(desc.PortIndex("late"), 0)
}

// infer runs the descriptor's Infer, and ends the test if it complains.
func infer(tb TB, c Case, config gpflow.Config, in []*gpflow.Schema, wanted map[string]bool) gpflow.Inferred {
	tb.Helper()
	var problems []error
	inferred := c.Descriptor.Infer(&gpflow.Inference{
		Config: config, In: in, Constants: c.Constants, Wanted: maps.Clone(wanted),
		Report: func(p gpflow.Problem) {
			if !p.Warning {
				problems = append(problems, fmt.Errorf("%s: %s: %s", p.Path, p.Summary, p.Detail))
			}
		},
	})
	if err := errors.Join(problems...); err != nil {
		tb.Fatalf("Infer complains: %v", err)
	}
	if len(inferred.Uses) != len(in) {
		tb.Fatalf("Infer gives the columns used of %d inputs, not of %d", len(inferred.Uses), len(in))
	}
	return inferred
}

// used narrows in to what the operator uses and what is wanted of it.
func used(in []*gpflow.Schema, inferred gpflow.Inferred, wanted map[string]bool) []*gpflow.Schema {
	narrow := make([]*gpflow.Schema, len(in))
	for i, s := range in {
		keep := make(map[string]bool)
		for _, n := range inferred.Uses[i] {
			keep[n] = true
		}
		if i == 0 && len(inferred.Pass) > 0 && inferred.Pass[0] {
			maps.Copy(keep, wanted)
		}
		narrow[i] = s.Select(func(n string) bool { return keep[n] })
	}
	return narrow
}

// resume tells an operator that goes on from a checkpoint how far time had come, by
// input and for the node.
func (d *Driver) resume(marks []gpflow.Timestamp, now gpflow.Timestamp) error {
	d.tb.Helper()
	copy(d.marks, marks)
	d.now = now
	if d.onMark == nil || now == gpflow.MinTimestamp {
		return nil
	}
	d.prime()
	done, err := d.onMark.OnMark(now, d.Out)
	if err == nil && !done {
		d.tb.Fatalf("the operator is not done with a watermark that had been reached before")
	}
	return err
}

// Feed gives the operator a batch of an input, its marks included, and hands
// on what leaves. It takes over b, and returns the error that ended the run.
// The ledger is checked after every call of the operator.
func (d *Driver) Feed(b *gpflow.Batch, input int) error {
	d.tb.Helper()
	err := d.feed(b, input)
	b.Release()
	return err
}

func (d *Driver) feed(b *gpflow.Batch, input int) error {
	row := 0
	for mark := 0; mark <= len(b.Marks); mark++ {
		end := b.N
		if mark < len(b.Marks) {
			end = b.Marks[mark].Row
		}
		for row < end {
			bound, until := boundAt(b, row)
			next, err := d.process(gpflow.Rows{Batch: b, Input: input, From: row, To: min(end, until), Bound: bound})
			if err != nil {
				return err
			}
			row = next
		}
		if mark < len(b.Marks) {
			if err := d.mark(input, b.Marks[mark].Time); err != nil {
				return err
			}
		}
	}
	d.deliver()
	return nil
}

// boundAt returns the bound of a row, and the row at which the next one begins.
func boundAt(b *gpflow.Batch, row int) (bound gpflow.Timestamp, until int) {
	bound = gpflow.MinTimestamp
	for _, x := range b.Bounds {
		if x.Row > row {
			return bound, x.Row
		}
		bound = x.Time
	}
	return bound, b.N
}

func (d *Driver) process(in gpflow.Rows) (next int, err error) {
	d.prime()
	next, err = d.op.Process(in, d.Out)
	if err != nil {
		return next, err
	}
	if next < in.From || next > in.To {
		d.tb.Fatalf("Process was given the rows %d to %d and returned %d", in.From, in.To, next)
	}
	d.Out.In += int64(next - in.From)
	if n := d.Out.Balance(); n != 0 {
		d.tb.Fatalf("after Process, %d rows are not accounted for: %+v", n, d.Out.Counts)
	}
	if next > in.From {
		d.made, d.calls = 0, 0
	}
	if next < in.To {
		d.progress(next > in.From, "row", next)
	}
	return next, nil
}

// mark moves the watermark of an input, and the node's if that is the least.
func (d *Driver) mark(input int, t gpflow.Timestamp) error {
	d.marks[input] = max(d.marks[input], t)
	now := gpflow.MaxTimestamp
	for _, m := range d.marks {
		now = min(now, m)
	}
	if now <= d.now {
		return nil
	}
	for stepper, ok := d.op.(gpflow.MarkStepper); ok && d.steps && now == gpflow.MaxTimestamp; {
		next := stepper.NextMark()
		if next == now {
			break
		}
		if next <= d.now {
			d.tb.Fatalf("after the mark %d, NextMark says %d", d.now, next)
		}
		if err := d.come(next); err != nil {
			return err
		}
	}
	return d.come(now)
}

// come moves the node's watermark, as far as the end of time in the steps that
// the operator asks for.
func (d *Driver) come(now gpflow.Timestamp) error {
	d.now = now
	d.made, d.calls = 0, 0
	for done := d.onMark == nil; !done; {
		d.prime()
		var err error
		if done, err = d.onMark.OnMark(now, d.Out); err != nil {
			return err
		}
		if n := d.Out.Balance(); n != 0 {
			d.tb.Fatalf("after OnMark, %d rows are not accounted for: %+v", n, d.Out.Counts)
		}
		if !done {
			d.progress(false, "mark", int(now))
		}
	}
	d.made, d.calls = 0, 0
	for p := range d.Ports {
		if w := d.Out.Port(p); w != nil {
			w.Mark(now)
		}
	}
	return nil
}

// progress hands on what has left, and ends the test if an operator that is
// not done has neither finished a row nor emitted one, or has emitted more than
// can come of the row or mark that it is not done with.
func (d *Driver) progress(finished bool, what string, at int) {
	d.deliver()
	if !finished && d.moved == 0 {
		d.tb.Fatalf("the operator is not done, has room, and does nothing")
	}
	d.made += d.moved
	d.calls++
	if d.made > d.most {
		d.tb.Fatalf("the operator is not done with the %s %d after %d calls that gave %d rows; one that stops amidst remembers where, and does not begin anew (Options.Most is the bound)",
			what, at, d.calls, d.made)
	}
}

// prime makes the main port full after d.slice more rows.
func (d *Driver) prime() {
	w := d.Out.Port(0)
	if d.slice == 0 || w == nil || d.Ports[0].Width() == 0 {
		return
	}
	if w.Full() {
		d.deliver()
	}
	if w.Len() == 0 {
		d.deliver()
		w.Mark(gpflow.MinTimestamp) // makes a batch, which Grow fills
		w.Grow(gpflow.BatchBytes - 16*d.slice*d.Ports[0].Width())
	}
}

// deliver takes what the ports hold.
func (d *Driver) deliver() {
	d.moved = 0
	for p := range d.Ports {
		w := d.Out.Port(p)
		if w == nil {
			continue
		}
		b := w.Take()
		if b == nil {
			continue
		}
		d.moved += b.N
		if d.Emit != nil {
			d.Emit(p, b)
		}
		b.Release()
	}
}

// policy is the failure policy of the harness.
type policy struct {
	tb     TB
	action gpflow.Action
}

func (p policy) Failed(in *gpflow.Batch, row int, err error, port *gpflow.Builder) (gpflow.Action, error) {
	var r *gpflow.RecordError
	if !errors.As(err, &r) || r.Code == "" || err.Error() == "" {
		p.tb.Errorf("a record failed with %v (%T), which is not a RecordError with a code and a message", err, err)
	}
	switch {
	case p.action == gpflow.ActionFail:
		return "", fmt.Errorf("%s: row %d: %w", Address, row, err)
	case p.action == gpflow.ActionSkip:
		return gpflow.ActionSkip, nil
	case port == nil:
		return "", errors.New("a record failed, and the last port is not one for errors, or nobody reads it")
	}
	gpflow.AppendError(port, Address, in, row, err)
	return gpflow.ActionDivert, nil
}
