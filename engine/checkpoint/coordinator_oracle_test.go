package checkpoint_test

import (
	"errors"
	"fmt"
	"slices"
)

// ledger is what has to hold of checkpoints, said without a word of how the
// coordinator keeps it: it sees what goes in and out, in its own terms. A part
// works on rows 0, 1, 2 and so on of its own; what it was at a barrier or at its
// end is how many it had worked on; what it prepares is a run of them.
type ledger struct {
	parts  []string
	writes map[string]bool
	now    chapter
	seen   map[string][]bool // rows that are visible, by part
	shown  map[string]map[span]bool
	saved  map[int]page // what a store may have, by ID
}

// chapter is what the ledger knows of one attempt.
type chapter struct {
	last, flight int // IDs; flight 0: none
	storing      bool
	over         bool
	acked        map[int]map[string]int
	ended        map[string]int
	listed       map[string]map[span]bool // by a checkpoint that is stored
	asked        map[string]int           // rows that are to be committed, or are
	told         map[string]int           // rows known to be
}

// span is the rows from, ..., to-1 of a part.
type span struct{ from, to int }

// item is a span of a part.
type item struct {
	part string
	rows span
}

// page is a checkpoint.
type page struct {
	at    map[string]int
	gone  []string // those that are there with their end
	list  []item
	final bool
}

func newLedger() *ledger {
	return &ledger{writes: make(map[string]bool), seen: make(map[string][]bool), shown: make(map[string]map[span]bool), saved: make(map[int]page)}
}

func (l *ledger) add(part string, writes bool) {
	l.parts = append(l.parts, part)
	l.writes[part] = writes
	l.shown[part] = make(map[span]bool)
}

// attempt begins one that goes on from a page; last is the newest ID used. What
// lies before the page's list must be visible, and nothing behind the page.
func (l *ledger) attempt(p page, last int) error {
	l.now = chapter{
		last: last, acked: make(map[int]map[string]int), ended: make(map[string]int),
		listed: make(map[string]map[span]bool), asked: make(map[string]int), told: make(map[string]int),
	}
	for _, part := range l.parts {
		from := p.at[part]
		l.now.listed[part] = make(map[span]bool)
		for _, i := range p.list {
			if i.part == part {
				l.now.listed[part][i.rows] = true
				from = min(from, i.rows.from)
			}
		}
		l.now.asked[part], l.now.told[part] = from, from
		if n := len(l.seen[part]); n > p.at[part] {
			return fmt.Errorf("row %d of %s is visible, but the job goes on from row %d: doubled", n-1, part, p.at[part])
		}
		if !l.writes[part] {
			continue
		}
		for row := range from {
			if !l.visible(part, row) {
				return fmt.Errorf("row %d of %s is neither visible nor listed by the checkpoint gone on from: lost", row, part)
			}
		}
	}
	return nil
}

func (l *ledger) visible(part string, row int) bool {
	return row < len(l.seen[part]) && l.seen[part][row]
}

// ---- what goes in

func (l *ledger) ack(part string, id, rows int) {
	if l.now.acked[id] == nil {
		l.now.acked[id] = make(map[string]int)
	}
	l.now.acked[id][part] = rows
}

func (l *ledger) end(part string, rows int) { l.now.ended[part] = rows }

func (l *ledger) told(part string, rows span) { l.now.told[part] = rows.to }

func (l *ledger) stored(id int) {
	for _, i := range l.saved[id].list {
		l.now.listed[i.part][i.rows] = true
	}
	l.now.flight, l.now.storing = 0, false
}

// ---- what comes out

func (l *ledger) anything() error {
	if l.now.over {
		return errors.New("something is to be done after the end")
	}
	return nil
}

// begin takes a checkpoint that begins.
func (l *ledger) begin(id int) error {
	switch {
	case l.now.flight != 0:
		return fmt.Errorf("checkpoint %d begins while %d is in flight", id, l.now.flight)
	case id <= l.now.last:
		return fmt.Errorf("checkpoint %d begins after %d", id, l.now.last)
	}
	l.now.flight, l.now.last = id, id
	return nil
}

func (l *ledger) abort(id int) error {
	if id != l.now.flight {
		return fmt.Errorf("checkpoint %d is aborted while %d is in flight", id, l.now.flight)
	}
	l.now.flight, l.now.storing = 0, false
	return nil
}

// store takes a checkpoint that is to be stored: each part is in it with what
// it had said, and what it lists is all that the part has worked on up to there
// and that is not known to be visible, in order.
func (l *ledger) store(id int, p page) error {
	if l.now.flight == 0 { // without barriers: the final one
		if err := l.begin(id); err != nil {
			return err
		}
		if len(l.now.ended) < len(l.parts) || !p.final {
			return fmt.Errorf("checkpoint %d has no barriers, and is not the final one", id)
		}
	}
	if id != l.now.flight || l.now.storing {
		return fmt.Errorf("checkpoint %d is stored, but %d is in flight", id, l.now.flight)
	}
	l.now.storing = true
	atEnd := true
	for _, part := range l.parts {
		want, acked := l.now.acked[id][part]
		if !acked {
			var ended bool
			if want, ended = l.now.ended[part]; !ended {
				return fmt.Errorf("checkpoint %d is stored without waiting for %s", id, part)
			}
		}
		atEnd = atEnd && !acked
		if slices.Contains(p.gone, part) == acked {
			return fmt.Errorf("checkpoint %d: that %s is gone is %v, and it has acknowledged is %v", id, part, !acked, acked)
		}
		if got, ok := p.at[part]; !ok || got != want {
			return fmt.Errorf("checkpoint %d has %s at row %d (%v) instead of %d", id, part, got, ok, want)
		}
		if err := l.covers(part, want, p.list); err != nil {
			return fmt.Errorf("checkpoint %d: %w", id, err)
		}
	}
	if atEnd != p.final {
		return fmt.Errorf("checkpoint %d: final is %v, and all parts are at their end is %v", id, p.final, atEnd)
	}
	l.saved[id] = p
	return nil
}

func (l *ledger) covers(part string, at int, list []item) error {
	if !l.writes[part] {
		return nil
	}
	next := -1
	for _, i := range list {
		switch {
		case i.part != part:
			continue
		case next < 0 && i.rows.from > l.now.told[part] || next >= 0 && i.rows.from != next:
			return fmt.Errorf("the rows of %s before %d are neither listed nor known to be visible", part, i.rows.from)
		}
		next = i.rows.to
	}
	if next < 0 {
		next = l.now.told[part]
	}
	if next != at {
		return fmt.Errorf("the rows of %s are listed up to %d instead of %d", part, next, at)
	}
	return nil
}

// commit takes rows that are to be committed: in order, one run at a time, each
// once, and none that is not in a checkpoint that is stored.
func (l *ledger) commit(part string, rows span) error {
	switch {
	case !l.now.listed[part][rows]:
		return fmt.Errorf("%s is to commit %v, which no stored checkpoint lists", part, rows)
	case rows.from != l.now.asked[part]:
		return fmt.Errorf("%s is to commit %v, and not what begins at %d", part, rows, l.now.asked[part])
	case l.now.asked[part] != l.now.told[part]:
		return fmt.Errorf("%s is to commit %v before what comes before is known to be committed", part, rows)
	}
	l.now.asked[part] = rows.to
	return nil
}

// show makes rows visible: again, if they are the same run, and else once.
func (l *ledger) show(part string, rows span) error {
	if l.shown[part][rows] {
		return nil
	}
	l.shown[part][rows] = true
	for row := rows.from; row < rows.to; row++ {
		if l.visible(part, row) {
			return fmt.Errorf("row %d of %s is visible twice", row, part)
		}
		for len(l.seen[part]) <= row {
			l.seen[part] = append(l.seen[part], false)
		}
		l.seen[part][row] = true
	}
	return nil
}

// done takes the end of an attempt: all rows up to those of the last checkpoint
// are visible.
func (l *ledger) done(id int, final bool) error {
	l.now.over = true
	p := l.saved[id]
	if p.final != final {
		return fmt.Errorf("the job is done with checkpoint %d: final is %v", id, final)
	}
	for _, part := range l.parts {
		for row := range p.at[part] {
			if l.writes[part] && !l.visible(part, row) {
				return fmt.Errorf("the job is done, and row %d of %s is lost", row, part)
			}
		}
	}
	return nil
}
