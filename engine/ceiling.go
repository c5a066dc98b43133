package engine

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/exchange"
)

// LongestRecord returns the size in bytes of the longest record that the sources
// of a plan may give, and at least gpflow.BatchBytes: shorter ones share a
// batch. Sources whose records have no bound do not count.
func LongestRecord(r *gpflow.Registry, p *plan.Plan) int64 {
	longest := int64(gpflow.BatchBytes)
	for _, t := range p.Tasks {
		for _, op := range t.Ops {
			d := r.Lookup(op.Block, op.Kind)
			if d == nil {
				continue
			}
			// What cannot be read is reported where the operator is made.
			if config, err := gpflow.DecodeConfig(d.AllFields(), op.Config); err == nil {
				longest = max(longest, d.TraitsOf(config).MaxRecord)
			}
		}
	}
	return longest
}

// InFlight returns the most bytes that the rows in flight of a plan can hold with
// the limits of channels that are the default, and the size of the longest
// record that this is computed for: that of LongestRecord.
func InFlight(r *gpflow.Registry, p *plan.Plan) (most, row int64) {
	row = LongestRecord(r, p)
	return Ceiling(p, exchange.DefaultLimit, row), row
}

// Ceiling returns the most bytes that the rows in flight of a plan can hold,
// whatever the backlog, where no row is larger than row bytes: what fits each
// channel, what each output and each operator has collected, and what each
// reader is reading. State, and what connectors keep for themselves, come on
// top.
func Ceiling(p *plan.Plan, limit exchange.Limit, row int64) int64 {
	batch := gpflow.BatchBytes + row    // a batch is closed by the row that fills it
	pinned := 4*gpflow.BatchBytes + row // what its rows may pin until it is sent
	channels, builders := int64(0), int64(0)
	for _, t := range p.Tasks {
		n := int64(t.Parallelism)
		for i, op := range t.Ops {
			builders += n * int64(len(op.Ports))
			if i == 0 && len(op.In) == 0 { // a source: its reader's channel, and its batch
				channels += n
				builders += 2 * n
			}
			if len(op.Ports) == 0 { // a sink: the channel to its writer
				channels += n
				builders += n
			}
		}
	}
	for _, e := range p.Edges {
		n := int64(p.Task(e.From).Parallelism)
		if e.Partition != plan.Forward {
			n *= int64(p.Task(e.To).Parallelism)
		}
		channels += n
		builders += n
	}
	// An output overdraws a channel by what it has collected and one batch.
	return channels*(limit.Bytes+2*batch) + builders*pinned
}
