package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gpflow/gpflow/engine/checkpoint"
)

// back begins with an older checkpoint of this state, in place of the current
// one. One that the pipeline cannot go on from, and one that is damaged, leave
// the state as it was.
func (s *runState) back(ctx context.Context, w wish, talk io.Writer) error {
	all, err := s.Keeper.List(ctx)
	if err != nil {
		return fmt.Errorf("the state in %s: %w", s.dir, err)
	}
	i := slices.IndexFunc(all, func(l checkpoint.Listed) bool { return l.Err == nil && int64(l.ID) == w.back })
	if i < 0 {
		return fmt.Errorf("the state in %s has no checkpoint %d that can be gone back to; there is %s", s.dir, w.back, sound(all))
	}
	m := all[i].Manifest
	switch {
	case m.Outcome == checkpoint.OutcomeFinished:
		return fmt.Errorf("the pipeline has finished with checkpoint %d: there is nothing to go on with; there is %s", m.ID, sound(all))
	case m.Pipeline != s.name:
		return s.another(m)
	}
	if err := w.fits(&s.Checkpoints, m); err != nil {
		return fmt.Errorf("--from-checkpoint %d: %w", w.back, err)
	}
	if s.From, err = adopt(ctx, s.Keeper, s.store, m); err != nil {
		return fmt.Errorf("--from-checkpoint %d: %w", w.back, err)
	}
	fmt.Fprintf(talk, "going back to checkpoint %d of %s: what was put out since is put out again\n", m.ID, timeOf(m).Format(time.DateTime))
	return nil
}

// sound lists which checkpoints can be gone back to, as far as their manifests
// tell.
func sound(all []checkpoint.Listed) string {
	var ids []string
	for _, l := range all {
		if l.Err == nil && l.Manifest.Outcome != checkpoint.OutcomeFinished {
			ids = append(ids, fmt.Sprint(l.ID))
		}
	}
	if ids == nil {
		return "none"
	}
	return strings.Join(ids, ", ")
}

// another is the error of a state that is that of a pipeline of another name.
func (s *runState) another(m *checkpoint.Manifest) error {
	return fmt.Errorf("the state in %s is that of the pipeline %q, and this one is called %q: name a directory of its own in storage of its checkpoint block; "+
		"to go on under another name, make a savepoint and begin with that, with --from; or begin anew here with --fresh", s.dir, m.Pipeline, s.name)
}

// waysBack adds to the error of a current checkpoint that is damaged which others
// there are.
func (s *runState) waysBack(ctx context.Context, err error) error {
	var damaged *checkpoint.Damaged
	if !errors.As(err, &damaged) || !strings.HasPrefix(damaged.Object, "lineages/") {
		return err
	}
	all, failed := s.Keeper.List(ctx)
	if failed != nil || len(all) < 2 {
		return err
	}
	others := slices.DeleteFunc(all[1:], func(l checkpoint.Listed) bool { return l.Err != nil || refers(l.Manifest, damaged.Object) })
	if len(others) == 0 {
		return err
	}
	return fmt.Errorf("%w\n  To go back to an older checkpoint, say which with gpflow run --from-checkpoint: %s", err, sound(others))
}

// refers reports whether a checkpoint has a segment of that name.
func refers(m *checkpoint.Manifest, segment string) bool {
	return slices.ContainsFunc(m.Parts, func(p checkpoint.PartState) bool {
		return slices.ContainsFunc(p.Segments, func(s checkpoint.SegmentRef) bool { return s.Object == segment })
	})
}
