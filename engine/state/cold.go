package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// cold is what a table knows of its rows on the disk.
type cold struct {
	id    uint64 // among all tables on the disk
	next  uint64 // number of the next entry; so many keys there are
	keys  filter // those on the disk
	logs  []log  // for deltas to come, in order
	runs  uint32 // begun
	rows  int64  // that were written, also again
	bytes int64  // of them
}

// log is the rows of one eviction that no completed checkpoint had.
type log struct {
	after uint64 // the freeze after which some of them may have been written
	run   uint32 // of its table
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

// appendHash appends the beginning of the keys of the rows with a hash.
func appendHash(dst []byte, id, hash uint64) []byte {
	return binary.BigEndian.AppendUint64(appendPrefix(dst, id, rowSpace), hash)
}

// rowKey takes a row's key on the disk apart.
func rowKey(b []byte) (hash uint64, key []byte) {
	return binary.BigEndian.Uint64(b[prefix:]), b[prefix+8:]
}

// appendLog appends the beginning of the keys of a group's blocks in a log.
func appendLog(dst []byte, id uint64, l log, group int) []byte {
	dst = binary.BigEndian.AppendUint64(appendPrefix(dst, id, logSpace), l.after)
	dst = binary.BigEndian.AppendUint32(dst, l.run)
	return binary.BigEndian.AppendUint32(dst, uint32(group))
}

// locate returns the entry of a key that is not among the table's in memory,
// having brought it there from what is leaving, or from the disk, or else made it.
func (p *Panes) locate(t *table, key []byte, hash uint64) (entry int, fresh bool, err error) {
	c := t.cold
	if c == nil {
		return t.insert(key, hash), true, nil
	}
	if l := t.leaving; l != nil {
		if e, ok := l.find(key, hash); ok {
			return p.stay(t, l, e), false, nil
		}
	}
	p.forgetWalk(t)
	if !c.keys.has(hash) {
		return t.insert(key, hash), true, nil
	}
	disk, err := p.owner.budget.space()
	if err != nil {
		return 0, false, err
	}
	p.diskKey = append(appendHash(p.diskKey[:0], c.id, hash), key...)
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
	t.seq[e] = r.uvarint()
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

// stay makes an entry of l one of its table again.
func (p *Panes) stay(t *table, l *leaving, e int) (entry int) {
	p.forgetWalk(t)
	entry = t.insert(l.key(e), l.meta[e].hash)
	t.cold.next--
	t.seq[entry] = l.number(e)
	row := t.row(entry)
	copy(row, l.row(e))
	l.moved.set(e)
	if p.sized != nil {
		n := p.measure(row)
		t.values += n
		p.left -= n
	}
	return entry
}

// discard forgets the rows of t on the disk.
func (p *Panes) discard(t *table) {
	c := t.cold
	if c == nil {
		return
	}
	p.forgetWalk(t)
	p.owner.evictor.forget(t)
	p.owner.filters -= c.keys.bytes()
	t.cold, t.leaving = nil, nil
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
