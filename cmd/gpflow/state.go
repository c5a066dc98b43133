package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/control"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/expr"
	"github.com/gpflow/gpflow/storage"
	"github.com/gpflow/gpflow/storage/local"
)

// stateRoot is where the state of pipelines is kept that do not say where.
const stateRoot = ".gpflow"

// runState is the state directory of a run, which no other run has.
type runState struct {
	name   string // of the pipeline
	dir    string
	store  *local.Store
	unlock func() error
	engine.Checkpoints
}

// stateDir returns the directory of a pipeline's state.
func stateDir(p *spec.Pipeline) string {
	return cmp.Or(p.Checkpoints().Directory, filepath.Join(stateRoot, p.Name))
}

// wish is what a run is to go on from, where it is not the last checkpoint.
type wish struct {
	fresh bool   // nothing: all that is there is left aside
	from  string // the directory of a savepoint
	back  int64  // the number of a retained checkpoint; 0: none
	loss  bool   // nodes that cannot keep their state may lose it
	quiet bool   // that it begins anew goes without saying
	fits  func(*engine.Checkpoints, *checkpoint.Manifest) error
}

// say says that a run begins anew, and why.
func (w wish) say(talk io.Writer, format string, args ...any) {
	if !w.quiet {
		fmt.Fprintf(talk, format, args...)
	}
}

// openState makes this process the one that has the pipeline's state, and finds
// what it goes on from.
func openState(ctx context.Context, p *spec.Pipeline, w wish, talk io.Writer) (s *runState, err error) {
	s = &runState{name: p.Name, dir: stateDir(p)}
	if s.store, err = local.Open(s.dir); err != nil {
		return nil, fmt.Errorf("%w; the state of %s is kept there, unless storage of its checkpoint block names another directory", err, p.Name)
	}
	if s.unlock, err = s.store.Lock(); err != nil {
		var held *local.HeldError
		if errors.As(err, &held) {
			what := "the pipeline %s is running already: %w"
			if p.Checkpoints().Directory != "" { // which others may name too
				what = "a pipeline is running already in the directory of the state of %s: %w"
			}
			err = fmt.Errorf(what, p.Name, err)
		}
		return nil, errors.Join(err, s.store.Close())
	}
	s.settle(p.Checkpoints())
	s.AllowLoss = w.loss
	if err := s.begin(ctx, w, talk); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// settle takes the settings of the checkpoint block.
func (s *runState) settle(c spec.Checkpoints) {
	s.Semantics, s.Retain, s.Who = expr.Semantics, c.Retain, whoami()
	s.Config = checkpoint.Config{Every: c.Every, Timeout: c.Timeout, MinPause: c.MinPause, MaxFailures: c.MaxFailures}
}

// begin claims the state and finds the checkpoint to go on from. A pipeline that
// has finished starts anew.
func (s *runState) begin(ctx context.Context, w wish, talk io.Writer) error {
	var err error
	if s.Keeper, err = checkpoint.Open(ctx, s.store); err != nil {
		return fmt.Errorf("the state in %s: %w", s.dir, err)
	}
	switch {
	case w.from != "":
		return s.adopt(ctx, w, talk)
	case w.back > 0:
		return s.back(ctx, w, talk)
	}
	if s.Keeper.Lineage() == "" {
		return s.fresh(ctx)
	}
	if w.fresh {
		w.say(talk, "beginning anew, as --fresh says; the state of earlier runs stays aside in %s\n", s.dir)
		return s.fresh(ctx)
	}
	if err := s.Keeper.Claim(ctx, whoami()); err != nil {
		return fmt.Errorf("the state in %s: %w", s.dir, err)
	}
	m, err := s.Keeper.Current(ctx)
	var none *checkpoint.NoCheckpoint
	switch {
	case errors.As(err, &none):
		return nil
	case err != nil:
		return s.waysBack(ctx, fmt.Errorf("the state in %s: %w", s.dir, err))
	case m.Pipeline != s.name:
		return s.another(m)
	case m.Outcome == checkpoint.OutcomeFinished:
		switch _, err := s.store.Get(ctx, settledName(m.Lineage)); {
		case err == nil:
			w.say(talk, "beginning anew: the last run has finished, with checkpoint %d of %s; all input is read, and all output written, once more\n",
				m.ID, timeOf(m).Format(time.DateTime))
			if err := s.fresh(ctx); err != nil {
				return err
			}
			return s.discard(ctx, talk)
		case !errors.Is(err, storage.ErrNotFound):
			return fmt.Errorf("the state in %s: %w", s.dir, err)
		}
		// It died before all of its output had been shown.
	}
	if err := w.fits(&s.Checkpoints, m); err != nil {
		return err
	}
	s.From = m
	fmt.Fprintf(talk, "going on from checkpoint %d of %s\n", m.ID, timeOf(m).Format(time.DateTime))
	return nil
}

// settledName names the object that says that all output of a lineage that has
// finished is shown, so that nothing is left to go on with.
func settledName(lineage string) string { return "settled/" + lineage }

// discard removes the state of earlier runs that have finished: nothing goes on
// from it. Where that fails the run goes on, and the next one does it.
func (s *runState) discard(ctx context.Context, talk io.Writer) error {
	all, err := s.Keeper.Lineages(ctx)
	if err != nil {
		return fmt.Errorf("the state in %s: %w", s.dir, err)
	}
	for _, lineage := range slices.DeleteFunc(all, func(l string) bool { return l == s.Keeper.Lineage() }) {
		_, err := s.store.Get(ctx, settledName(lineage))
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err == nil {
			err = s.Keeper.Discard(ctx, lineage)
		}
		if err == nil {
			err = s.store.Remove(ctx, settledName(lineage))
		}
		if err != nil {
			fmt.Fprintf(talk, "the state of an earlier run, which has finished, cannot be removed, and the next run tries it: %v\n", err)
		}
	}
	return nil
}

// finished makes the next run start anew.
func (s *runState) finished(ctx context.Context) error {
	return s.store.Put(ctx, settledName(s.Keeper.Lineage()), []byte("all output is shown\n"))
}

// adopt begins with a savepoint. One that the pipeline cannot go on from leaves
// the state that there is as it was.
func (s *runState) adopt(ctx context.Context, w wish, talk io.Writer) (err error) {
	store, m, err := savedAt(ctx, w.from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := w.fits(&s.Checkpoints, m); err != nil {
		return fmt.Errorf("--from %s: %w", w.from, err)
	}
	if s.From, err = adopt(ctx, s.Keeper, store, m); err != nil {
		return fmt.Errorf("--from %s: %w", w.from, err)
	}
	fmt.Fprintf(talk, "going on from the savepoint %s of %s\n", m.Name, timeOf(m).Format(time.DateTime))
	return nil
}

// newLineage returns the identity of a state that nobody has had before.
func newLineage() (string, error) {
	lineage := make([]byte, 16)
	if _, err := rand.Read(lineage); err != nil {
		return "", err
	}
	return hex.EncodeToString(lineage), nil
}

func (s *runState) fresh(ctx context.Context) error {
	lineage, err := newLineage()
	if err != nil {
		return err
	}
	if err := s.Keeper.Fresh(ctx, lineage, whoami()); err != nil {
		return fmt.Errorf("begin the state in %s: %w", s.dir, err)
	}
	var none *checkpoint.NoCheckpoint
	if _, err := s.Keeper.Current(ctx); !errors.As(err, &none) {
		return fmt.Errorf("begin the state in %s: it has a checkpoint already: %w", s.dir, err)
	}
	return nil
}

// whoami tells people which process has claimed an epoch.
func whoami() string {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

// listen lets gpflow status, stop and savepoint reach the run; nil: they cannot,
// and the run goes on without.
func (s *runState) listen(run *engine.Run, line *liveLine, log *slog.Logger) *control.Server {
	say := func(text string) { fmt.Fprintln(line, text) }
	server, err := control.Listen(s.store.Dir(), control.For(run, say, func(ctx context.Context, name string) error {
		return taken(ctx, s.store.Dir(), name)
	}))
	if err != nil {
		log.Warn("gpflow status, stop and savepoint cannot reach this run", "cause", err)
		return nil
	}
	return server
}

// hushed closes a server, if there is one.
func hushed(s *control.Server) error {
	if s == nil {
		return nil
	}
	return s.Close()
}

// close lets others have the state.
func (s *runState) close() error { return errors.Join(s.unlock(), s.store.Close()) }
