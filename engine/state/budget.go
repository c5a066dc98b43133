package state

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gpflow/gpflow"
)

// DiskReader reads rows by key.
type DiskReader interface {
	// Get appends to dst the value of a key, and reports whether there is one.
	Get(dst, key []byte) (value []byte, ok bool, err error)
	// Scan gives the rows from the key from up to, but not including, the key
	// to, in order, to f, until that returns false. Keys and values are valid
	// during the call.
	Scan(from, to []byte, f func(key, value []byte) bool) error
}

// DiskView is rows as they were once. Any goroutine may use it.
type DiskView interface {
	DiskReader
	// Close lets go of the rows; again, it does nothing.
	Close()
}

// Disk keeps rows that memory has no room for. It is scratch space: a process
// begins with an empty one. Any goroutine may use it.
type Disk interface {
	DiskReader
	// Write adds rows, those that run gives to add, in ascending order of their
	// keys, each key once. Neither keys nor values are kept. On an error, which
	// may be that of run, nothing has been added.
	Write(run func(add func(key, value []byte) error) error) error
	// Remove forgets the rows from the key from up to, but not including, to.
	Remove(from, to []byte) error
	// View returns the rows as they are.
	View() DiskView
}

// DiskError is a failure of the disk on which rows lie. Where there is no error
// to return, as in Upsert, it is what a Memory panics with: what was to be done
// has not been done, and the Memory is not to be used any longer.
type DiskError struct{ Err error }

func (e *DiskError) Error() string { return e.Err.Error() }

// Unwrap returns the disk's error.
func (e *DiskError) Unwrap() error { return e.Err }

// Budget is the memory that the state of several subtasks may take together.
// Any goroutine may use it.
//
// Half of it is for tables: beyond that, tables go to the disk. The other half
// is what frozen views may come to hold, as a table of which a view is held is
// copied at most once, and what they held, which the next copies use.
type Budget struct {
	memory  int64
	open    func() (Disk, error)
	members atomic.Int64
	tables  atomic.Int64 // bytes of tables
	views   atomic.Int64 // bytes that views hold and no table does
	numbers atomic.Uint64

	mu   sync.Mutex
	disk Disk // nil until a table goes to it
}

// NewBudget returns a budget of so many bytes. open is called when there is no
// more room for the first time.
func NewBudget(memory int64, open func() (Disk, error)) *Budget {
	return &Budget{memory: memory, open: open}
}

// Held returns the bytes that all the states hold in memory, as far as they have
// said it.
func (b *Budget) Held() int64 { return b.tables.Load() + b.views.Load() }

// space returns the disk.
func (b *Budget) space() (Disk, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.disk == nil {
		d, err := b.open()
		if err != nil {
			return nil, err
		}
		b.disk = d
	}
	return b.disk, nil
}

// roomy is the share of the budget, in eighths, down to which tables are written
// once they exceed half of it, and full the share of 16 at which whoever can make
// room does.
const (
	roomy = 3
	full  = 15
)

// excess returns how many bytes of its tables, which are own, a subtask has to
// give up. Of several, those that hold more than an equal share do.
func (b *Budget) excess(own int64) int64 {
	tables := b.tables.Load()
	switch {
	case tables+b.views.Load() > b.memory/16*full:
		return own
	case tables > b.memory/2 && own*b.members.Load() >= b.memory/2:
		return min(own, tables-b.memory/8*roomy)
	}
	return 0
}

// steps is how often a subtask looks at the budget while its tables grow to their
// share of it, and leastStep the least number of bytes between.
const (
	steps     = 64
	leastStep = 1 << 10
)

// step returns how many bytes a subtask may add before it looks again.
func (b *Budget) step() int {
	return max(int(b.memory/2/steps/max(b.members.Load(), 1)), leastStep)
}

// Limit has m keep within a budget, together with others. It is called before m
// is used.
func (m *Memory) Limit(b *Budget) {
	m.budget = b
	b.members.Add(1)
	for i, p := range m.panes {
		p.sized = sizedColumns(m.descs[i].Value)
		p.left = b.step()
	}
}

// sizedColumns returns the columns whose values may point to memory.
func sizedColumns(s *gpflow.Schema) (columns []int) {
	for i, c := range s.Columns {
		if c.Type.Sized() {
			columns = append(columns, i)
		}
	}
	return columns
}

// settle tells the budget what m holds, and makes room where that is too much.
func (m *Memory) settle() error {
	left := math.MaxInt
	if b := m.budget; b != nil {
		m.account()
		if b.Held() > b.memory/4*3 && m.forgetSpares() {
			m.account()
		}
		if excess := b.excess(m.tables); excess > 0 {
			if err := m.evict(m.victims(excess)); err != nil {
				return &DiskError{err}
			}
			m.account()
		}
		left = b.step()
	}
	for _, p := range m.panes {
		p.left = left
	}
	return nil
}

// account tells the budget what m holds.
func (m *Memory) account() {
	views := int64(m.heldBytes())
	tables, spilled := int64(0), int64(0)
	for _, p := range m.panes {
		tables += int64(p.Bytes())
		for _, e := range p.panes {
			if e.table.cold != nil {
				spilled += e.table.cold.size()
			}
		}
	}
	m.budget.tables.Add(tables - m.tables)
	m.budget.views.Add(views - m.views)
	m.tables, m.views = tables, views
	m.inMemory.Store(tables + views)
	m.onDisk.Store(spilled)
}

// Held returns about how many bytes m holds in memory, and how many on the disk,
// as of the last time that it looked at its budget. Any goroutine may call it.
func (m *Memory) Held() (memory, disk int64) { return m.inMemory.Load(), m.onDisk.Load() }

// Leave takes what m holds out of its budget. m is not used any longer.
func (m *Memory) Leave() {
	if m.budget == nil {
		return
	}
	m.budget.tables.Add(-m.tables)
	m.budget.views.Add(-m.views)
	m.budget.members.Add(-1)
	m.tables, m.views = 0, 0
}

// victim is a table that goes to the disk.
type victim struct {
	state int
	pane  pane
	bytes int
}

// victims returns tables which hold so many bytes together, the largest first;
// of each state, the one used last only where the others are not enough.
func (m *Memory) victims(bytes int64) (chosen []victim) {
	var all []victim
	for i, p := range m.panes {
		for _, e := range p.panes {
			if e.table.len() > 0 {
				all = append(all, victim{i, e, e.table.bytes()})
			}
		}
	}
	used := func(v victim) int {
		if m.panes[v.state].last.table == v.pane.table {
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b victim) int {
		return cmp.Or(used(a)-used(b), b.bytes-a.bytes, a.state-b.state, cmp.Compare(a.pane.at, b.pane.at))
	})
	for _, v := range all {
		if bytes <= 0 {
			break
		}
		chosen = append(chosen, v)
		bytes -= int64(v.bytes)
	}
	return chosen
}

// lent is the row that Upsert returned last, where it has to be measured.
type lent struct {
	table *table // nil: none
	row   []gpflow.Value
	size  int
}

// measure returns the bytes that the values of a row point to.
func (p *Panes) measure(row []gpflow.Value) (n int) {
	for _, c := range p.sized {
		n += row[c].Size()
	}
	return n
}

// lend notes that the operator is about to change a row.
func (p *Panes) lend(t *table, row []gpflow.Value) {
	p.lent = lent{t, row, p.measure(row)}
}

// returned counts what the operator has made of the row that was lent to it.
func (p *Panes) returned() {
	t := p.lent.table
	if t == nil {
		return
	}
	grown := p.measure(p.lent.row) - p.lent.size
	t.values += grown
	p.left -= grown
	p.lent.table = nil
}
