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
	// Writer begins a run of rows, beside others.
	Writer() (DiskWriter, error)
	// Wait waits for a few milliseconds at most where so much has been written that
	// reading becomes slow. It is called before rows are written.
	Wait() error
	// Remove forgets the rows from the key from up to, but not including, to.
	Remove(from, to []byte) error
	// View returns the rows as they are.
	View() DiskView
}

// DiskWriter writes a run of rows to a Disk. It belongs to one goroutine, and ends
// with Commit or Discard.
type DiskWriter interface {
	// Add adds a row behind the others, to whose keys its key is greater. Neither
	// key nor value are kept.
	Add(key, value []byte) error
	// Commit makes the rows those of the disk; they replace what was there under
	// their keys. On an error nothing has been added.
	Commit() error
	// Discard forgets the rows.
	Discard()
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

// Tables begin to leave when they take much of what a subtask's tables may: the more
// they hold then, the fewer runs there are on the disk that have to be merged. Of the
// bytes that are added, pace times as many are written meanwhile. So the rest has
// grown by a quarter of what is leaving when that is written, and all of it is 15/16
// of what it may be. Where the budget is full but for 1/16, of what is leaving, which
// is half the budget at most, 1/8 may be added, and so it is hurry times as many.
const (
	much  = 12 // of 16
	pace  = 4
	hurry = 8
	full  = 15 // of 16
)

// The bytes that a subtask adds at most before it writes some, and writes at most
// before it goes on: about a millisecond's worth. What it has not written then it
// writes with the next row.
const (
	eachLook = 16 << 10
	eachStep = 128 << 10
)

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
	m.pace = pace
	b.members.Add(1)
	for i, p := range m.panes {
		p.sized = sizedColumns(m.descs[i].Value)
		p.left = 0
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
	if m.budget == nil {
		for _, p := range m.panes {
			p.left = math.MaxInt
		}
		return nil
	}
	added, copied := int64(0), int64(0)
	for _, p := range m.panes {
		added += int64(m.look - p.left)
		copied += int64(p.copied)
		p.copied = 0
	}
	m.grown += added
	if err := m.evict((added - copied) * m.pace); err != nil {
		return &DiskError{err}
	}
	step := m.budget.step()
	if m.grown >= int64(step) {
		m.grown = 0
		m.account()
		m.makeRoom()
	}
	switch {
	case m.owed > 0:
		m.look = 0
	case len(m.evictor.queue) > 0:
		m.look = min(step, eachLook)
	default:
		m.look = step
	}
	for _, p := range m.panes {
		p.left = m.look
	}
	return nil
}

// settleAll is settle for whoever adds much at a time: where there is no room,
// nothing is left for later.
func (m *Memory) settleAll() error {
	err := m.settle()
	b := m.budget
	if err != nil || b == nil || m.tables-int64(m.filters) < b.room(m.tables, int64(m.filters)) {
		return err
	}
	if err := m.evictor.step(math.MaxInt64); err != nil {
		return &DiskError{err}
	}
	m.owed = 0
	m.account()
	m.makeRoom()
	return nil
}

// evict writes so many bytes more of what is leaving, what is more than a step later:
// only a row that is larger itself makes a larger one.
func (m *Memory) evict(bytes int64) error {
	m.owed += bytes
	now := min(m.owed, max(eachStep, bytes))
	m.owed -= now
	err := m.evictor.step(now)
	if len(m.evictor.queue) == 0 {
		m.owed = 0
	}
	return err
}

// filterShare is the share of the budget that may be taken by what says which keys
// are on the disk: enough for rows that take ten times the memory.
const filterShare = 8

// takeFilter takes so many bytes for a filter, unless that is too much.
func (m *Memory) takeFilter(bytes int) bool {
	if int64(m.filters+bytes) > m.budget.memory/filterShare/m.budget.members.Load() {
		return false
	}
	m.filters += bytes
	return true
}

// makeRoom has tables leave, and forgets what has left, where the tables hold so
// much that it is time.
func (m *Memory) makeRoom() {
	b := m.budget
	if b.Held() > b.memory/4*3 && m.forgetSpares() {
		m.account()
	}
	isFull := func() bool { return b.Held() > b.memory/16*full }
	room := b.room(m.tables, int64(m.filters))
	own := func() int64 { return m.tables - int64(m.filters) }
	m.pace = pace
	if isFull() || own() > room {
		m.pace = hurry
	}
	if len(m.evictor.queue) > 0 {
		return
	}
	if (isFull() || own() > room/16*full) && m.dropKept() {
		m.account()
	}
	switch {
	case isFull() && own() > int64(b.step()):
		m.dropKept()
		m.evictor.begin(m.victims(own()))
	case !m.kept && own() > room/16*much:
		m.evictor.begin(m.victims(room / 4))
	}
}

// room returns how many bytes the tables of a subtask may hold, which hold own, beside
// its filters: of half the budget an equal share, or what the others leave.
func (b *Budget) room(own, filters int64) int64 {
	half := b.memory / 2
	share := half / b.members.Load()
	return max(max(share, half-(b.tables.Load()-own))-filters, share/2)
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
	m.evictor.leave()
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
				all = append(all, victim{i, e, e.table.part.bytes()})
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
