package state

import "github.com/gpflow/gpflow"

// touchRows is how many keys are looked at together, and touchLen the entries
// of a table that no longer fits the processor's caches.
const (
	touchRows = 64
	touchLen  = 16 << 10
)

// touch holds what the passes of table.touch find.
type touch struct {
	entry [touchRows]uint32 // plus one; 0: none
	end   [touchRows]uint64 // of the key in the arena
	seen  uint64            // so that loads are not left out
}

// Touch brings into the processor's caches what Upsert will need of the keys
// with these hashes, where the pane is large. It changes nothing: a processor
// waits for the memory of many keys at once where their places do not depend on
// each other, but for the places of one key in turn.
func (p *Panes) Touch(at gpflow.Timestamp, hashes []uint64) {
	t := p.get(at)
	if t == nil || t.len() < touchLen {
		return
	}
	for len(hashes) > touchRows {
		t.touch(&p.touch, hashes[:touchRows])
		hashes = hashes[touchRows:]
	}
	t.touch(&p.touch, hashes)
}

// touch is Touch for touchRows keys at most: each pass goes one place further
// for all of them.
func (t *table) touch(w *touch, hashes []uint64) {
	mask, seen := uint64(len(t.index)-1), w.seen
	for _, h := range hashes {
		seen += t.index[h&mask]
	}
	for i, h := range hashes {
		s := t.index[h&mask]
		for at := h & mask; s != 0 && (s^h)>>32 != 0; {
			at = (at + 1) & mask
			s = t.index[at]
		}
		w.entry[i] = uint32(s)
	}
	for i := range hashes {
		w.end[i] = 0
		if e := w.entry[i]; e > 0 {
			w.end[i] = t.meta[e-1].end
		}
	}
	for i := range hashes {
		if e := w.entry[i]; e > 0 && w.end[i] > 0 {
			seen += uint64(t.arena[w.end[i]-1])
			if row := t.row(int(e - 1)); len(row) > 0 {
				seen += uint64(row[0].Int())
			}
		}
	}
	w.seen = seen
}
