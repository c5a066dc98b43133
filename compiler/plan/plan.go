// Package plan is the contract between the compiler and the engine: a physical
// pipeline as plain data, which can be printed, hashed, compared, stored and
// sent.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
)

// Format is the version of the serial form. Decode refuses others.
const Format = 1

// Plan is a physical pipeline.
type Plan struct {
	Format    int    `json:"format"`
	Pipeline  string `json:"pipeline"`
	KeyGroups int    `json:"key_groups"` // fixed for the life of the state
	KeyHash   string `json:"key_hash"`   // gpflow.KeyHashName
	Tasks     []Task `json:"tasks"`      // every edge leads to a later task
	Edges     []Edge `json:"edges"`
}

// Task is a tree of operators that run together, called one by the other, in
// each of Parallelism subtasks.
type Task struct {
	ID          string `json:"id"` // the address of its first operator
	Parallelism int    `json:"parallelism"`
	// Ops are the operators, parents before children. Ops[0] takes the task's
	// input, or is a source.
	Ops []Op `json:"ops"`
}

// Op is a node of the pipeline as the engine runs it.
type Op struct {
	ID     string          `json:"id"` // the node's address: names its state
	Block  string          `json:"block"`
	Kind   string          `json:"kind,omitempty"`
	Config json.RawMessage `json:"config"` // gpflow.Config
	// Parent and ParentPort say whose output the operator takes within the
	// task; -1 for Ops[0].
	Parent     int                      `json:"parent"`
	ParentPort int                      `json:"parent_port,omitempty"`
	In         []*gpflow.Schema         `json:"in,omitempty"` // by input
	Ports      []Port                   `json:"ports,omitempty"`
	Constants  map[string]Constant      `json:"constants,omitempty"`
	OnError    OnError                  `json:"on_error"`
	EventTime  *EventTime               `json:"event_time,omitempty"` // of a source
	Hold       gpflow.Duration          `json:"hold,omitempty"`       // subtracted from watermarks that pass
	State      []gpflow.StateDescriptor `json:"state,omitempty"`
	Range      string                   `json:"range"` // where the node stands: "flights.gp.hcl:31,1"
}

// Port is an output of an operator.
type Port struct {
	Name   string         `json:"name,omitempty"`
	Schema *gpflow.Schema `json:"schema"`
	Read   bool           `json:"read"` // somebody reads it
}

// Constant is a typed constant that an operator's expressions refer to.
type Constant struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// OnError says what happens to records that fail.
type OnError struct {
	Action gpflow.Action `json:"action"`
	Limit  int64         `json:"limit"` // failed records that are too many by one; -1: none
	// Retries is how often in a row a call is made again, and Backoff the first
	// pause before that; of retry.
	Retries int             `json:"retries,omitempty"`
	Backoff gpflow.Duration `json:"backoff,omitempty"`
}

// EventTime says where a source's rows have their event time.
type EventTime struct {
	Column     string          `json:"column"`
	OutOfOrder gpflow.Duration `json:"out_of_order"`
	IdleAfter  gpflow.Duration `json:"idle_after,omitempty"` // 0: never
	MaxFuture  gpflow.Duration `json:"max_future"`           // -1: no limit
	// Until is the time at which the input ends; nil: it is not ended by time.
	Until *gpflow.Timestamp `json:"until,omitempty"`
	// Used says that somebody downstream works by event time.
	Used bool `json:"used"`
	// Ordered says that the splits promise ascending times in their order.
	Ordered bool `json:"ordered,omitempty"`
}

// Edge carries the rows of a port from one task to another.
type Edge struct {
	From      string    `json:"from"` // task
	FromOp    int       `json:"from_op"`
	FromPort  int       `json:"from_port"`
	To        string    `json:"to"`       // task
	ToInput   int       `json:"to_input"` // input of its Ops[0]
	Partition Partition `json:"partition"`
	// Key are the columns of Hash, or the record expressions out of which the
	// receiver's descriptor makes keys: see gpflow.Descriptor.NewKey.
	Key []string `json:"key,omitempty"`
}

// Partition says which subtasks of the receiver get a row.
type Partition string

// The partitionings, each with its order guarantee.
const (
	// Forward sends the rows of subtask i to subtask i. Their order is kept.
	Forward Partition = "forward"
	// Rebalance sends each batch to one subtask, in turn. Nothing is promised
	// about the order in which different subtasks see rows; each sees those
	// of one sender in the sender's order.
	Rebalance Partition = "rebalance"
	// Hash sends a row to the subtask that owns its key group. The rows of one
	// key from one sender keep their order.
	Hash Partition = "hash"
	// Broadcast sends every row to every subtask, in the sender's order.
	Broadcast Partition = "broadcast"
)

// Encode returns the stable serial form of p: equal plans have equal bytes.
func Encode(p *Plan) ([]byte, error) {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return append(data, '\n'), nil
}

// Decode reads what Encode wrote, and checks that the parts refer to each
// other.
func Decode(data []byte) (*Plan, error) {
	p := &Plan{}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("decode plan: %w", err)
	}
	if p.Format != Format {
		return nil, fmt.Errorf("decode plan: it has format %d, and this version reads %d", p.Format, Format)
	}
	if p.KeyHash != gpflow.KeyHashName {
		return nil, fmt.Errorf("decode plan: it hashes keys by %q, and this version by %q", p.KeyHash, gpflow.KeyHashName)
	}
	return p, p.validate()
}

// Digest returns a short name of the plan's content.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

func (p *Plan) validate() error {
	at := make(map[string]int)
	for i, t := range p.Tasks {
		if len(t.Ops) == 0 || t.Parallelism < 1 || t.Parallelism > p.KeyGroups {
			return fmt.Errorf("decode plan: task %q has no operators, or an impossible parallelism", t.ID)
		}
		for j, o := range t.Ops {
			if (j == 0) != (o.Parent < 0) || o.Parent >= j {
				return fmt.Errorf("decode plan: operator %q stands before its parent", o.ID)
			}
		}
		at[t.ID] = i
	}
	for _, e := range p.Edges {
		from, ok1 := at[e.From]
		to, ok2 := at[e.To]
		if !ok1 || !ok2 || from >= to {
			return fmt.Errorf("decode plan: the edge from %q to %q does not lead to a later task", e.From, e.To)
		}
		if e.FromOp >= len(p.Tasks[from].Ops) || e.FromPort >= len(p.Tasks[from].Ops[e.FromOp].Ports) {
			return errors.New("decode plan: an edge leaves from a port that does not exist")
		}
	}
	return nil
}

// Task returns the task of the given id, or nil.
func (p *Plan) Task(id string) *Task {
	for i := range p.Tasks {
		if p.Tasks[i].ID == id {
			return &p.Tasks[i]
		}
	}
	return nil
}
