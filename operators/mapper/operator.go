package mapper

import (
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// operator is a map at work. Output slots are copied or computed.
type operator struct {
	copies   []copied
	computed []computed
}

type copied struct{ to, from int }

type computed struct {
	to      int
	field   string // "select.total"
	program *expr.Program
	sized   bool // the result may point to memory of its own
}

// open makes the operator for the columns that somebody reads, which are those
// of its output schema.
func open(c *gpflow.OperatorContext) (gpflow.Operator, error) {
	byName := make(map[string]gpflow.NamedExpr)
	for _, e := range c.Config.Exprs("select") {
		byName[e.Name] = e
	}
	o := &operator{}
	for to, col := range c.Out[0].Columns {
		e, ok := byName[col.Name]
		if !ok {
			return nil, fmt.Errorf("open %s: its output has the column %q, which it does not select", c.Address, col.Name)
		}
		f, err := check(e, c.In[0], c.Constants)
		if err != nil {
			return nil, fmt.Errorf("compile select.%s of %s: %w", e.Name, c.Address, err)
		}
		if f.slot >= 0 {
			o.copies = append(o.copies, copied{to, f.slot})
			continue
		}
		o.computed = append(o.computed, computed{to, "select." + e.Name, f.expr.Program(), f.typ.Sized()})
	}
	return o, nil
}

// Process implements gpflow.Operator. It returns when the output is full,
// because expressions can make text that is larger than what came in.
func (o *operator) Process(in gpflow.Rows, out *gpflow.Collector) (next int, err error) {
	for i := in.From; i < in.To; i++ {
		if i > in.From && out.Full() {
			return i, nil
		}
		from, to := in.Row(i), out.Row(in, i)
		size := 0
		for k := range o.computed {
			c := &o.computed[k]
			v, ferr := c.program.Value(from)
			if ferr != nil {
				err = gpflow.InField(c.field, ferr)
				break
			}
			to[c.to] = v
			if c.sized {
				size += v.Size()
			}
		}
		if err != nil {
			out.Undo()
			if err = out.Fail(in, i, err); err != nil {
				return i, err
			}
			continue
		}
		for _, c := range o.copies {
			to[c.to] = from[c.from]
		}
		if size > 0 {
			out.Port(0).Grow(size)
		}
	}
	return in.To, nil
}
