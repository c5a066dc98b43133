package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// bug is a mistake that the product's code can be told to make, in a build with
// the tag bugs.
type bug struct {
	name, mistake string
	workload      workload
}

var bugs = []bug{
	{"no-alignment", "a task does not hold the channels on which a barrier has come", transfers},
	{"commit-before-stored", "output is shown before its checkpoint is current", transfers},
	{"complete-without-all", "a checkpoint is complete without a part of the job", transfers},
	{"forget-dirty", "a changed row is left out of a delta", countPerKey},
	{"no-copy-on-write", "a frozen view is written to", countPerKey},
	{"non-idempotent-commit", "what has been committed is not known again", partitioned},
	{"no-truncate", "what was staged behind the checkpoint stays", partitioned},
	{"forget-open-part", "a file that was being written is not gone on with", partitioned},
}

// tries is in how many rounds a planted bug has to be found.
const tries = 12

// planted has the product make mistakes, each of which has to be found.
func (c *chaos) planted() error {
	fmt.Println("\nPlanted bugs, and what has found them:")
	for _, b := range bugs {
		if err := c.find(b); err != nil {
			return err
		}
	}
	return nil
}

func (c *chaos) find(b bug) error {
	began := time.Now()
	for n := range tries {
		r, err := c.begin(b.workload, fmt.Sprintf("bug-%s-%d", b.name, n))
		if err != nil {
			return err
		}
		r.bin, r.env = c.bugs, []string{"GPFLOW_BUG=" + b.name}
		found := r.killedOften()
		if found == nil {
			found = r.finish()
		}
		if found == nil {
			found = r.shown.halt()
		}
		if found == nil {
			found = r.check(r.shown).fault()
		}
		starts := r.starts
		if err := r.close(nil); err != nil {
			return err
		}
		if found != nil {
			what := strings.Split(found.Error(), "\n")
			fmt.Printf("  %-24s %s: found in round %d, after %d starts, %.1f s\n      %.200s\n",
				b.name, b.mistake, n+1, starts, time.Since(began).Seconds(), strings.TrimSpace(what[len(what)-1]))
			return nil
		}
	}
	return fmt.Errorf("the planted bug %s (%s) was not found in %d rounds: %w", b.name, b.mistake, tries, errBlind)
}

var errBlind = errors.New("this proves nothing")

// killedOften kills a round at random moments and behind a commit.
func (r *round) killedOften() error {
	for range 8 {
		if r.over {
			return nil
		}
		if _, err := r.killAfter(pace, time.Duration(r.rng.IntN(600))*time.Millisecond); err != nil {
			return err
		}
		point := []string{"commit-done", "checkpoint-stored", "part-named", "sealed-durable", "writer-acknowledged"}[r.rng.IntN(5)]
		if r.over {
			return nil
		}
		if _, _, err := r.killAt(pace, point, 1+r.rng.IntN(8)); err != nil {
			return err
		}
	}
	return nil
}
