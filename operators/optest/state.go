package optest

import (
	"slices"

	"github.com/gpflow/gpflow"
)

// memory is state in Go maps, for one key group. It lends the rows and keys
// that it gives out, and takes them back at the next call, as the contract
// allows: what an operator writes into a row later is lost, and what it reads
// is poison.
type memory map[string]*panes

func newMemory(descs []gpflow.StateDescriptor) memory {
	m := memory{}
	for _, d := range descs {
		m[d.Name] = &panes{width: d.Value.Width(), byTime: map[gpflow.Timestamp]*pane{}}
		for i := range m[d.Name].rows {
			m[d.Name].rows[i] = make([]gpflow.Value, d.Value.Width())
		}
	}
	return m
}

func (m memory) Panes(name string) gpflow.Panes { return m[name] }

type panes struct {
	width  int
	times  []gpflow.Timestamp // sorted
	byTime map[gpflow.Timestamp]*pane
	rows   [2][]gpflow.Value // lent in turn, so that the one before is poison
	turn   int               // rows[turn] is lent, if owner is set
	key    []byte            // lent
	owner  []gpflow.Value    // of the lent row; nil: none
}

type pane struct {
	entries map[string]int
	keys    []string
	rows    [][]gpflow.Value
}

// back takes back what was lent.
func (p *panes) back() {
	if p.owner != nil {
		copy(p.owner, p.rows[p.turn])
		p.owner = nil
	}
	for i := range p.rows[p.turn] {
		p.rows[p.turn][i] = gpflow.String("poison: a row of state that was kept")
	}
	for i := range p.key {
		p.key[i] = '#'
	}
}

func (p *panes) lend(owner []gpflow.Value) []gpflow.Value {
	p.turn = 1 - p.turn
	p.owner = owner
	copy(p.rows[p.turn], owner)
	return p.rows[p.turn]
}

func (p *panes) Upsert(at gpflow.Timestamp, key []byte, hash uint64) (row []gpflow.Value, fresh bool) {
	p.back()
	if hash != gpflow.HashKey(key) {
		panic("the hash is not that of the key")
	}
	b := p.byTime[at]
	if b == nil {
		b = &pane{entries: map[string]int{}}
		p.byTime[at] = b
		i, _ := slices.BinarySearch(p.times, at)
		p.times = slices.Insert(p.times, i, at)
	}
	e, ok := b.entries[string(key)]
	if !ok {
		e = len(b.keys)
		b.entries[string(key)] = e
		b.keys = append(b.keys, string(key))
		b.rows = append(b.rows, make([]gpflow.Value, p.width))
	}
	return p.lend(b.rows[e]), !ok
}

func (p *panes) First() (gpflow.Timestamp, bool) {
	p.back()
	if len(p.times) == 0 {
		return 0, false
	}
	return p.times[0], true
}

func (p *panes) Next(at gpflow.Timestamp, c gpflow.Cursor) (next gpflow.Cursor, key []byte, row []gpflow.Value, ok bool) {
	p.back()
	b := p.byTime[at]
	if b == nil || c.Entry >= len(b.keys) {
		return c, nil, nil, false
	}
	p.key = append(p.key[:0], b.keys[c.Entry]...)
	return gpflow.Cursor{Entry: c.Entry + 1}, p.key, p.lend(b.rows[c.Entry]), true
}

func (p *panes) Len(at gpflow.Timestamp) int {
	p.back()
	if b := p.byTime[at]; b != nil {
		return len(b.keys)
	}
	return 0
}

func (p *panes) Drop(at gpflow.Timestamp) {
	p.back()
	if p.byTime[at] != nil {
		delete(p.byTime, at)
		i, _ := slices.BinarySearch(p.times, at)
		p.times = slices.Delete(p.times, i, i+1)
	}
}

// saved is what a subtask's state holds, by name.
type saved map[string][]savedRow

// savedRow is an entry of a pane, in memory of its own.
type savedRow struct {
	pane gpflow.Timestamp
	key  string
	row  []gpflow.Value
}

// save returns what the state holds, and takes back what was lent.
func (m memory) save() saved {
	s := make(saved)
	for name, p := range m {
		p.back()
		for _, at := range p.times {
			b := p.byTime[at]
			for i, key := range b.keys {
				r := savedRow{pane: at, key: key}
				for _, v := range b.rows[i] {
					r.row = append(r.row, v.Clone())
				}
				s[name] = append(s[name], r)
			}
		}
	}
	return s
}

// restore adds the entries of s whose keys are owned.
func (m memory) restore(s saved, owned func(key []byte) bool) {
	for name, rows := range s {
		for _, r := range rows {
			if !owned([]byte(r.key)) {
				continue
			}
			row, _ := m[name].Upsert(r.pane, []byte(r.key), gpflow.HashKey([]byte(r.key)))
			for i, v := range r.row {
				row[i] = v.Clone()
			}
		}
	}
	for _, p := range m {
		p.back()
	}
}
