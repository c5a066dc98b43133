package task

import "github.com/gpflow/gpflow"

// cut is a place in a batch where the watermark moves, or the bound on what is
// late.
type cut struct {
	row   int
	bound gpflow.Timestamp // from there on
	mark  gpflow.Timestamp // if moved
	moved bool
}

// cuts are those of one batch, in order: its bounds, and the marks put in.
type cuts struct {
	list  []cut
	rest  []gpflow.Bound // not yet in list
	bound gpflow.Timestamp
}

// reset begins with the bounds of b.
func (c *cuts) reset(b *gpflow.Batch) {
	c.list, c.rest, c.bound = c.list[:0], b.Bounds, gpflow.MinTimestamp
}

// mark puts a watermark at a row, behind those put before.
func (c *cuts) mark(row int, t gpflow.Timestamp) {
	at := c.at(row)
	at.mark, at.moved = t, true
}

// at returns the cut at a row.
func (c *cuts) at(row int) *cut {
	c.upTo(row)
	if n := len(c.list); n == 0 || c.list[n-1].row < row {
		c.list = append(c.list, cut{row: row, bound: c.bound})
	}
	return &c.list[len(c.list)-1]
}

// upTo lists the bounds as far as a row.
func (c *cuts) upTo(row int) {
	for len(c.rest) > 0 && c.rest[0].Row <= row {
		c.bound = c.rest[0].Time
		c.list = append(c.list, cut{row: c.rest[0].Row, bound: c.bound})
		c.rest = c.rest[1:]
	}
}
