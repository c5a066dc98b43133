package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/storage/local"
)

// freshKeeper returns a keeper that has begun in a new directory.
func freshKeeper(t *testing.T) (*checkpoint.Keeper, *local.Store) {
	t.Helper()
	store, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // the test is over
	k, err := checkpoint.Open(t.Context(), store)
	if err == nil {
		err = k.Fresh(t.Context(), "0123456789abcdef", "test")
	}
	if err != nil {
		t.Fatal(err)
	}
	var none *checkpoint.NoCheckpoint
	if _, err := k.Current(t.Context()); !errors.As(err, &none) {
		t.Fatal(err)
	}
	return k, store
}

// keeping returns the means to keep checkpoints in a new directory, and a keeper
// that looks into it.
func keeping(t *testing.T) (*Checkpoints, *checkpoint.Keeper) {
	t.Helper()
	k, store := freshKeeper(t)
	look, err := checkpoint.Open(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return &Checkpoints{Keeper: k, Retain: 1, Config: checkpoint.Config{Every: gpflow.Millisecond}}, look
}

// openWorld is a pipeline whose input does not end.
func openWorld(t *testing.T) *world {
	w := newWorld(t, []plan.Task{
		inTask(1, source("source.a", at(0))),
		inTask(2, operator("op.x", "pass"), below(sink("sink.out", clicks()), 0, 0)),
	}, joint("source.a", 0, 0, "op.x", plan.Hash, "k"))
	w.feeds["source.a"].splits["s"] = series(100, 100)
	w.feeds["source.a"].open = true
	w.stores["sink.out"].parts = true
	return w
}

// TestSavepoints: savepoints are whole, however many checkpoints are made and
// removed meanwhile, and their output is committed.
func TestSavepoints(t *testing.T) {
	w := openWorld(t)
	c, look := keeping(t)
	run := w.start(Options{Checkpoints: c})
	go run.Wait() // which answers, should the job fail
	var answers []<-chan Saved
	for i := range 5 {
		w.feeds["source.a"].add("s", series(10, 10)...)
		name := fmt.Sprintf("s%d", i)
		answers = append(answers, run.Savepoint(name), run.Savepoint(name))
	}
	for i, a := range answers {
		if s := <-a; s.Err != nil || s.ID == 0 {
			t.Errorf("savepoint %d: %+v", i/2, s)
		}
	}
	if s := <-run.Savepoint("s0"); s.Err == nil || !strings.Contains(s.Err.Error(), `there is a savepoint "s0" already`) {
		t.Errorf("a name is used twice: %+v", s)
	}
	last := run.StopWith("last")
	if r, err := run.Wait(); err != nil || r.Outcome != job.Stopped {
		t.Fatalf("the job %s: %v", r.Outcome, err)
	}
	if s := <-last; s.Err != nil {
		t.Errorf("the savepoint of the stop: %v", s.Err)
	}
	if s := <-run.Savepoint("late"); s.Err == nil || !strings.Contains(s.Err.Error(), "the job has ended before that was made") {
		t.Errorf("behind the end: %+v", s)
	}
	all, err := look.Savepoints(t.Context())
	if err != nil || len(all) != 6 {
		t.Fatalf("%d savepoints, %v", len(all), err)
	}
	for _, s := range all {
		if s.Err != nil || s.Manifest.Committables != nil || s.Manifest.Outcome != checkpoint.OutcomeRunning {
			t.Errorf("%s: %+v, %v", s.Name, s.Manifest, s.Err)
		}
	}
	if v, err := look.Verify(t.Context()); err != nil || len(v.Faults) > 0 {
		t.Errorf("%v, %v", v.Faults, err)
	}
	points := run.Status().Checkpoints
	if points.Completed < 6 || points.Failed != 0 || points.Last == nil || points.Flight != 0 || points.Last.Bytes == 0 {
		t.Errorf("the checkpoints were %+v", points)
	}
}

// TestNoSavepoint: where none can be made, it is said why.
func TestNoSavepoint(t *testing.T) {
	w := openWorld(t)
	run := w.start(Options{})
	if s := <-run.Savepoint("s"); s.Err == nil || !strings.Contains(s.Err.Error(), "keeps no checkpoints") {
		t.Errorf("without checkpoints: %+v", s)
	}
	run.Stop()
	if _, err := run.Wait(); err != nil {
		t.Fatal(err)
	}

	w = openWorld(t)
	c, look := keeping(t)
	run = w.start(Options{Checkpoints: c})
	go run.Wait()
	run.Drain()
	s := <-run.Savepoint("drained")
	if s.Err == nil || !strings.Contains(s.Err.Error(), "end") {
		t.Errorf("behind a drain: %+v", s)
	}
	if r, err := run.Wait(); err != nil || r.Outcome != job.Finished {
		t.Fatalf("the job %s: %v", r.Outcome, err)
	}
	if all, err := look.Savepoints(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("%d savepoints, %v", len(all), err)
	}
	if m, err := look.Current(t.Context()); err != nil || m.Outcome != checkpoint.OutcomeFinished {
		t.Errorf("the last checkpoint is %+v, %v", m, err)
	}
}

// TestDrainIsWhole: a checkpoint is of before a drain, so that a job which goes on
// from it goes on reading, or says that all input has ended, so that the job goes
// on with the end; there is none of which a part says the one and a part the other.
func TestDrainIsWhole(t *testing.T) {
	for range 20 {
		w := openWorld(t)
		w.feeds["source.a"].alone = true // more splits may be found, but for the drain
		k, _ := freshKeeper(t)
		run := w.start(Options{Checkpoints: &Checkpoints{Keeper: k, Retain: 1000, Config: checkpoint.Config{Every: 1}}})
		run.Drain()
		run.Savepoint("s")
		if r, err := run.Wait(); err != nil || r.Outcome != job.Finished {
			t.Fatalf("the job %s: %v", r.Outcome, err)
		}
		all, err := k.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range all {
			gone := l.Manifest.Part(checkpoint.Part{Kind: checkpoint.Reader, Name: "source.a"}).Gone
			done := l.Manifest.Sources[0].Done
			if finished := l.Manifest.Outcome == checkpoint.OutcomeFinished; gone != done || finished && !done {
				t.Fatalf("checkpoint %d is finished: %t, and its reader has ended: %t, its source: %t", l.ID, finished, gone, done)
			}
		}
	}
}

// TestCheckpointNow: a checkpoint that is asked for begins behind the question,
// and who asks a job that ends is told.
func TestCheckpointNow(t *testing.T) {
	w := openWorld(t)
	c, look := keeping(t)
	c.Config.Every = 3600 * gpflow.Second
	run := w.start(Options{Checkpoints: c})
	for want := gpflow.CheckpointID(1); want <= 3; want++ {
		s := <-run.Checkpoint()
		if s.Err != nil || s.ID != want {
			t.Fatalf("%+v, want checkpoint %d", s, want)
		}
		if m, err := look.Current(t.Context()); err != nil || m.ID != want {
			t.Fatalf("the current checkpoint is %+v, %v; want %d", m, err, want)
		}
	}
	run.Stop()
	if _, err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if s := <-run.Checkpoint(); s.Err == nil {
		t.Error("a job that has ended takes a checkpoint")
	}
}
