package window

import "github.com/gpflow/gpflow"

// blockRows is how many rows have their keys looked at together.
const blockRows = 64

// block is the keys of a few rows that follow each other.
type block struct {
	keys   []byte             // one behind the other
	ends   [blockRows + 1]int // key i is keys[ends[i]:ends[i+1]]
	hashes [blockRows]uint64
}

// toucher is implemented by state that is faster when it hears of several keys
// before it is asked for them.
type toucher interface {
	Touch(pane gpflow.Timestamp, hashes []uint64)
}

// look takes the keys of the rows from from on, as far as they fit, and
// returns the row behind them. State hears of those of the window of the first.
func (o *operator) look(in gpflow.Rows, from int) (to int) {
	to = min(from+blockRows, in.To)
	b := &o.block
	b.keys = b.keys[:0]
	for i := from; i < to; i++ {
		b.keys = o.keyer.Append(b.keys, in.Row(i))
		end := len(b.keys)
		b.ends[i-from+1] = end
		b.hashes[i-from] = gpflow.HashKey(b.keys[b.ends[i-from]:end])
	}
	if o.toucher != nil {
		o.turn(in.Times[from])
		o.toucher.Touch(o.start, b.hashes[:to-from])
	}
	return to
}

// key returns the key of the i-th row of the block, and its hash.
func (b *block) key(i int) (key []byte, hash uint64) {
	return b.keys[b.ends[i]:b.ends[i+1]], b.hashes[i]
}
