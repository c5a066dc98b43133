package engine

import (
	"fmt"

	"github.com/gpflow/gpflow/engine/exchange"
)

// edge is a connection between two nodes as the engine runs it.
type edge struct {
	from, to *node
	port     int
	name     string              // of the port
	channels []*exchange.Channel // none: a call within a task
	copies   int64               // receivers of each row
	before   int64               // rows that had left the port before the job was restored
	region   int
}

func (e *edge) status(r *Run) Edge {
	s := Edge{From: e.from.Address, To: e.to.Address}
	if e.name != "" {
		s.From += "." + e.name
	}
	if len(e.channels) == 0 {
		sent := e.from.status().emitted
		s.InTask, s.Sent, s.Received = true, sent[e.port], sent[e.port]
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
// row that left one has arrived.
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
		if want := from.emitted[e.port] * e.copies; got.Sent != want {
			complain("%s -> %s: %d rows left the node, and %d were sent", got.From, got.To, want, got.Sent)
		}
		arrived[got.To] += got.Received
	}
	for i, n := range s.Nodes {
		if b := n.Balance(); b != 0 {
			complain("%s: of %d rows in, %d are not accounted for", n.Address, n.In, b)
		}
		if n.Role != "source" && n.In != arrived[n.Address] {
			complain("%s: %d rows arrived, and %d were taken", n.Address, arrived[n.Address], n.In)
		}
		if n.Role == "sink" {
			continue
		}
		for p, name := range v.nodes[i].ports {
			want := n.Passed + n.Created
			switch name {
			case "late":
				want = n.Late
			case "errors":
				want = n.Diverted
			case "":
			default:
				continue
			}
			if v.nodes[i].read[p] && n.emitted[p] != want {
				complain("%s: %d rows belong on its port %q, and %d left there", n.Address, want, name, n.emitted[p])
			}
		}
	}
	return bad
}
