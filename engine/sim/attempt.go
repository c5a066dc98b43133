package sim

import (
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/state"
)

// attempt is one start of the job, until it ends or dies.
type attempt struct {
	*world
	keeper    *checkpoint.Keeper
	store     *hooked // of keeper
	master    *master
	archivist *archivist
	regions   [][]string       // see topology.regions
	job       job.Config       // as it was started
	last      *job.Store       // the last that was to be stored; nil: none that may still be
	began     gpflow.Timestamp // when it was
	budget    *state.Budget    // of its process; nil: none
	phase     phase
	read      map[string]int            // rows of each split that count
	cut       map[string]int            // see world.cuts
	ledger    map[checkpoint.Part]int64 // what readers and writers have passed on, over all starts
	spoiled   int                       // regions that cannot be made anew
}

// begin makes all actors, to go on from m, and starts them.
func (a *attempt) begin(m *checkpoint.Manifest) error {
	a.nodes, a.regions = nil, a.top.regions()
	a.newCuts()
	if a.memory > 0 {
		a.budget = state.NewBudget(a.memory, func() (state.Disk, error) { return disk{make(rows)}, nil })
	}
	a.master = newMaster(a)
	var from *checkpoint.Manifest
	if m.ID > 0 {
		from = m
	}
	a.archivist = newArchivist(a, from)
	all := make([]int, len(a.regions))
	for i := range all {
		all[i] = i
	}
	b := newBuild(a, all)
	if from != nil {
		if err := b.goOn(from); err != nil {
			return err
		}
	}
	if err := b.all(); err != nil {
		return err
	}
	a.configure(b)
	a.master.job = job.New(a.job)
	a.master.take(b)
	return nil
}

// newCuts begins to note, for an epoch, which splits are ended before their end.
func (a *attempt) newCuts() {
	a.cut = make(map[string]int)
	a.cuts[a.keeper.Epoch()] = a.cut
}

// configure draws when checkpoints are taken, and what a failure leads to.
func (a *attempt) configure(b *build) {
	a.job = job.Config{
		Sources: b.sources, Sinks: b.sinks, Tasks: b.members, Durable: true, Last: a.keeper.NextID() - 1, Regions: a.regions, Plant: a.config.Job,
	}
	c := &a.job.Checkpoints
	c.Every = gpflow.Duration(50 + a.rand.IntN(1000))
	if !a.config.Calm {
		// Each part has its turn while a barrier goes by, and a stop ends with one that is in time.
		c.Timeout = gpflow.Duration(a.rand.IntN(2) * (1000 + len(b.members)*(100+a.rand.IntN(200))))
		c.MinPause = gpflow.Duration(a.rand.IntN(300))
		a.job.Restart = job.Policy{Attempts: a.rand.IntN(6), Within: gpflow.Duration(1+a.rand.IntN(20)) * gpflow.Second, Seed: uint64(a.rand.IntN(3))}
	}
	c.Plant = a.config.Coordinator
	if b.former != nil {
		a.job.Commit = b.former.Commit()
	}
}

// encoded is the job as it lies in a manifest.
func (a *attempt) encoded() []byte {
	data, err := plan.Encode(a.top.plan())
	if err != nil {
		a.broken("simulation", "%v", err)
	}
	return data
}

// ended takes note of the end of an actor.
func (a *attempt) ended(n *node, err error) {
	if n.region == nil {
		if err != errFinished {
			a.send(n, a.master.node, job.Failure{Err: fmt.Errorf("%s: %w", n.name, err)})
		}
		return
	}
	a.died(n, err)
}
