package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// drain has a pipeline whose input does not end by itself end it, once all of it
// has been read.
func (r *round) drain(s *status) {
	if r.drained && s.read() == r.rows {
		_ = exec.Command(r.bin, "stop", "--drain", "--state", r.state()).Run() // the pipeline says how it ended
	}
}

// finish runs the pipeline to its end, as fast as it goes.
func (r *round) finish() error {
	if r.over {
		return nil
	}
	p, err := r.start(r.draw(0), "")
	if err != nil {
		return err
	}
	defer p.kill()
	err = p.until("its end", func() (bool, error) {
		if p.gone() {
			return true, nil
		}
		if s := r.look(); s != nil {
			r.drain(s)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	return r.ended(p)
}

// compare ends the round: everything that was to come out has come, once.
func (r *round) compare() error {
	err := r.shown.halt()
	if err != nil {
		return err
	}
	v := r.check(r.shown)
	if err := v.fault(); err != nil {
		return err
	}
	r.tally.clean++
	r.tally.rows += int64(v.rows)
	r.tally.looks += r.shown.looks
	r.tally.files += len(r.shown.seen)
	return nil
}

// close ends the round. Its directory stays where it has failed, and the error
// says so.
func (r *round) close(err error) error {
	if err != nil {
		r.unmount(true)
		_ = r.shown.halt() // the first error is what counts
		return fmt.Errorf("%s (%s): %w\nWhat it has left is in %s, with what each start said in talk/", r.name, r.about, err, r.dir)
	}
	r.unmount(r.keep)
	if r.keep {
		return nil
	}
	return os.RemoveAll(r.dir)
}

// errUncounted says that a kill that had to count did not.
var errUncounted = errors.New("no kill counted, however often it was tried")
