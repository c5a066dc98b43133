package sim

import (
	"context"
	"errors"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/resume"
)

// archivist drives the archive of a job. Its process may die in the midst of each
// call.
type archivist struct {
	a       *attempt
	node    *node
	archive *resume.Archive
}

// newArchivist returns that of a job which goes on from m; nil: from the beginning.
func newArchivist(a *attempt, m *checkpoint.Manifest) *archivist {
	v := &archivist{a: a, node: a.add("archivist"), archive: resume.NewArchive(a.keeper, m, 1+a.rand.IntN(3), "simulated")}
	v.archive.Plant(a.config.Resume)
	v.node.who = v
	return v
}

func (v *archivist) receive(message any) error {
	switch x := message.(type) {
	case job.Store:
		return v.keep(x)
	case job.Save:
		return v.save(x)
	case job.Rebuild:
		return v.rebuild(x)
	}
	return nil
}

// dies reports whether an error is the death of the process.
func (v *archivist) dies(err error) bool {
	killed := errors.Is(err, errKilled)
	v.a.die = v.a.die || killed
	return killed
}

// expected reports whether an error is one of the store's, and no mistake.
func (v *archivist) expected(err error) bool {
	return v.a.injected(err) || v.a.tampered && damaged(err)
}

// save makes a savepoint.
func (v *archivist) save(s job.Save) error {
	done, err := v.archive.Save(context.Background(), s)
	v.a.trace.say("savepoint %s of checkpoint %d: %v", s.Name, s.ID, done.Err)
	switch {
	case v.dies(done.Err):
		return nil
	case err != nil:
		return err
	case done.Of.Outcome == checkpoint.OutcomeFinished:
	case done.Err == nil:
		v.a.savepoint(s, done.Of)
	case !v.expected(done.Err):
		v.a.broken("savepoint", "%s cannot be made of checkpoint %d: %v", s.Name, s.ID, done.Err)
	}
	v.dies(v.archive.Retain(context.Background()))
	return nil
}

// keep makes a checkpoint durable, and says whether it is.
func (v *archivist) keep(s job.Store) error {
	v.a.unchanged(s)
	done, err := v.archive.Keep(context.Background(), v.manifest(), s)
	if err != nil {
		return err
	}
	failed, doubt := done.(checkpoint.StoreFailed)
	if doubt && v.dies(failed.Err) {
		return nil
	}
	if !doubt {
		v.a.stored(s)
	}
	v.a.send(v.node, v.a.master.node, job.Point{CoordinatorEvent: done})
	if !doubt {
		v.dies(v.archive.Retain(context.Background()))
		return nil
	}
	v.a.trace.say("checkpoint %d is not stored: %v", s.ID, failed.Err)
	if !v.expected(failed.Err) {
		v.a.broken("C5", "checkpoint %d cannot be stored: %v", s.ID, failed.Err)
	}
	v.a.doubted()
	return nil
}

// store is keep by a process that nobody listens to.
func (v *archivist) store(s job.Store) error {
	done, err := v.archive.Keep(context.Background(), v.manifest(), s)
	if failed, ok := done.(checkpoint.StoreFailed); ok {
		return failed.Err
	}
	return err
}

func (v *archivist) manifest() *checkpoint.Manifest {
	return &checkpoint.Manifest{
		Semantics: 1, Pipeline: "simulated", Time: v.a.began, KeyGroups: v.a.top.keyGroups, Plan: v.a.encoded(),
	}
}

func (v *archivist) work() (bool, error) { return false, nil }

// rebuild makes regions anew.
func (v *archivist) rebuild(x job.Rebuild) error {
	v.a.trace.say("REBUILD %+v", x)
	b := newBuild(v.a, x.Regions)
	b.at = x.Regions[0]
	err := v.remake(b, x.Claim)
	switch {
	case v.dies(err):
	case err != nil && (checkpoint.IsFatal(err) || !v.a.injected(err)):
		return err
	case err != nil:
		v.a.trace.say("region %d cannot be made anew: %v", b.at, err)
		v.a.send(v.node, v.a.master.node, job.Broken{Region: b.at, Err: err})
	default:
		v.a.send(v.node, v.a.master.node, built{x, b})
	}
	return nil
}

// remake makes what b is of, from the checkpoint that is current, which may be in
// doubt.
func (v *archivist) remake(b *build, doubt bool) error {
	epoch := v.a.keeper.Epoch()
	if doubt {
		v.a.last = nil // it is stored, or never will be
	}
	m, err := v.archive.Current(context.Background(), doubt)
	if v.a.keeper.Epoch() > epoch {
		v.a.stats.Doubts++
		v.a.newCuts()
	}
	if err != nil {
		return err
	}
	v.a.goesOn(m)
	if m != nil {
		if err := b.goOn(m); err != nil {
			return err
		}
	}
	return b.all()
}
