package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/sim/oracle"
)

// outside is the system that a sink writes to. It outlives processes.
type outside struct {
	staged    map[string][]string // rows that were written, by attempt
	prepared  map[string][]string // and made durable, by committable
	committed map[string]bool
	visible   map[string]int // lines that everybody sees
}

func newOutside() *outside {
	return &outside{
		staged: make(map[string][]string), prepared: make(map[string][]string),
		committed: make(map[string]bool), visible: make(map[string]int),
	}
}

// sink is a subtask of a transactional sink: what it has written lies in pieces,
// each of which is shown by a commit.
type sink struct {
	a    *attempt
	node *node
	to   *outside
	name string // of this subtask in this attempt
	// pieces is how many pieces each attempt's subtasks had prepared up to the
	// checkpoint that this one goes on from, and how many this one has.
	pieces map[string]int
	line   func(row []gpflow.Value) string
}

// Recover implements gpflow.Sink.
func (s *sink) Recover(_ context.Context, states [][]byte) error {
	s.pieces = make(map[string]int)
	for _, data := range states {
		var pieces map[string]int
		if err := json.Unmarshal(data, &pieces); err != nil {
			return err
		}
		for attempt, n := range pieces {
			s.pieces[attempt] = max(s.pieces[attempt], n)
		}
	}
	if s.a.config.Own == KeepStaged {
		var rows []string
		for _, attempt := range slices.Sorted(maps.Keys(s.to.staged)) {
			rows = append(rows, s.to.staged[attempt]...)
		}
		s.to.staged = map[string][]string{s.name: rows}
		return nil
	}
	clear(s.to.staged)
	for name := range s.to.prepared {
		var attempt string
		var number int
		if _, err := fmt.Sscanf(name, "%s %d", &attempt, &number); err != nil {
			return err
		}
		if number > s.pieces[attempt] && !s.to.committed[name] {
			delete(s.to.prepared, name)
		}
	}
	return nil
}

// Write implements gpflow.Sink.
func (s *sink) Write(_ context.Context, b *gpflow.Batch, _ func(int, error) error) error {
	for i := range b.N {
		s.to.staged[s.name] = append(s.to.staged[s.name], s.line(b.Row(i)))
	}
	return nil
}

// Prepare implements gpflow.Sink.
func (s *sink) Prepare(context.Context, gpflow.CheckpointID, bool) (gpflow.Prepared, error) {
	var p gpflow.Prepared
	if s.fails() {
		return p, errBroken
	}
	if rows := s.to.staged[s.name]; len(rows) > 0 {
		s.pieces[s.name]++
		name := fmt.Sprintf("%s %d", s.name, s.pieces[s.name])
		s.to.prepared[name] = rows
		delete(s.to.staged, s.name)
		p.Committable = gpflow.Committable(name)
	}
	var err error
	if p.State, err = json.Marshal(s.pieces); err == nil && s.node.doom == within {
		err = errBroken
	}
	return p, err
}

// Commit implements gpflow.Sink.
func (s *sink) Commit(_ context.Context, c gpflow.Committable) error {
	if s.fails() {
		return errBroken
	}
	name := string(c)
	rows, ok := s.to.prepared[name]
	if !ok {
		s.a.broken("C8", "%q is to be committed, and has been removed", name)
		return nil
	}
	if s.to.committed[name] && s.a.config.Own != CommitNotIdempotent {
		return nil
	}
	s.to.committed[name] = true
	for _, line := range rows {
		s.to.visible[line]++
	}
	if s.node.doom == within {
		return errBroken
	}
	return nil
}

// fails reports whether a call that is to fail does nothing; else it fails when all
// is done.
func (s *sink) fails() bool { return s.node.doom == within && s.a.rand.IntN(2) == 0 }

// Close implements gpflow.Sink.
func (s *sink) Close() error { return nil }

// rowLine and windowLine are the texts of rows.
func rowLine(row []gpflow.Value) string {
	return oracle.Line(row[0].Str(), row[1].Int(), row[2].Int())
}

func windowLine(row []gpflow.Value) string {
	return oracle.Line(row[0].Int(), row[1].Int(), row[2].Int(), row[3].Int())
}
