package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/sim/oracle"
)

// topology is what a job is made of: one flow, or several that have nothing to do
// with each other, which are its regions.
type topology struct {
	flows     []*flow
	sources   []source
	stages    []stage // every edge leads to a later one
	keyGroups int
	encode    bool // links encode what they carry
	limit     exchange.Limit
	most      int // rows to read at once
}

// flow is a part of a job that no row leaves or enters. What it reads, and what it
// has to put out, are in oracle.Job.
type flow struct {
	oracle.Job
	name string // behind the names of its stages and sinks
}

// source is what the engine knows of a source.
type source struct {
	flow    *flow
	at      int // in the flow
	address string
	bounded bool
	rate    float64         // records per second; 0: as they come
	idle    gpflow.Duration // after which a split is silent, where the flow pauses; 0: never
	splits  []gpflow.Split
}

// stage is a task.
type stage struct {
	flow        *flow
	id          string
	parallelism int
	source      int  // of topology.sources; -1: none
	ops         []op // parents before children; the first is the head
	in          []edge
	follows     int // the stage whose subtasks this one is joined to one by one where it has as many; -1: none
}

// The kinds of operators, besides those of oracle.Source.
const (
	sourceOp = "source"
	passOp   = "pass"
	incOp    = "inc"
	dropOp   = "drop"
	shareOp  = "share" // of a broadcast: each row in one subtask
	evenOp   = "even"  // of two ways: rows go one of them by key
	oddOp    = "odd"
	windowOp = "window"
	lateOp   = "as late" // a late row becomes one as windows are
	holdOp   = "hold"
	sinkOp   = "sink"
)

// op is an operator of a stage.
type op struct {
	id, kind     string
	parent, port int // within the stage; parent -1: the head
}

// edge comes from a port of an operator of a stage.
type edge struct {
	from, op, port int
	kind           plan.Partition
}

// out returns the last operator of the stage that is not a sink. The edges leave
// from it, but for those of other ways; see fork.
func (s *stage) out() int {
	for i := len(s.ops) - 1; ; i-- {
		if s.ops[i].kind != sinkOp {
			return i
		}
	}
}

// add puts an operator behind the last one.
func (s *stage) add(kind string) {
	at := len(s.ops) - 1
	s.ops = append(s.ops, op{id: fmt.Sprintf("%s.%s%d", s.id, kind, len(s.ops)), kind: kind, parent: at})
}

// plan is the job as a manifest has it, without what only an engine needs.
func (j *topology) plan() *plan.Plan {
	p := &plan.Plan{Format: plan.Format, Pipeline: "simulated", KeyGroups: j.keyGroups, KeyHash: gpflow.KeyHashName}
	for _, s := range j.stages {
		t := plan.Task{ID: s.id, Parallelism: s.parallelism}
		for _, o := range s.ops {
			t.Ops = append(t.Ops, plan.Op{ID: o.id, Parent: o.parent, ParentPort: o.port, Ports: make([]plan.Port, 2)})
		}
		p.Tasks = append(p.Tasks, t)
		for _, e := range s.in {
			from := &j.stages[e.from]
			p.Edges = append(p.Edges, plan.Edge{From: from.id, FromOp: e.op, FromPort: e.port, To: s.id, Partition: e.kind})
		}
	}
	return p
}

// String tells the stages, with their subtasks and operators.
func (j *topology) String() string {
	var b strings.Builder
	for _, s := range j.stages {
		fmt.Fprintf(&b, " %s[%d]", s.id, s.parallelism)
		for _, o := range s.ops[1:] {
			fmt.Fprintf(&b, "+%s", o.id)
		}
	}
	return b.String()[1:]
}

// regions returns what fails by itself, each as the ids of its stages and operators.
func (j *topology) regions() (names [][]string) {
	p := j.plan()
	for _, tasks := range plan.Regions(p) {
		all := slices.Clone(tasks)
		for _, id := range tasks {
			for _, o := range p.Task(id).Ops {
				all = append(all, o.ID)
			}
		}
		names = append(names, all)
	}
	return names
}

// drawTopology draws a job.
func drawTopology(r *rand.Rand) *topology {
	j := &topology{keyGroups: 3 + r.IntN(14), encode: r.IntN(2) == 0, limit: exchange.DefaultLimit, most: 1 + r.IntN(24)}
	j.limit.Rows = int64(1 + r.IntN([]int{3, 64, 64, 64}[r.IntN(4)]))
	if r.IntN(3) == 0 {
		j.limit.Bytes = 1
	}
	names := []string{"", ".b", ".c"}[:[]int{1, 1, 2, 2, 2, 3}[r.IntN(6)]]
	for _, name := range names {
		sources := 1 + r.IntN(2)
		if len(names) > 1 && r.IntN(3) > 0 {
			sources = 1
		}
		j.drawFlow(r, name, sources, 400/len(names))
	}
	j.rescale(r)
	return j
}

// drawFlow draws a flow with a number of sources, each of whose splits has less
// than rows rows.
func (j *topology) drawFlow(r *rand.Rand, name string, sources, rows int) {
	f := &flow{name: name}
	f.Disorder = int64(r.IntN(60))
	j.flows = append(j.flows, f)
	var ends []int
	for range sources {
		ends = append(ends, len(j.stages))
		j.drawSource(r, f, rows)
	}
	if r.IntN(3) == 0 {
		ends = append(ends, j.fork(r, "side"+name, ends[0]))
	}
	if len(ends) > 1 || r.IntN(2) == 0 {
		m := stage{flow: f, id: "mid" + name, source: -1, follows: -1}
		kind := []plan.Partition{plan.Rebalance, plan.Broadcast, plan.Forward}[r.IntN(3)]
		if kind == plan.Broadcast {
			m.add(shareOp)
		} else {
			m.add(passOp)
		}
		f.Ops = chain(r, &m)
		ends = j.join(m, ends, kind)
	}
	if r.IntN(5) == 0 {
		ends = append(ends, j.fork(r, "way"+name, ends[0]))
	}
	if r.IntN(4) > 0 {
		ends = j.drawWindow(r, f, ends)
	}
	last := &j.stages[ends[0]]
	if len(ends) == 1 && r.IntN(2) == 0 {
		last.ops = append(last.ops, op{id: f.main(), kind: sinkOp, parent: last.out()})
	} else {
		kind := []plan.Partition{plan.Rebalance, plan.Forward}[r.IntN(2)]
		j.join(f.end(), ends, kind)
	}
}

// drawWindow has windows over what comes from some stages. Their late rows go to a
// sink of their own, or to the same as theirs, or nowhere.
func (j *topology) drawWindow(r *rand.Rand, f *flow, from []int) (ends []int) {
	f.Window = int64(20 + r.IntN(100))
	m := stage{flow: f, id: "window" + f.name, source: -1, follows: -1}
	m.add(windowOp)
	if r.IntN(2) == 0 {
		m.ops = append(m.ops, op{id: m.id + ".hold", kind: holdOp, parent: 0})
	}
	f.Late = r.IntN(2) == 0
	f.Joined = f.Late && r.IntN(2) == 0
	if f.Late && !f.Joined {
		m.ops = append(m.ops, op{id: "late" + f.name, kind: sinkOp, parent: 0, port: 1})
	}
	ends = j.join(m, from, plan.Hash)
	if !f.Joined {
		return ends
	}
	late := stage{flow: f, id: "again" + f.name, source: -1, follows: -1, in: []edge{{ends[0], 0, 1, plan.Rebalance}}}
	late.add(lateOp)
	j.stages = append(j.stages, late)
	both := stage{flow: f, id: "both" + f.name, source: -1, follows: -1}
	both.add(passOp)
	return j.join(both, append(ends, len(j.stages)-1), plan.Rebalance)
}

// main returns the id of the sink at the end of a flow, and of its stage where it
// has one of its own.
func (f *flow) main() string { return "main" + f.name }

// pauses reports whether sources have nothing to give for a while, and splits that
// are silent hold no watermark. What comes behind that is not bound to the watermark,
// so that where there are windows nobody could say what their content is to be.
func (f *flow) pauses() bool { return f.Window == 0 }

// end returns the stage of the sink at the end.
func (f *flow) end() stage {
	return stage{flow: f, id: f.main(), source: -1, follows: -1, ops: []op{{id: f.main(), kind: sinkOp, parent: -1}}}
}

// join adds a stage behind others. Forward edges need one sender.
func (j *topology) join(s stage, from []int, kind plan.Partition) []int {
	if kind == plan.Forward && len(from) > 1 {
		kind = plan.Rebalance
	}
	for _, f := range from {
		s.in = append(s.in, edge{f, j.stages[f].out(), 0, kind})
		if kind == plan.Forward {
			s.follows = f
		}
	}
	j.stages = append(j.stages, s)
	return []int{len(j.stages) - 1}
}

// fork has some of the rows of a stage that no edge leaves from yet take a way of
// their own, which is one stage long or three, and returns the stage at its end.
func (j *topology) fork(r *rand.Rand, name string, from int) (end int) {
	end = from
	for i, kind := range []string{oddOp, passOp, passOp}[:1+2*r.IntN(2)] {
		s := stage{flow: j.stages[from].flow, id: fmt.Sprintf("%s%d", name, i), source: -1, follows: -1}
		s.add(kind)
		end = j.join(s, []int{end}, plan.Rebalance)[0]
	}
	j.stages[from].add(evenOp)
	return end
}

// chain puts some stateless operators behind the head of a stage, and returns
// what they do.
func chain(r *rand.Rand, s *stage) (kinds []string) {
	for range r.IntN(3) {
		kinds = append(kinds, []string{incOp, dropOp}[r.IntN(2)])
		s.add(kinds[len(kinds)-1])
	}
	return kinds
}

func (j *topology) drawSource(r *rand.Rand, f *flow, rows int) {
	i := len(j.sources)
	s := source{flow: f, at: len(f.Sources), address: fmt.Sprintf("source%d", i), bounded: r.IntN(2) == 0}
	if r.IntN(4) == 0 {
		s.rate = float64(20_000 + r.IntN(500_000))
	}
	if r.IntN(2) == 0 {
		s.idle = gpflow.Duration(1 + r.IntN(5000))
	}
	st := stage{flow: f, id: s.address, source: i, follows: -1, ops: []op{{id: s.address, kind: sourceOp, parent: -1}}}
	data := oracle.Source{Ops: chain(r, &st)}
	keys := int64(1 + r.IntN(60))
	for range 1 + r.IntN(4) {
		name := fmt.Sprintf("s%d.%d", i, len(s.splits))
		s.splits = append(s.splits, gpflow.Split{ID: name, Data: []byte{byte(len(s.splits))}})
		data.Splits = append(data.Splits, drawRows(r, name, r.IntN(rows), keys, f.Disorder))
	}
	j.sources, f.Sources, j.stages = append(j.sources, s), append(f.Sources, data), append(j.stages, st)
}

// drawRows draws the rows of a split: most are in order to within the bound on
// disorder.
func drawRows(r *rand.Rand, split string, n int, keys, disorder int64) []oracle.Row {
	rows := make([]oracle.Row, n)
	at := int64(1000 + r.IntN(200))
	for i := range rows {
		at += int64(r.IntN(8))
		t := at - r.Int64N(disorder+1)
		if r.IntN(20) == 0 {
			t = at - r.Int64N(4*disorder+20)
		}
		rows[i] = oracle.Row{
			ID: fmt.Sprintf("%s#%d", split, i), Key: r.Int64N(keys), Value: int64(r.IntN(100)), Time: t, Position: i,
		}
	}
	return rows
}

// rescale draws how many subtasks there are of each stage; some keep those that
// they have. One that follows another mostly has as many as that, and else its
// rows are rebalanced.
func (j *topology) rescale(r *rand.Rand) {
	for i := range j.stages {
		s := &j.stages[i]
		if s.parallelism == 0 || r.IntN(3) > 0 {
			s.parallelism = 1 + r.IntN(3)
		}
		if s.follows < 0 {
			continue
		}
		before := &j.stages[s.follows]
		if r.IntN(2) > 0 {
			s.parallelism = before.parallelism
		}
		s.in[0].kind = plan.Forward
		if s.parallelism != before.parallelism {
			s.in[0].kind = plan.Rebalance
		}
	}
}

// fuse puts the sink at the end of a flow into the task before it, or takes it
// out, where the rows of a subtask go to one other.
func (j *topology) fuse(f *flow) {
	n := len(j.stages) - 1
	for j.stages[n].flow != f {
		n--
	}
	last := &j.stages[n]
	switch {
	case last.id != f.main():
		last.ops = last.ops[:len(last.ops)-1]
		j.join(f.end(), []int{n}, plan.Forward)
	case last.in[0].kind == plan.Forward:
		before := &j.stages[last.in[0].from]
		before.ops = append(before.ops, op{id: f.main(), kind: sinkOp, parent: before.out()})
		j.remove(n)
	}
}

// remove takes out a stage from which no edge leaves.
func (j *topology) remove(n int) {
	j.stages = slices.Delete(j.stages, n, n+1)
	for i := range j.stages {
		s := &j.stages[i]
		if s.follows > n {
			s.follows--
		}
		for k := range s.in {
			if s.in[k].from > n {
				s.in[k].from--
			}
		}
	}
}

// The schemas of what travels.
func rowSchema() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "id", Type: gpflow.T(gpflow.KindString)},
		gpflow.Column{Name: "key", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "value", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "at", Type: gpflow.T(gpflow.KindTimestamp).Opt()},
	)
}

func windowSchema() *gpflow.Schema {
	return gpflow.NewSchema(
		gpflow.Column{Name: "key", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "start", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "count", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "sum", Type: gpflow.T(gpflow.KindInt)},
	)
}
