package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// cold is what a table knows of its rows on the disk.
type cold struct {
	id   uint64 // among all tables on the disk
	next uint64 // number of the next entry; so many keys there are
	// seq has the numbers of the entries that are in memory; nil: the entries
	// are numbered from 0.
	seq   []uint64
	logs  []log  // for deltas to come, in order
	runs  uint32 // that were written
	rows  int64  // that were written, also again
	bytes int64  // of them
}

// log is the rows of one run that no completed checkpoint had.
type log struct {
	after uint64 // the freeze after which some of them may have been written
	run   uint32
}

// size returns about how many bytes the rows on the disk take.
func (c *cold) size() int64 {
	if c.rows == 0 {
		return 0
	}
	return int64(float64(c.next) * float64(c.bytes) / float64(c.rows))
}

// The keys on the disk begin with the table and the space.
const (
	rowSpace = 0
	logSpace = 1
	prefix   = 8 + 1
)

func appendPrefix(dst []byte, id uint64, space byte) []byte {
	return append(binary.BigEndian.AppendUint64(dst, id), space)
}

// appendGroup appends the beginning of the keys of a group's rows.
func appendGroup(dst []byte, id uint64, group int) []byte {
	return binary.BigEndian.AppendUint16(appendPrefix(dst, id, rowSpace), uint16(group))
}

// rowKey takes a row's key on the disk apart.
func rowKey(b []byte) (group int, key []byte) {
	return int(binary.BigEndian.Uint16(b[prefix:])), b[prefix+2:]
}

// appendLog appends the key of a group in a log.
func appendLog(dst []byte, id uint64, l log, group int) []byte {
	dst = binary.BigEndian.AppendUint64(appendPrefix(dst, id, logSpace), l.after)
	dst = binary.BigEndian.AppendUint32(dst, l.run)
	return binary.BigEndian.AppendUint16(dst, uint16(group))
}

// evict writes tables to the disk and empties them.
func (m *Memory) evict(list []victim) error {
	if len(list) == 0 {
		return nil
	}
	disk, err := m.budget.space()
	if err != nil {
		return err
	}
	types := columnTypes(m.descs)
	for _, v := range list {
		p, t := m.panes[v.state], v.pane.table
		p.returned()
		p.forgetWalk(t)
		if t.cold == nil {
			t.cold = &cold{id: m.budget.numbers.Add(1), next: uint64(t.len())}
		}
		p.sort(t)
		t.sortKeys(m.groups)
	}
	slices.SortFunc(list, func(a, b victim) int { return int(a.pane.table.cold.id) - int(b.pane.table.cold.id) })
	w := &evictor{m: m, types: types}
	if err := disk.Write(func(add func(key, value []byte) error) error { return w.rows(list, add) }); err != nil {
		return err
	}
	if err := disk.Write(func(add func(key, value []byte) error) error { return w.logs(list, add) }); err != nil {
		return err
	}
	for _, v := range list {
		v.pane.table.evicted()
	}
	return nil
}

// sortKeys sorts the entries of each group in order by their keys.
func (t *table) sortKeys(groups int) {
	for from := 0; from < len(t.order); {
		g := keygroup.Of(t.meta[t.order[from]].hash, groups)
		to := from + 1
		for to < len(t.order) && keygroup.Of(t.meta[t.order[to]].hash, groups) == g {
			to++
		}
		slices.SortFunc(t.order[from:to], func(a, b uint32) int { return bytes.Compare(t.key(int(a)), t.key(int(b))) })
		from = to
	}
}

// number returns the number of an entry among all of its table.
func (t *table) number(e int) uint64 {
	if t.cold == nil || t.cold.seq == nil {
		return uint64(e)
	}
	return t.cold.seq[e]
}

// evictor writes rows for the disk.
type evictor struct {
	m          *Memory
	types      [][]gpflow.Type
	key, value []byte
}

// row returns the value of an entry on the disk, which is its number and its
// row. It is valid until the next call.
func (w *evictor) row(v victim, e int) (value []byte, err error) {
	t := v.pane.table
	value, err = appendRow(binary.AppendUvarint(w.value[:0], t.number(e)), t.row(e), w.types[v.state])
	if err != nil {
		return nil, fmt.Errorf("write state %q, pane %d, to the disk: %w", w.m.descs[v.state].Name, v.pane.at, err)
	}
	w.value = value
	return value, nil
}

// rows gives the rows of the tables to add.
func (w *evictor) rows(list []victim, add func(key, value []byte) error) error {
	for _, v := range list {
		t := v.pane.table
		for _, e := range t.order {
			value, err := w.row(v, int(e))
			if err != nil {
				return err
			}
			g := keygroup.Of(t.meta[e].hash, w.m.groups)
			w.key = append(appendGroup(w.key[:0], t.cold.id, g), t.key(int(e))...)
			if err := add(w.key, value); err != nil {
				return err
			}
			t.cold.rows++
			t.cold.bytes += int64(len(w.key) + len(value))
		}
	}
	return nil
}

// logs gives those of the rows that no completed checkpoint has to add, by group.
func (w *evictor) logs(list []victim, add func(key, value []byte) error) error {
	if w.m.freezes == 0 {
		return nil // the first checkpoint has all rows
	}
	for _, v := range list {
		t := v.pane.table
		dirty := t.changed()
		if dirty == nil || w.m.bug == ForgetEvicted {
			continue
		}
		if err := w.log(v, dirty, add); err != nil {
			return err
		}
	}
	return nil
}

// log gives the rows of v that are in dirty to add, those of a group together: of
// each, the key and the value on the disk, with their lengths before them.
func (w *evictor) log(v victim, dirty bitset, add func(key, value []byte) error) error {
	t := v.pane.table
	l := log{w.m.freezes, t.cold.runs}
	var block []byte
	group := -1
	flush := func() error {
		if len(block) == 0 {
			return nil
		}
		w.key = appendLog(w.key[:0], t.cold.id, l, group)
		err := add(w.key, block)
		block = block[:0]
		return err
	}
	for _, e := range t.order {
		if !dirty.has(int(e)) {
			continue
		}
		if g := keygroup.Of(t.meta[e].hash, w.m.groups); g != group {
			if err := flush(); err != nil {
				return err
			}
			group = g
		}
		value, err := w.row(v, int(e))
		if err != nil {
			return err
		}
		key := t.key(int(e))
		block = append(binary.AppendUvarint(block, uint64(len(key))), key...)
		block = append(binary.AppendUvarint(block, uint64(len(value))), value...)
	}
	if group >= 0 {
		t.cold.logs = append(t.cold.logs, l)
	}
	return flush()
}

// changed returns the entries that no completed checkpoint has; nil: there is
// none.
func (t *table) changed() bitset {
	sets := []bitset{t.owed}
	if t.touched {
		sets = append(sets, t.written)
	}
	for _, x := range t.taken {
		sets = append(sets, x.rows)
	}
	return union(sets...)
}

// evicted empties t, whose rows are on the disk. What frozen views hold of it
// they keep.
func (t *table) evicted() {
	c := t.cold
	c.runs++
	c.seq = make([]uint64, 0, firstRows)
	saved := t.saved
	t.forget()
	t.index, t.saved, t.values, t.at = make([]uint64, firstIndex), saved, 0, 0
}

// locate returns the entry of a key that is not in memory, having brought it
// there from the disk, or else made it.
func (p *Panes) locate(t *table, key []byte, hash uint64) (entry int, fresh bool, err error) {
	c := t.cold
	if c == nil {
		return t.insert(key, hash), true, nil
	}
	disk, err := p.owner.budget.space()
	if err != nil {
		return 0, false, err
	}
	p.forgetWalk(t)
	p.diskKey = append(appendGroup(p.diskKey[:0], c.id, keygroup.Of(hash, p.groups)), key...)
	value, ok, err := disk.Get(p.diskRow[:0], p.diskKey)
	if err != nil {
		return 0, false, err
	}
	e := t.insert(key, hash)
	if !ok {
		return e, true, nil
	}
	p.diskRow = value
	r := &p.reader
	r.b, r.at, r.err = value, 0, nil
	c.next--
	c.seq[e] = r.uvarint()
	row := t.row(e)
	r.row(row, p.types)
	if r.err == nil && r.left() > 0 {
		r.err = errors.New("it is longer than its row")
	}
	if r.err != nil {
		return 0, false, fmt.Errorf("read a row of state that had been written to the disk: %w", r.err)
	}
	if p.sized != nil {
		n := p.measure(row)
		t.values += n
		p.left -= n
	}
	return e, false, nil
}

// discard forgets the rows of t on the disk.
func (p *Panes) discard(t *table) {
	c := t.cold
	if c == nil {
		return
	}
	p.forgetWalk(t)
	t.cold = nil
	if p.bug == KeepDropped {
		p.ghost = c
		return
	}
	disk, err := p.owner.budget.space()
	if err == nil {
		err = disk.Remove(appendPrefix(nil, c.id, rowSpace), appendPrefix(nil, c.id+1, rowSpace))
	}
	if err != nil {
		panic(&DiskError{err})
	}
}

// forgetLogs removes those logs that deltas behind a completed checkpoint do not
// need.
func (m *Memory) forgetLogs(base uint64) {
	for _, p := range m.panes {
		for _, e := range p.panes {
			c := e.table.cold
			if c == nil || len(c.logs) == 0 || c.logs[0].after >= base {
				continue
			}
			c.logs = slices.DeleteFunc(c.logs, func(l log) bool { return l.after < base })
			disk, err := m.budget.space()
			if err == nil {
				from, to := log{}, log{after: base}
				err = disk.Remove(appendLog(nil, c.id, from, 0), appendLog(nil, c.id, to, 0))
			}
			if err != nil {
				panic(&DiskError{err})
			}
		}
	}
}

// since returns the logs that a delta needs which follows the freeze of that
// number.
func (c *cold) since(base uint64) []log {
	i := slices.IndexFunc(c.logs, func(l log) bool { return l.after >= base })
	if i < 0 {
		return nil
	}
	return slices.Clone(c.logs[i:])
}
