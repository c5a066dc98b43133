package engine

import (
	"fmt"

	"github.com/gpflow/gpflow/engine/exchange"
	"github.com/gpflow/gpflow/engine/resume"
)

// edge is a connection between two nodes as the engine runs it.
type edge struct {
	from, to *node
	port     int
	name     string              // of the port
	channels []*exchange.Channel // none: a call within a task
	copies   int64               // receivers of each row
	region   int
	// Of what came before the checkpoint that the job goes on from:
	left   int64 // rows that had left the port
	before int64 // those of them that had taken this edge: the job may have had others
}

func (e *edge) status(r *Run) Edge {
	s := Edge{From: resume.Output(e.from.Address, e.name), To: e.to.Address}
	if len(e.channels) == 0 {
		sent := e.from.status().emitted
		n := sent[e.port] - e.left + e.before
		s.InTask, s.Sent, s.Received = true, n, n
	}
	if len(e.channels) > 0 {
		s.Sent, s.Received = e.before*e.copies, e.before*e.copies
	}
	for _, c := range e.channels {
		s.Sent += c.Sent()
		s.Received += c.Received()
	}
	return s
}

// check returns the sums that do not add up after everything has flowed
// through: every row that entered a node has met exactly one fate, and every
// row that left one since the job went on from a checkpoint has arrived.
func (r *Run) check(s Status) []string {
	var bad []string
	complain := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	arrived := make(map[string]int64)
	v := r.view.Load()
	for i, e := range v.edges {
		got := s.Edges[i]
		from := s.Nodes[e.from.index]
		if got.Sent != got.Received {
			complain("%s -> %s: %d rows were sent, and %d received", got.From, got.To, got.Sent, got.Received)
		}
		before := e.before
		if !got.InTask {
			before *= e.copies
		}
		if want := (from.emitted[e.port] - e.left) * e.copies; got.Sent-before != want {
			complain("%s -> %s: %d rows left the node, and %d were sent", got.From, got.To, want, got.Sent-before)
		}
		arrived[got.To] += got.Received - before
	}
	for i, n := range s.Nodes {
		if b := n.Balance(); b != 0 {
			complain("%s: of %d rows in, %d are not accounted for", n.Address, n.In, b)
		}
		before := &v.nodes[i].before
		if in := n.In - before.In; n.Role != "source" && in != arrived[n.Address] {
			complain("%s: %d rows arrived, and %d were taken", n.Address, arrived[n.Address], in)
		}
		if n.Role == "sink" {
			continue
		}
		for p, name := range v.nodes[i].ports {
			want := n.Passed + n.Created - before.Passed - before.Created
			switch name {
			case "late":
				want = n.Late - before.Late
			case "errors":
				want = n.Diverted - before.Diverted
			case "":
			default:
				continue
			}
			if left := n.emitted[p] - v.nodes[i].left[p]; v.nodes[i].read[p] && left != want {
				complain("%s: %d rows belong on its port %q, and %d left there", n.Address, want, name, left)
			}
		}
	}
	return bad
}
