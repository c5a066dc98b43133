package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// round is one run of a workload from nothing to its end.
type round struct {
	*chaos
	workload
	job
	bin    string
	env    []string // of every start
	dir    string
	rng    *rand.Rand
	shown  *reader
	starts int

	read        int64 // rows that the source had read when it was last asked
	last        int64 // the checkpoint behind the last kill that counted
	lastStart   int64 // and behind the last in a recovery that counted
	uncommitted bool  // rows were read, and were not committed when the process died
	over        bool  // all output is shown
	exhausted   bool  // all rows are read, and committed
	mounted     []string
}

// begin makes a round, in a directory of its own.
func (c *chaos) begin(w workload, name string) (*round, error) {
	r := &round{chaos: c, workload: w, bin: c.bin, dir: filepath.Join(c.dir, name), rng: c.random(name)}
	for _, d := range []string{"out", "talk"} {
		if err := os.MkdirAll(filepath.Join(r.dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	if r.job, err = w.make(r.dir, r.rng); err != nil {
		return nil, err
	}
	r.shown = watch(filepath.Join(r.dir, "out"))
	return r, nil
}

// state returns the state directory.
func (r *round) state() string { return filepath.Join(r.dir, ".gpflow", "chaos") }

func (r *round) file(kind string) string {
	return filepath.Join(r.dir, "talk", fmt.Sprintf("%03d.%s", r.starts, kind))
}

// start starts gpflow, to die at a point if that is not "".
func (r *round) start(s settings, point string) (*process, error) {
	r.starts++
	if err := write(r.dir, r.job, s); err != nil {
		return nil, err
	}
	env := append([]string{"GPFLOW_FAILPOINT=" + point, "GPFLOW_FAILPOINT_TRACE=" + r.file("trace")}, r.env...)
	p, err := launch(r.ctx, r.bin, r.dir, r.file("talk"), env, "run", "pipeline.hcl", "--quiet")
	if g, ok := r.job.(growing); ok && err == nil {
		if err = g.grow(r.dir, s.rate == 0); err != nil {
			p.kill()
		}
	}
	return p, err
}

// draw draws the settings of a start.
func (r *round) draw(rate int) settings {
	return settings{parallelism: 1 + r.rng.IntN(3), rate: rate}
}

// trace returns the points that the last start has passed, in order.
func (r *round) trace() ([]string, error) {
	text, err := os.ReadFile(r.file("trace"))
	if os.IsNotExist(err) {
		return nil, nil // it died before it could open it
	}
	var all []string
	for _, line := range bytes.Fields(text) {
		all = append(all, string(line))
	}
	return all, err
}

// look asks the process how much it has read.
func (r *round) look() *status {
	s, err := ask(r.state())
	if err != nil {
		return nil // it does not answer yet, or any more
	}
	r.read = max(r.read, s.read())
	return s
}

// death is how a start has ended.
type death struct {
	*current
	trace []string
	fresh bool // a checkpoint newer than at the last kill that counted
}

// bury looks at what a start that was killed has left, which has to be in order
// at that moment.
func (r *round) bury() (*death, error) {
	d := &death{}
	var err error
	if d.current, err = readCurrent(r.state()); err != nil {
		return nil, fmt.Errorf("the state after the kill: %w", err)
	}
	if d.trace, err = r.trace(); err != nil {
		return nil, err
	}
	d.fresh = d.id > r.last
	if r.read > 0 { // else it has died before it could be asked, and things are as they were
		r.uncommitted = r.read > d.current.read
	}
	if r.shown.look(false); r.shown.err != nil {
		return nil, r.shown.err
	}
	if err := r.moment(r.shown, d.pending); err != nil {
		return nil, fmt.Errorf("behind checkpoint %d: %w", d.id, err)
	}
	r.over, r.exhausted = d.settled, d.current.read == r.rows
	return d, nil
}

// ended is what to make of a process that has ended by itself: it has finished,
// or something is wrong.
func (r *round) ended(p *process) error {
	if p.code() == 0 {
		r.over = true
		return nil
	}
	return fmt.Errorf("start %d ended with code %d; it says\n%s", r.starts, p.code(), p.said())
}

// killAfter starts the pipeline, and kills it after a time. The death is nil where
// the pipeline has finished before.
func (r *round) killAfter(rate int, after time.Duration) (*death, error) {
	p, err := r.start(r.draw(rate), "")
	if err != nil {
		return nil, err
	}
	defer p.kill()
	r.idle(p, after)
	p.kill()
	if !p.killed() {
		return nil, r.ended(p)
	}
	return r.bury()
}

// idle lets a process that has just been started run for a time.
func (r *round) idle(p *process, after time.Duration) {
	r.read = 0
	for at := time.Now().Add(after); time.Now().Before(at) && !p.gone(); time.Sleep(tick) {
		r.look()
	}
	r.look()
}

// stopAfter starts the pipeline, and tells it to stop after a time. It is killed
// while it stops, if it has not done so in the time grace; without one, it is
// waited for, and then all that it had prepared has to be shown.
func (r *round) stopAfter(rate int, after, grace time.Duration) error {
	p, err := r.start(r.draw(rate), "")
	if err != nil {
		return err
	}
	defer p.kill()
	r.idle(p, after)
	if err := p.until("the pipeline runs", func() (bool, error) { return r.look() != nil || p.gone(), nil }); err != nil {
		return err
	}
	_ = p.send("TERM") // it may be gone
	if grace > 0 {
		time.Sleep(grace)
		p.kill()
	} else if err := p.wait(); err != nil {
		return err
	}
	if !p.killed() && p.code() != 0 {
		return r.ended(p)
	}
	d, err := r.bury()
	if err != nil || p.killed() {
		return err
	}
	for _, f := range d.pending {
		if !r.shown.has(filepath.Join(r.dir, f.final)) {
			return fmt.Errorf("it was stopped in order behind checkpoint %d, and %s is not shown; it says\n%s", d.id, f.final, p.said())
		}
	}
	return nil
}

// killAt starts the pipeline, to die at a point when it is passed for the n-th
// time. hit is false where it did not pass it so often within many checkpoints;
// it is killed then all the same. The death is nil where the pipeline has
// finished before.
func (r *round) killAt(rate int, point string, n int) (d *death, hit bool, err error) {
	p, err := r.start(r.draw(rate), fmt.Sprintf("%s:%d", point, n))
	if err != nil {
		return nil, false, err
	}
	defer p.kill()
	r.read = 0
	const enough = 12 // checkpoints
	err = p.until("its end", func() (bool, error) {
		s := r.look()
		if s != nil && s.Checkpoints.Completed >= enough && rate > 0 {
			p.kill()
		}
		if s != nil && rate == 0 {
			r.drain(s)
		}
		return p.gone(), nil
	})
	switch {
	case err != nil:
		return nil, false, err
	case !p.killed():
		return nil, false, r.ended(p)
	}
	if d, err = r.bury(); err != nil {
		return nil, false, err
	}
	passed := 0
	for _, name := range d.trace {
		if name == point {
			passed++
		}
	}
	return d, passed >= n, nil
}
