package main

import (
	"fmt"
	"regexp"
	"time"
)

// fault is something that happens to a pipeline besides being killed.
type fault struct {
	name string
	workload
	// do does it, and returns what happened. What remains is to come to the end
	// with the right output.
	do func(*round) (string, error)
}

func allFaults() []fault {
	return []fault{
		{"full-state-freed", transfers, fullStateFreed},
		{"full-state-stopped", transfers, fullStateStopped},
		{"full-output", partitioned, fullOutput},
		{"damaged-checkpoint", countPerKey, damagedCheckpoint},
		{"damaged-staged-file", partitioned, damagedStaged},
		{"two-runs", transfers, twoRuns},
		{"stopped-process", lateData, stoppedProcess},
		{"copied-state", lateData, copiedState},
		{"replaced-input", transfers, replacedInput},
		{"truncated-input", lateData, truncatedInput},
		{"removed-input", transfers, removedInput},
	}
}

// faults does all faults whose names match.
func (c *chaos) faults(wanted *regexp.Regexp) error {
	fmt.Println("\nFaults, each with the right output at the end:")
	for _, f := range allFaults() {
		if !wanted.MatchString(f.name) {
			continue
		}
		began := time.Now()
		r, err := c.begin(f.workload, f.name)
		if err != nil {
			return err
		}
		what, err := f.do(r)
		if err == nil {
			err = r.finish()
		}
		if err == nil {
			err = r.compare()
		}
		if err := r.close(err); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		fmt.Printf("  %-20s %4.1f s  %s\n", f.name, time.Since(began).Seconds(), what)
	}
	return nil
}

// running starts the pipeline, and waits until so many checkpoints are complete.
func (r *round) running(s settings, checkpoints int64) (*process, error) {
	p, err := r.start(s, "")
	if err != nil {
		return nil, err
	}
	if err := r.awaits(p, checkpoints); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// awaits waits until the process has completed more checkpoints.
func (r *round) awaits(p *process, more int64) error {
	from := int64(-1)
	return p.until(fmt.Sprintf("%d more checkpoints", more), func() (bool, error) {
		s := r.look()
		if s == nil {
			return false, nil
		}
		if from < 0 {
			from = s.Checkpoints.Completed
		}
		return s.Checkpoints.Completed >= from+more, nil
	})
}

// killedInTheMidst runs the pipeline for a few checkpoints, and kills it.
func (r *round) killedInTheMidst() error {
	p, err := r.running(r.draw(pace), 5)
	if err != nil {
		return err
	}
	p.kill()
	_, err = r.bury()
	return err
}
