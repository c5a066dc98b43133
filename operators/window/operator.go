package window

import (
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// operator is a tumbling window at work. A pane of its state is a window,
// named by its start.
type operator struct {
	size, offset gpflow.Duration
	layout       *layout
	keyer        gpflow.Keyer
	panes        gpflow.Panes
	args         []argument
	sums         []call // those of layout.calls that can overflow
	results      []result

	mark       gpflow.Timestamp // the watermark
	start, end gpflow.Timestamp // the window of the last row; empty at first
	cursor     gpflow.Cursor    // behind the last key emitted of the first pane
	block      block            // the keys of the rows at work
	toucher    toucher          // panes; nil where they do not care
	vals       []gpflow.Value   // scratch: the arguments of a row
	reader     keyReader
}

// argument is what an aggregate function is applied to.
type argument struct {
	slot    int // of the input column that it is, or -1
	program *expr.Program
}

// result is a field of the output.
type result struct {
	aggregate
	program *expr.Program  // nil: direct
	row     []gpflow.Value // scratch: what program runs on
	sized   bool           // its values may point to memory
}

func open(c *gpflow.OperatorContext) (gpflow.Operator, error) {
	var problem error
	l := build(c.Config, c.In[0], c.Constants, func(p gpflow.Problem) {
		problem = errors.Join(problem, fmt.Errorf("%s: %s", p.Path, p.Summary))
	})
	if l == nil {
		return nil, fmt.Errorf("open %s: %w", c.Address, problem)
	}
	keyer, err := gpflow.NewKeyer(c.In[0], l.keys)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", c.Address, err)
	}
	o := &operator{
		size: c.Config.Duration("size"), offset: c.Config.Duration("offset"), layout: l, keyer: keyer,
		panes: c.State.Panes(panesName), mark: gpflow.MinTimestamp, vals: make([]gpflow.Value, len(l.args)),
	}
	o.toucher, _ = o.panes.(toucher)
	for _, e := range l.args {
		a := argument{slot: -1, program: e.Program()}
		if cols := e.Columns(); len(cols) == 1 && e.String() == cols[0] {
			a.slot = c.In[0].Index(cols[0])
		}
		o.args = append(o.args, a)
	}
	for _, k := range l.calls {
		switch k.op {
		case opSumInt, opSumSpan, opAvgInt, opAvgSpan:
			o.sums = append(o.sums, k)
		}
	}
	for _, a := range l.aggs {
		r := result{aggregate: a, sized: a.result.Type().Sized()}
		if !a.direct {
			r.program = a.result.Program()
			r.row = make([]gpflow.Value, len(l.group)+len(a.calls))
		}
		o.results = append(o.results, r)
	}
	return o, nil
}

// window sets the current window to that of t. At the ends of time it is cut.
func (o *operator) window(t gpflow.Timestamp) {
	size := int64(o.size)
	m := (int64(t)%size - int64(o.offset)%size) % size
	if m < 0 {
		m += size
	}
	o.start = t.Add(-gpflow.Duration(m))
	o.end = o.start.Add(o.size)
}

// turn makes the window of t the current one.
func (o *operator) turn(t gpflow.Timestamp) {
	if t < o.start || t >= o.end {
		o.window(t)
	}
}

// Process implements gpflow.Operator.
func (o *operator) Process(in gpflow.Rows, out *gpflow.Collector) (next int, err error) {
	late := max(o.mark, in.Bound)
	for i := in.From; i < in.To; {
		first := i
		for end := o.look(in, i); i < end; i++ {
			o.turn(in.Times[i])
			if o.end <= late {
				out.LateRow(in, i)
				continue
			}
			key, hash := o.block.key(i - first)
			if err := o.add(place{in, i}, key, hash); err != nil {
				if err = out.Fail(in, i, err); err != nil {
					return i, err
				}
				continue
			}
			out.Absorb(1)
		}
	}
	return in.To, nil
}

// add adds a record of a key to the current window. On an error nothing has
// changed.
func (o *operator) add(r place, key []byte, hash uint64) error {
	row := r.in.Row(r.row)
	for i := range o.args {
		a := &o.args[i]
		if a.slot >= 0 {
			o.vals[i] = row[a.slot]
			continue
		}
		v, err := a.program.Value(row)
		if err != nil {
			return gpflow.InField(o.layout.argOf[i], err)
		}
		o.vals[i] = v
	}
	acc, fresh := o.panes.Upsert(o.start, key, hash)
	if !fresh {
		for i := range o.sums {
			if s := &o.sums[i]; s.op.overflows(acc[s.slot:], o.vals[s.arg]) {
				return &gpflow.RecordError{Code: "overflow", Err: fmt.Errorf("%s overflows with this record: the sum does not fit 64 bits", s.text)}
			}
		}
	}
	for i := range o.layout.calls {
		c := &o.layout.calls[i]
		var v gpflow.Value
		if c.arg >= 0 {
			v = o.vals[c.arg]
		}
		c.op.add(acc[c.slot:], v, r)
	}
	return nil
}

// OnMark implements gpflow.MarkHandler: it emits and forgets the windows that
// end at or before t, the earliest first.
func (o *operator) OnMark(t gpflow.Timestamp, out *gpflow.Collector) (done bool, err error) {
	o.mark = t
	for {
		start, ok := o.panes.First()
		if !ok || start.Add(o.size) > t {
			return true, nil
		}
		if done, err := o.emit(start, out); err != nil || !done {
			return false, err
		}
		o.panes.Drop(start)
		o.cursor = gpflow.Cursor{}
	}
}

// NextMark implements gpflow.MarkStepper: it returns the end of the earliest
// window.
func (o *operator) NextMark() gpflow.Timestamp {
	start, ok := o.panes.First()
	if !ok {
		return gpflow.MaxTimestamp
	}
	return start.Add(o.size)
}

// emit emits the keys of a window behind o.cursor. It returns false when out is
// full.
func (o *operator) emit(start gpflow.Timestamp, out *gpflow.Collector) (done bool, err error) {
	end := start.Add(o.size)
	for !out.Full() {
		next, key, acc, ok := o.panes.Next(start, o.cursor)
		if !ok {
			return true, nil
		}
		row := out.Create(end - 1)
		if err := o.fill(row, key, acc, start, end, out); err != nil {
			out.Port(0).Undo()
			out.Created--
			return false, err
		}
		o.cursor = next
	}
	return false, nil
}

// fill fills a row of output.
func (o *operator) fill(row []gpflow.Value, key []byte, acc []gpflow.Value, start, end gpflow.Timestamp, out *gpflow.Collector) error {
	keys := len(o.layout.keys)
	group := keys + 2
	size, err := o.reader.read(row[:keys], key)
	if err != nil {
		return fmt.Errorf("read a key of the window from %s to %s: %w", start, end, err)
	}
	row[keys], row[keys+1] = gpflow.Time(start), gpflow.Time(end)
	for i := range o.results {
		r := &o.results[i]
		var v gpflow.Value
		if r.program == nil {
			v = o.value(r.calls[0], acc)
		} else {
			copy(r.row, row[:group])
			for j, c := range r.calls {
				r.row[group+j] = o.value(c, acc)
			}
			if v, err = r.program.Value(r.row); err != nil {
				return o.failed(r.name, row[:keys], start, end, gpflow.InField("aggregate."+r.name, err))
			}
		}
		row[group+i] = v
		if r.sized {
			size += v.Size()
		}
	}
	if size > 0 {
		out.Port(0).Grow(size)
	}
	return nil
}

// value returns the result of a call.
func (o *operator) value(c int, acc []gpflow.Value) gpflow.Value {
	k := &o.layout.calls[c]
	return k.op.result(acc[k.slot:])
}

// failed says which aggregate of which window has no result.
func (o *operator) failed(name string, key []gpflow.Value, start, end gpflow.Timestamp, err error) error {
	of := ""
	if len(key) > 0 {
		s := &gpflow.Schema{Columns: o.layout.group[:len(key)]}
		of = fmt.Sprintf(" of %s", gpflow.RowJSON(nil, s, key))
	}
	return fmt.Errorf("compute aggregate.%s%s for the window from %s to %s: %w; guard the expression against it, as in b != 0 ? a / b : 0.0", name, of, start, end, err)
}
