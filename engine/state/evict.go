package state

import (
	"encoding/binary"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

// limits are where runs on the disk end, by rows and bytes, and blocks of a log.
type limits struct{ rows, bytes, block int }

// usual are limits with which the end of a run takes a millisecond.
var usual = limits{rows: 32 << 10, bytes: 4 << 20, block: 32 << 10}

// arrangeShare is how many entries are arranged for one that would be written.
const arrangeShare = 16

// evictor writes what is leaving to the disk, step by step, one table after the
// other.
type evictor struct {
	limits
	m     *Memory
	types [][]gpflow.Type // of the columns, by state
	queue []victim        // the tables whose leaving part has not been written

	// Of the first of them:
	run, log DiskWriter // nil: there is none
	written  int        // rows in the run
	size     int        // bytes of them
	pending  []byte     // the block of the log that is being made
	group    int        // of the block
	blocks   uint32     // in the log

	key, value []byte // scratch
}

// begin has what the tables have in memory go to the disk. None of them is in the
// queue.
func (w *evictor) begin(list []victim) {
	m := w.m
	if w.types == nil {
		w.types = columnTypes(m.descs)
	}
	for _, v := range list {
		p, t := m.panes[v.state], v.pane.table
		p.returned()
		p.forgetWalk(t)
		if t.cold == nil {
			t.cold = &cold{id: m.budget.numbers.Add(1), next: uint64(t.len())}
		}
		l := newLeaving(&t.part, p.from, p.to, m.groups)
		l.log = log{m.freezes, t.cold.runs}
		if m.freezes == 0 || m.bug == ForgetEvicted {
			l.dirty = nil // the first checkpoint has all rows
		}
		t.cold.runs++
		t.part = part{width: t.width, scalars: t.scalars, index: make([]uint64, firstIndex), seq: make([]uint64, 0, firstRows)}
		t.order, t.at, t.born, t.spares, t.leaving = nil, 0, nil, spares{}, l
		w.queue = append(w.queue, v)
	}
}

// step writes about so many bytes of what is leaving, and at least one row.
func (w *evictor) step(bytes int64) error {
	if len(w.queue) == 0 {
		return nil
	}
	disk, err := w.m.budget.space()
	if err != nil {
		return err
	}
	if err := disk.Wait(); err != nil {
		return err
	}
	for bytes > 0 && len(w.queue) > 0 {
		l := w.queue[0].pane.table.leaving
		share := int64(l.share)
		n := int(bytes/share) + 1
		if rest := l.arrange(n * arrangeShare); rest > 0 {
			var wrote int
			if wrote, err = w.write(disk, l, min(n, rest)); err != nil {
				return err
			}
			n = max(wrote, 1)
		}
		bytes -= int64(n) * share
		if l.at == l.len() {
			if err := w.end(disk, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes n entries of l at most, which are arranged.
func (w *evictor) write(disk Disk, l *leaving, n int) (wrote int, err error) {
	if w.m.bug == ForgetStep && l.at < l.len() {
		l.next()
	}
	for ; wrote < n && l.at < l.len(); wrote++ {
		e := l.next()
		if l.moved.has(e) {
			continue // the table has a row that is newer
		}
		if err := w.row(disk, l, e); err != nil {
			return wrote, err
		}
		if w.written >= w.limits.rows || w.size >= w.limits.bytes {
			if err := w.endRun(); err != nil {
				return wrote, err
			}
		}
	}
	return wrote, nil
}

// row writes an entry: its number and its row, by the table, the hash and the key.
func (w *evictor) row(disk Disk, l *leaving, e int) (err error) {
	v := w.queue[0]
	value, err := appendRow(binary.AppendUvarint(w.value[:0], l.number(e)), l.row(e), w.types[v.state])
	if err != nil {
		return fmt.Errorf("write state %q, pane %d, to the disk: %w", w.m.descs[v.state].Name, v.pane.at, err)
	}
	w.value = value
	if w.run == nil {
		if w.run, err = disk.Writer(); err != nil {
			w.run = nil
			return err
		}
	}
	c := v.pane.table.cold
	w.key = append(appendHash(w.key[:0], c.id, l.meta[e].hash), l.key(e)...)
	if err := w.run.Add(w.key, value); err != nil {
		return err
	}
	n := len(w.key) + len(value)
	if w.m.bug != ForgetKeys || e%forgetEvery > 0 {
		c.keys.add(l.meta[e].hash, 2*l.len(), w.m.takeFilter)
	}
	c.rows, c.bytes = c.rows+1, c.bytes+int64(n)
	w.written, w.size = w.written+1, w.size+n
	if l.dirty == nil || !l.dirty.has(e) {
		return nil
	}
	return w.logged(disk, l, e, value)
}

// endRun puts the rows that have been written on the disk.
func (w *evictor) endRun() error {
	run := w.run
	w.run, w.written, w.size = nil, 0, 0
	if run == nil {
		return nil
	}
	return run.Commit()
}

// logged adds a row to the log: the key and the value on the disk, with their
// lengths before them, behind others of its group.
func (w *evictor) logged(disk Disk, l *leaving, e int, value []byte) (err error) {
	if w.log == nil {
		if w.log, err = disk.Writer(); err != nil {
			w.log = nil
			return err
		}
	}
	if g := keygroup.Of(l.meta[e].hash, w.m.groups); g != w.group || len(w.pending) >= w.limits.block {
		if err := w.endBlock(l); err != nil {
			return err
		}
		w.group = g
	}
	key := l.key(e)
	w.pending = append(binary.AppendUvarint(w.pending, uint64(len(key))), key...)
	w.pending = append(binary.AppendUvarint(w.pending, uint64(len(value))), value...)
	return nil
}

// endBlock writes a block of the log.
func (w *evictor) endBlock(l *leaving) error {
	if len(w.pending) == 0 {
		return nil
	}
	w.key = appendLog(w.key[:0], w.queue[0].pane.table.cold.id, l.log, w.group)
	w.key = binary.BigEndian.AppendUint32(w.key, w.blocks)
	err := w.log.Add(w.key, w.pending)
	w.pending = w.pending[:0]
	w.blocks++
	return err
}

// end ends the first table: all of it is on the disk. A log that no delta needs any
// longer, as a checkpoint behind the beginning has completed, is forgotten.
func (w *evictor) end(disk Disk, l *leaving) error {
	c := w.queue[0].pane.table.cold
	if err := w.endRun(); err != nil {
		return err
	}
	if w.log != nil && l.log.after >= w.m.base {
		if err := w.endBlock(l); err != nil {
			return err
		}
		log := w.log
		w.log = nil
		if err := log.Commit(); err != nil {
			return err
		}
		c.logs = append(c.logs, l.log)
	}
	w.discard()
	w.queue = w.queue[1:]
	w.m.kept = true
	l.end()
	return nil
}

// discard forgets what has been written of the first table and is not on the disk.
func (w *evictor) discard() {
	if w.run != nil {
		w.run.Discard()
	}
	if w.log != nil {
		w.log.Discard()
	}
	w.run, w.log, w.written, w.size, w.pending, w.blocks = nil, nil, 0, 0, w.pending[:0], 0
}

// forget takes a table out of the queue, which is dropped.
func (w *evictor) forget(t *table) {
	for i, v := range w.queue {
		if v.pane.table != t {
			continue
		}
		if i == 0 {
			w.discard()
		}
		w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
		return
	}
}

// leave ends the evictor, whatever is in its queue.
func (w *evictor) leave() {
	w.discard()
	w.queue = nil
}

// dropKept forgets the parts that have been written and are kept for looking up,
// and reports whether there were any.
func (m *Memory) dropKept() (some bool) {
	if !m.kept {
		return false
	}
	m.kept = false
	for _, p := range m.panes {
		for _, e := range p.panes {
			if l := e.table.leaving; l != nil && l.done {
				p.forgetWalk(e.table)
				e.table.leaving, some = nil, true
			}
		}
	}
	return some
}
