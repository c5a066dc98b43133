package gpflow

import (
	"errors"
	"fmt"
)

// RecordError is the failure of one record.
type RecordError struct {
	Code string // stable and short: "decode", "expression", "no_event_time"
	// Field is the path of the node's field that could not be applied to the
	// record, such as "select.total"; "": none.
	Field string
	Err   error
}

// InField returns err, where it is a RecordError, as that of a field of the
// node.
func InField(field string, err error) error {
	var r *RecordError
	if !errors.As(err, &r) || r.Field != "" {
		return err
	}
	return &RecordError{r.Code, field, r.Err}
}

func (e *RecordError) Error() string { return e.Err.Error() }
func (e *RecordError) Unwrap() error { return e.Err }

// ErrorCode returns the code of err, or "record" where it has none.
func ErrorCode(err error) string {
	var r *RecordError
	if errors.As(err, &r) {
		return r.Code
	}
	return "record"
}

// Counts are the ledger of a node in one subtask: what has become of each row
// that came in. In = Passed + Filtered + Absorbed + Late + Skipped + Diverted
// at all times but within a call of the operator.
type Counts struct {
	In       int64 `json:"in"`       // rows that came in
	Passed   int64 `json:"passed"`   // left through the main port
	Filtered int64 `json:"filtered"` // refused by a condition
	Absorbed int64 `json:"absorbed"` // went into state, or into rows made
	Late     int64 `json:"late"`     // came after their window had closed
	Skipped  int64 `json:"skipped"`  // failed, and were dropped
	Diverted int64 `json:"diverted"` // failed, and left through the errors port
	Created  int64 `json:"created"`  // rows made by the node
	Bytes    int64 `json:"bytes,omitempty"`
}

// Balance returns the rows that are not accounted for: 0.
func (c Counts) Balance() int64 {
	return c.In - c.Passed - c.Filtered - c.Absorbed - c.Late - c.Skipped - c.Diverted
}

// Add adds o to c.
func (c *Counts) Add(o Counts) {
	c.In += o.In
	c.Passed += o.Passed
	c.Filtered += o.Filtered
	c.Absorbed += o.Absorbed
	c.Late += o.Late
	c.Skipped += o.Skipped
	c.Diverted += o.Diverted
	c.Created += o.Created
	c.Bytes += o.Bytes
}

// Collector is where an operator emits. Nothing here blocks: the collector
// grows by what the operator adds, and the operator looks at Full where it
// makes more rows than come in.
type Collector struct {
	// Counts is kept by the methods below; In is kept by the caller of the
	// operator.
	Counts
	ports  []*Builder
	late   int // port, or 0
	policy FailurePolicy
}

// FailurePolicy decides what becomes of a record that failed. It returns an
// error if the subtask has to end, and otherwise the action taken, skip or
// divert; row is nil for divert only.
type FailurePolicy interface {
	Failed(in *Batch, row int, err error, errors *Builder) (Action, error)
}

// NewCollector returns a collector for a node with the given output schemas, by
// port; late is the index of the port for late rows, or 0. Ports that nobody
// reads have a nil schema.
func NewCollector(ports []*Schema, late int, policy FailurePolicy) *Collector {
	c := &Collector{ports: make([]*Builder, len(ports)), late: late, policy: policy}
	for i, s := range ports {
		if s != nil {
			c.ports[i] = NewBuilder(s)
		}
	}
	return c
}

// Port returns the builder of an output port, nil where nobody reads it.
func (c *Collector) Port(i int) *Builder { return c.ports[i] }

// Full reports whether an operator that has more to emit should return.
func (c *Collector) Full() bool { return c.ports[0] != nil && c.ports[0].Full() }

// Row emits a row that comes from row i of in, with its event time, operation
// and origin, and returns the slots to fill. Undo takes it back.
func (c *Collector) Row(in Rows, i int) []Value {
	c.Passed++
	return c.ports[0].RowOf(in.Batch, i)
}

// Undo takes back the row that Row gave last, so that it can be given to Fail.
func (c *Collector) Undo() {
	c.Passed--
	c.ports[0].Undo()
}

// Create emits a row that the operator makes, at time t, and returns the slots
// to fill. Made in OnMark or OnTimer, it is late nowhere; made in Process, it is
// late where the rows at work are.
func (c *Collector) Create(t Timestamp) []Value {
	c.Created++
	return c.ports[0].Row(t)
}

// CreateFrom emits a row that the operator makes of row i of in, with its event
// time, operation and origin, and returns the slots to fill. What becomes of row
// i itself is counted apart, as by Absorb.
func (c *Collector) CreateFrom(in Rows, i int) []Value {
	c.Created++
	return c.ports[0].RowOf(in.Batch, i)
}

// Filter counts n rows that a condition refused.
func (c *Collector) Filter(n int) { c.Filtered += int64(n) }

// Absorb counts n rows that went into state.
func (c *Collector) Absorb(n int) { c.Absorbed += int64(n) }

// LateRow sends row i of in to the late port, or only counts it where nobody
// reads that.
func (c *Collector) LateRow(in Rows, i int) {
	c.Late++
	if c.late > 0 && c.ports[c.late] != nil {
		c.ports[c.late].AppendFrom(in.Batch, i)
	}
}

// Fail gives up row i of in because of err. It returns an error, for the
// operator to return at once, where the node's policy is to fail.
func (c *Collector) Fail(in Rows, i int, err error) error {
	var port *Builder
	if n := len(c.ports); n > 0 {
		port = c.ports[n-1]
	}
	action, err := c.policy.Failed(in.Batch, i, err, port)
	if err != nil {
		return err
	}
	switch action {
	case ActionSkip:
		c.Skipped++
	case ActionDivert:
		c.Diverted++
	default:
		return fmt.Errorf("the failure policy returned %q", action)
	}
	return nil
}

// AppendError adds a row of ErrorSchema to w: record i of in, which failed at
// node.
func AppendError(w *Builder, node string, in *Batch, i int, err error) {
	split, pos, line, ok := in.Position(i)
	at := Null
	if t := in.Time(i); t != MinTimestamp {
		at = Time(t)
	}
	raw := RowJSON(nil, in.Schema, in.Row(i))
	appendError(w, node, raw, err, split, pos, line, ok, at)
}

// AppendFailed adds a row of ErrorSchema to w: a record that a source could
// not decode.
func AppendFailed(w *Builder, node, split string, f FailedRecord) {
	appendError(w, node, f.Raw, f.Err, split, f.Position, f.Line, true, Null)
}

func appendError(w *Builder, node string, raw []byte, err error, split string, pos, line int64, origin bool, at Value) {
	row := w.Row(MinTimestamp)
	msg := err.Error()
	row[0], row[1], row[2], row[3] = Bytes(raw), String(ErrorCode(err)), String(msg), String(node)
	if origin {
		row[4], row[5] = String(split), Int(pos)
		if line > 0 {
			row[6] = Int(line)
		}
	}
	row[7] = at
	w.Grow(len(raw) + len(msg))
}
