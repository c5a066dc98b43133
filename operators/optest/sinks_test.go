package optest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
)

// The mistakes of a shelf's sink.
const (
	showsAtOnce     = "shows what is not committed"
	notIdempotent   = "adds again what has been committed"
	forgetsAborted  = "forgets what was prepared for an aborted checkpoint"
	forgetsState    = "begins afresh in each start"
	refusesTwice    = "refuses a second commit"
	replacesVisible = "uses a name twice"
	keepsBatch      = "keeps the batch until the checkpoint"
	dropsAtEnd      = "takes nothing where the context has ended, and does not say so"
)

// shelf is where items are visible, by the name of what was committed.
type shelf map[string][]int

// shelfSink is a sink as simple as can be. It shows items with every second
// checkpoint.
type shelfSink struct {
	shelf shelf
	bug   string
	kept  []*gpflow.Batch
	shelfState
}

type shelfState struct {
	Next    int
	Items   []int            // not prepared yet
	Pending map[string][]int // prepared, and not committed yet
}

func (s *shelfSink) Recover(_ context.Context, states [][]byte) error {
	s.Pending = make(map[string][]int)
	if len(states) == 0 || s.bug == forgetsState {
		return nil
	}
	return json.Unmarshal(states[0], &s.shelfState)
}

func (s *shelfSink) Write(ctx context.Context, b *gpflow.Batch, _ func(int, error) error) error {
	if ctx.Err() != nil && s.bug == dropsAtEnd {
		return nil
	}
	if s.bug == keepsBatch {
		s.kept = append(s.kept, b)
		return nil
	}
	return s.take(b)
}

func (s *shelfSink) take(b *gpflow.Batch) error {
	for i := range b.N {
		s.Items = append(s.Items, int(b.Row(i)[0].Int()))
	}
	if s.bug == showsAtOnce {
		s.shelf["now"], s.Items = append(s.shelf["now"], s.Items...), nil
	}
	return nil
}

func (s *shelfSink) Prepare(_ context.Context, _ gpflow.CheckpointID, final bool) (p gpflow.Prepared, err error) {
	for _, b := range s.kept {
		_ = s.take(b)
	}
	s.kept = nil
	s.Next++
	if s.bug == forgetsAborted {
		s.Pending = make(map[string][]int)
	}
	if final || s.Next%2 == 0 {
		name := fmt.Sprint(s.Next)
		if s.bug == replacesVisible {
			name = fmt.Sprint(s.Next % 16)
		}
		s.Pending[name], s.Items = s.Items, nil
		if p.Committable, err = json.Marshal(s.Pending); err != nil {
			return p, err
		}
	}
	p.State, err = json.Marshal(s.shelfState)
	return p, err
}

func (s *shelfSink) Commit(_ context.Context, c gpflow.Committable) error {
	var prepared map[string][]int
	if err := json.Unmarshal(c, &prepared); err != nil {
		return err
	}
	for name, items := range prepared {
		switch _, again := s.shelf[name]; {
		case again && s.bug == notIdempotent:
			items = append(items, s.shelf[name]...)
		case again && s.bug == refusesTwice:
			return fmt.Errorf("%s has been committed", name)
		}
		s.shelf[name] = items
		delete(s.Pending, name)
	}
	return nil
}

func (s *shelfSink) Close() error { return nil }

// shelfCase is a run with a sink that has a mistake; "": none.
func shelfCase(bug string, choose func(string, int) int) optest.SinkCase {
	visible := make(shelf)
	return optest.SinkCase{
		Schema: gpflow.NewSchema(gpflow.Column{Name: "item", Type: gpflow.T(gpflow.KindInt)}),
		Row:    func(item int, row []gpflow.Value) { row[0] = gpflow.Int(int64(item)) },
		Open: func(string, int64, gpflow.Subtask) (gpflow.Sink, error) {
			return &shelfSink{shelf: visible, bug: bug}, nil
		},
		Visible: func() (all []int, err error) {
			for _, items := range visible {
				all = append(all, items...)
			}
			return all, nil
		},
		Appears: optest.Later, Choose: choose,
	}
}

func draw(t *rapid.T) func(string, int) int {
	return func(label string, n int) int { return rapid.IntRange(0, n-1).Draw(t, label) }
}

func TestRunSink(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { optest.RunSink(t, shelfCase("", draw(t))) })
}

// quiet is a test that fails without a word.
type quiet struct{ failed bool }

func (q *quiet) Helper()               {}
func (q *quiet) Errorf(string, ...any) { q.failed = true }
func (q *quiet) Fatalf(string, ...any) {
	q.failed = true
	panic(q)
}

// TestRunSinkFindsMistakes: a harness that finds nothing proves nothing.
func TestRunSinkFindsMistakes(t *testing.T) {
	for _, bug := range []string{showsAtOnce, notIdempotent, forgetsAborted, forgetsState, refusesTwice, replacesVisible, keepsBatch, dropsAtEnd} {
		if run := found(func(choose func(string, int) int) optest.SinkCase { return shelfCase(bug, choose) }); run == 0 {
			t.Errorf("a sink that %s passes 50 runs", bug)
		}
	}
}

// found returns the number of the first run that fails, or 0.
func found(c func(choose func(string, int) int) optest.SinkCase) uint64 {
	for seed := uint64(1); seed <= 50; seed++ {
		random := rand.New(rand.NewPCG(seed, 0))
		if fails(c(func(_ string, n int) int { return random.IntN(n) })) {
			return seed
		}
	}
	return 0
}

// fails reports whether a run fails.
func fails(c optest.SinkCase) bool {
	q := &quiet{}
	func() {
		defer func() {
			if r := recover(); r != nil && r != any(q) {
				panic(r)
			}
		}()
		optest.RunSink(q, c)
	}()
	return q.failed
}

// The mistakes of a screen.
const (
	losesItems   = "loses items"
	doublesItems = "shows items twice"
	takesHalf    = "has taken what a call that failed had"
)

// screen is a sink that shows items at once. Every tenth Write fails for the time
// being.
type screen struct {
	shelfSink
	shown *[]int
	calls int
}

func (s *screen) Recover(context.Context, [][]byte) error { return nil }

func (s *screen) Write(_ context.Context, b *gpflow.Batch, _ func(int, error) error) error {
	s.calls++
	failing := s.calls%10 == 0
	for i := range b.N {
		item := int(b.Row(i)[0].Int())
		if failing && s.bug != takesHalf || s.bug == losesItems && item%50 == 7 {
			continue
		}
		*s.shown = append(*s.shown, item)
		if s.bug == doublesItems && item == 1 {
			*s.shown = append(*s.shown, item)
		}
	}
	if failing {
		return &gpflow.Transient{Err: errors.New("the wire is loose")}
	}
	return nil
}

func (s *screen) Prepare(context.Context, gpflow.CheckpointID, bool) (gpflow.Prepared, error) {
	return gpflow.Prepared{}, nil
}

func screenCase(bug string, choose func(string, int) int) optest.SinkCase {
	var shown []int
	c := shelfCase("", choose)
	c.Appears, c.Visible = optest.AtOnce, func() ([]int, error) { return shown, nil }
	c.Open = func(string, int64, gpflow.Subtask) (gpflow.Sink, error) {
		return &screen{shelfSink: shelfSink{bug: bug}, shown: &shown}, nil
	}
	return c
}

// TestRunSinkAtOnce: a sink that is at-least-once may show items again behind a
// restart, and nothing else.
func TestRunSinkAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { optest.RunSink(t, screenCase("", draw(t))) })
	for _, bug := range []string{losesItems, doublesItems, takesHalf} {
		if run := found(func(choose func(string, int) int) optest.SinkCase { return screenCase(bug, choose) }); run == 0 {
			t.Errorf("a screen that %s passes 50 runs", bug)
		}
	}
}
