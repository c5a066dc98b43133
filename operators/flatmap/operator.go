package flatmap

import (
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// operator is a flat_map at work.
type operator struct {
	each   *expr.Program
	copies []copied
	elem   int // slot of the output, or -1: nobody reads it
	index  int // likewise

	// The row at work: its list, the element that is next, and how many bytes
	// the columns that are kept point to.
	busy bool
	list []gpflow.Value
	next int
	size int
}

// copied is a column that is kept.
type copied struct {
	to, from int
	sized    bool // its values point to memory
}

func open(c *gpflow.OperatorContext) (gpflow.Operator, error) {
	var problems []error
	l := lay(c.Config, c.In[0], c.Constants, true, func(p gpflow.Problem) {
		problems = append(problems, fmt.Errorf("%s: %s", p.Path, p.Summary))
	})
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("open %s: %w", c.Address, err)
	}
	o := &operator{each: l.each.Program(), elem: -1, index: -1}
	for to, col := range c.Out[0].Columns {
		switch from := c.In[0].Index(col.Name); {
		case col.Name == l.as:
			o.elem = to
		case col.Name == l.index:
			o.index = to
		case from >= 0:
			o.copies = append(o.copies, copied{to, from, col.Type.Sized()})
		default:
			return nil, fmt.Errorf("open %s: its output has the column %q, and its input does not", c.Address, col.Name)
		}
	}
	return o, nil
}

// Process implements gpflow.Operator. It returns when the output is full, also
// in the middle of a list, and goes on there.
func (o *operator) Process(in gpflow.Rows, out *gpflow.Collector) (next int, err error) {
	for i := in.From; i < in.To; i++ {
		if i > in.From && out.Full() {
			return i, nil
		}
		if !o.busy {
			v, err := o.each.Value(in.Row(i))
			if err != nil {
				if err = out.Fail(in, i, err); err != nil {
					return i, err
				}
				continue
			}
			o.begin(v, in.Row(i))
		}
		if !o.emit(in, i, out) {
			return i, nil
		}
		o.busy, o.list = false, nil
		out.Absorb(1)
	}
	return in.To, nil
}

// begin takes up a row with the list v, which may be null.
func (o *operator) begin(v gpflow.Value, row []gpflow.Value) {
	o.busy, o.list, o.next, o.size = true, v.List(), 0, 0
	for _, c := range o.copies {
		if c.sized {
			o.size += row[c.from].Size()
		}
	}
}

// emit makes records of the elements of row i that are left, one at least, and
// reports whether that were all.
func (o *operator) emit(in gpflow.Rows, i int, out *gpflow.Collector) bool {
	from, first := in.Row(i), o.next
	for ; o.next < len(o.list); o.next++ {
		if o.next > first && out.Full() {
			return false
		}
		to, size := out.CreateFrom(in, i), o.size
		for _, c := range o.copies {
			to[c.to] = from[c.from]
		}
		if o.elem >= 0 {
			e := o.list[o.next]
			to[o.elem] = e
			size += e.Size()
		}
		if o.index >= 0 {
			to[o.index] = gpflow.Int(int64(o.next))
		}
		if size > 0 {
			out.Port(0).Grow(size)
		}
	}
	return true
}
