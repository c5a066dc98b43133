package state

import (
	"cmp"
	"errors"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// picked is a row of one group, in memory or on the disk.
type picked struct {
	seq   uint64 // its number among all of its table
	age   int    // of the rows of one number, the one with the greatest holds
	entry int    // in memory; -1: it lies in gatherer.buf
	key   [2]int // there
	row   [2]int // likewise
}

// The ages of what is in memory: of what is on its way to the disk, and of the
// rest.
const (
	older  = newest - 1
	newest = 1<<31 - 1
)

// gatherer brings the rows of one group of a table together, those in memory and
// those on the disk, in order of insertion.
type gatherer struct {
	picks []picked
	buf   []byte
	from  []byte // scratch: keys on the disk
	to    []byte
	bug   Bug
}

// bytes returns the memory that g holds.
func (g *gatherer) bytes() int { return cap(g.buf) + cap(g.picks)*64 }

func (g *gatherer) reset() { g.picks, g.buf = g.picks[:0], g.buf[:0] }

// errCold is that of rows on the disk that are not what was written there.
var errCold = errors.New("a row of state that had been written to the disk is damaged there")

// add adds a row as it lies on the disk, which it copies.
func (g *gatherer) add(age int, key, value []byte) error {
	r := reader{b: value}
	p := picked{seq: r.uvarint(), age: age, entry: -1}
	if r.err != nil {
		return errCold
	}
	p.key = g.keep(key)
	p.row = g.keep(value[r.at:])
	g.picks = append(g.picks, p)
	return nil
}

func (g *gatherer) keep(b []byte) [2]int {
	from := len(g.buf)
	g.buf = append(g.buf, b...)
	return [2]int{from, len(g.buf)}
}

// memory adds an entry that is in memory.
func (g *gatherer) memory(age int, seq uint64, entry int) {
	g.picks = append(g.picks, picked{seq: seq, age: age, entry: entry})
}

// rows adds the rows on the disk of the first group, from a given one on, that
// has some, and is not behind last. It returns that group, or last.
func (g *gatherer) rows(disk DiskReader, id uint64, groups, first, last int) (group int, err error) {
	g.from, g.to = appendHash(g.from[:0], id, keygroup.Least(first, groups)), appendPrefix(g.to[:0], id, logSpace)
	group, found := last, false
	var failed error
	err = disk.Scan(g.from, g.to, func(key, value []byte) bool {
		hash, key := rowKey(key)
		at := keygroup.Of(hash, groups)
		if at > last || found && at != group {
			return false
		}
		group, found = at, true
		failed = g.add(0, key, value)
		return failed == nil
	})
	return group, cmp.Or(failed, err)
}

// logged adds the rows of a group in logs.
func (g *gatherer) logged(disk DiskReader, id uint64, logs []log, group int) error {
	for i, l := range logs {
		g.from, g.to = appendLog(g.from[:0], id, l, group), appendLog(g.to[:0], id, l, group+1)
		var failed error
		err := disk.Scan(g.from, g.to, func(_, block []byte) bool {
			failed = g.block(i+1, block)
			return failed == nil
		})
		if err := cmp.Or(failed, err); err != nil {
			return err
		}
	}
	return nil
}

// block adds the rows of a block of a log.
func (g *gatherer) block(age int, block []byte) error {
	for r := (&reader{b: block}); r.left() > 0; {
		key := r.bytes(r.count())
		value := r.bytes(r.count())
		if r.err != nil {
			return errCold
		}
		if err := g.add(age, key, value); err != nil {
			return err
		}
	}
	return nil
}

// settle puts the rows in order, each once: as it was written last.
func (g *gatherer) settle() {
	slices.SortFunc(g.picks, func(a, b picked) int {
		if g.bug == ColdWins {
			return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.age, b.age))
		}
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(b.age, a.age))
	})
	g.picks = slices.CompactFunc(g.picks, func(a, b picked) bool { return a.seq == b.seq })
}

// after returns the place in picks of the first row whose number is at least seq.
func (g *gatherer) after(seq uint64) int {
	i, _ := slices.BinarySearchFunc(g.picks, seq, func(p picked, seq uint64) int { return cmp.Compare(p.seq, seq) })
	return i
}

// walk is how far somebody has come with a table that has rows on the disk. It
// has the rows of one group, so that what a walk takes of memory is small where
// there are many groups.
type walk struct {
	gatherer
	table        *table // nil: none
	first, group int    // from the group first on, none has rows before group
	at           int    // in picks: behind the row that Next gave last
	row          []gpflow.Value
	reader       reader
}

// forgetWalk ends a walk over t: its rows have moved, or there are more. The next
// step of Next begins anew at its cursor.
func (p *Panes) forgetWalk(t *table) {
	if p.walk.table == t {
		p.walk.table = nil
	}
}

// end ends the walk, and gives its memory back where that is much.
func (w *walk) end() {
	w.table = nil
	w.reset()
	if w.bytes() > spareBytes {
		w.gatherer = gatherer{}
	}
}

// nextCold is Next for a table that has rows on the disk. The row is not to be
// changed.
func (p *Panes) nextCold(t *table, c gpflow.Cursor) (next gpflow.Cursor, key []byte, row []gpflow.Value, ok bool, err error) {
	w := &p.walk
	first := max(c.Group, p.from)
	for {
		if w.table != t || first < w.first || first > w.group {
			if first >= p.to {
				w.end()
				return c, nil, nil, false, nil
			}
			if err := p.gather(t, first); err != nil {
				w.table = nil
				return c, nil, nil, false, err
			}
		}
		from := uint64(0)
		if w.group == c.Group {
			from = uint64(c.Entry)
		}
		if w.at == 0 || w.at > len(w.picks) || w.picks[w.at-1].seq+1 != from {
			w.at = w.after(from)
		}
		if w.at < len(w.picks) {
			key, row, err = p.picked(t, &w.picks[w.at])
			w.at++
			return gpflow.Cursor{Group: w.group, Entry: int(w.picks[w.at-1].seq) + 1}, key, row, err == nil, err
		}
		first = w.group + 1
	}
}

// gather has the walk bring together the rows of t in the first group, from a
// given one on, that has some.
func (p *Panes) gather(t *table, first int) error {
	disk, err := p.owner.budget.space()
	if err != nil {
		return err
	}
	if len(t.order) < t.len() {
		p.sort(t)
	}
	w := &p.walk
	w.reset()
	w.table, w.first, w.at, w.bug = t, first, 0, p.bug
	i := t.firstOf(first, p.groups)
	group := p.to - 1
	if i < len(t.order) {
		group = keygroup.Of(t.meta[t.order[i]].hash, p.groups)
	}
	if l := t.leaving; l != nil && !l.done {
		l.arrange(1 << 62)
		group = l.firstGroup(first, group, p.groups)
	}
	if w.group, err = w.rows(disk, t.cold.id, p.groups, first, group); err != nil {
		return err
	}
	if l := t.leaving; l != nil && !l.done {
		l.inGroup(w.group, p.groups, func(e int) { w.memory(older, l.number(e), e) })
	}
	for ; i < len(t.order); i++ {
		e := int(t.order[i])
		if keygroup.Of(t.meta[e].hash, p.groups) != w.group {
			break
		}
		w.memory(newest, t.number(e), e)
	}
	w.settle()
	return nil
}

// picked returns the key and the row of what the walk has picked.
func (p *Panes) picked(t *table, k *picked) (key []byte, row []gpflow.Value, err error) {
	switch {
	case k.entry >= 0 && k.age == older:
		return t.leaving.key(k.entry), t.leaving.row(k.entry), nil
	case k.entry >= 0:
		return t.key(k.entry), t.row(k.entry), nil
	}
	w := &p.walk
	if w.row == nil {
		w.row = make([]gpflow.Value, p.width)
	}
	w.reader.b, w.reader.at, w.reader.err = w.buf[k.row[0]:k.row[1]], 0, nil
	w.reader.row(w.row, p.types)
	if w.reader.err != nil || w.reader.left() > 0 {
		return nil, nil, errCold
	}
	return w.buf[k.key[0]:k.key[1]:k.key[1]], w.row, nil
}

// firstOf returns the place in order of the first entry of a group, or of one
// behind it.
func (t *table) firstOf(group, groups int) int {
	i, _ := slices.BinarySearchFunc(t.order, group, func(e uint32, group int) int {
		return cmp.Compare(keygroup.Of(t.meta[e].hash, groups), group)
	})
	return i
}
