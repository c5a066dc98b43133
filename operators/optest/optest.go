// Package optest puts operators through what the engine may do to them, and
// more: batches of any size with the marks at the same rows, output that fills
// up at any row, memory that is overwritten as soon as the contract allows it,
// ports that nobody reads, columns that nobody wants, and every failure
// policy; the end behind every batch, and another operator that goes on from
// there, or several. Whatever is done, the operator must give the same rows in the
// same order, and account for every one; several of them the same rows.
//
// A test describes one run as a Case and calls Run. Play and Driver are the
// parts that Run is made of, for properties and benchmarks.
package optest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
)

// Case is a run of one operator: its configuration, what comes in, and what is
// to come out.
type Case struct {
	Descriptor *gpflow.Descriptor
	Config     map[string]any // by field, as gpflow.NewConfig takes it
	Constants  gpflow.Constants
	In         []*gpflow.Schema // by input
	Steps      []Step
	// Want are the rows that leave each port, by its name ("" is the main
	// one), while failed records are diverted; a port that is not named lets
	// nothing out. nil: not compared. A row is written as Out.String does.
	// Keyed rows that are made at one mark come in the order in which their
	// keys first came: the harness has one key group.
	Want map[string][]string
	// WantErr is a part of the error that ends the run; "": it does not end.
	WantErr string
}

// Step is a row, or a mark, on an input.
type Step struct {
	Input  int
	Time   gpflow.Timestamp // the row's event time, or the mark's
	Values []gpflow.Value   // of a row; nil: a mark

	at int64 // of a row: its position among the rows, plus 1; 0: it is counted
}

// Row returns a row of input 0 with event time t.
func Row(t gpflow.Timestamp, values ...gpflow.Value) Step {
	if values == nil {
		values = []gpflow.Value{}
	}
	return Step{Time: t, Values: values}
}

// Mark returns a watermark of input 0.
func Mark(t gpflow.Timestamp) Step { return Step{Time: t} }

// End returns the end of input 0.
func End() Step { return Mark(gpflow.MaxTimestamp) }

// On returns s on another input.
func On(input int, s Step) Step { s.Input = input; return s }

// TB is what is needed of a test: *testing.T, *testing.B and *rapid.T have it.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Run puts the operator through everything.
func Run(t TB, c Case) {
	t.Helper()
	Describe(t, c.Descriptor)
	base := Play(t, c, Options{})
	c.expect(t, base)
	for _, batch := range []int{1, 2, 7, 0} {
		for _, slice := range []int{0, 1, 3} {
			same(t, fmt.Sprintf("batches of %d, output full after %d", batch, slice), base, Play(t, c, Options{Batch: batch, Slice: slice}), nil)
		}
	}
	c.policies(t, base)
	c.unread(t, base)
	c.pruned(t, base)
	c.survives(t, base)
}

// expect compares a run with Want and WantErr.
func (c *Case) expect(t TB, got *Played) {
	t.Helper()
	switch {
	case c.WantErr == "" && got.Err != nil:
		t.Fatalf("the run ends with an error: %v", got.Err)
	case c.WantErr != "" && (got.Err == nil || !strings.Contains(got.Err.Error(), c.WantErr)):
		t.Fatalf("the run ends with the error %v, want one with %q", got.Err, c.WantErr)
	}
	if c.Want == nil {
		return
	}
	for name := range c.Want {
		if c.Descriptor.PortIndex(name) < 0 {
			t.Fatalf("Want names the port %q, which %s does not have", name, c.Descriptor.Name())
		}
	}
	for name, rows := range got.Ports {
		if text := texts(rows); !slices.Equal(text, c.Want[name]) {
			t.Errorf("port %q gives\n\t%s\nwant\n\t%s", name, strings.Join(text, "\n\t"), strings.Join(c.Want[name], "\n\t"))
		}
	}
}

// policies runs the case with each failure policy.
func (c *Case) policies(t TB, base *Played) {
	t.Helper()
	skip := Play(t, *c, Options{Batch: 7, Policy: gpflow.ActionSkip})
	same(t, "on_error = skip", base, skip, func(port string) bool { return port != "errors" })
	if skip.Counts.Skipped != base.Counts.Diverted {
		t.Errorf("on_error = skip drops %d records, on_error = divert diverts %d", skip.Counts.Skipped, base.Counts.Diverted)
	}
	fail := Play(t, *c, Options{Batch: 7, Policy: gpflow.ActionFail})
	switch {
	case base.Counts.Diverted == 0:
		same(t, "on_error = fail", base, fail, nil)
	case fail.Err == nil:
		t.Errorf("on_error = fail does not end the run, but %d records fail", base.Counts.Diverted)
	case !strings.Contains(fail.Err.Error(), Address):
		t.Errorf("on_error = fail ends the run with %q, which is not the error that Fail returned", fail.Err)
	}
}

// unread runs the case with side ports that nobody reads.
func (c *Case) unread(t TB, base *Played) {
	t.Helper()
	var side []string
	for _, p := range c.Descriptor.Ports {
		side = append(side, p.Name)
	}
	got := Play(t, *c, Options{Batch: 7, Policy: gpflow.ActionSkip, Unread: side})
	same(t, "side ports that nobody reads", base, got, func(port string) bool { return port == "" })
	if got.Counts.Late != base.Counts.Late {
		t.Errorf("with side ports that nobody reads, %d rows are late, not %d", got.Counts.Late, base.Counts.Late)
	}
}

// pruned runs the case with no, each, and all of the main port's columns
// wanted, and only those columns on the inputs that the operator then uses.
func (c *Case) pruned(t TB, base *Played) {
	t.Helper()
	if base.Err != nil || base.Counts.Diverted > 0 {
		return // an expression that nobody wants does not fail
	}
	names := base.Schema.Names()
	sets := [][]string{{}, names}
	for _, n := range names {
		sets = append(sets, []string{n})
	}
	for _, set := range sets {
		wanted := make(map[string]bool)
		for _, n := range set {
			wanted[n] = true
		}
		got := Play(t, *c, Options{Batch: 7, Wanted: wanted})
		what := fmt.Sprintf("only %v wanted", set)
		if got.Err != nil {
			t.Errorf("%s: %v", what, got.Err)
			continue
		}
		diff(t, what, "", exact(project(base.Ports[""], wanted)), exact(project(got.Ports[""], wanted)))
	}
}

// same reports where two runs differ, on the ports that which accepts.
func same(t TB, what string, want, got *Played, which func(port string) bool) {
	t.Helper()
	if fmt.Sprint(want.Err) != fmt.Sprint(got.Err) {
		t.Errorf("%s: the run ends with %v, not with %v", what, got.Err, want.Err)
	}
	for name := range want.Ports {
		if which == nil || which(name) {
			diff(t, what, name, exact(want.Ports[name]), exact(got.Ports[name]))
		}
	}
}

func diff(t TB, what, port string, want, got []string) {
	t.Helper()
	if slices.Equal(want, got) {
		return
	}
	i := 0
	for i < len(want) && i < len(got) && want[i] == got[i] {
		i++
	}
	t.Errorf("%s: port %q gives %d rows, not %d; they differ from row %d on:\n\t%s\nwant\n\t%s", what, port, len(got), len(want), i,
		strings.Join(got[i:min(len(got), i+3)], "\n\t"), strings.Join(want[i:min(len(want), i+3)], "\n\t"))
}
