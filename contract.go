package gpflow

import (
	"context"
	"log/slog"
)

// Subtask is one of the parallel instances of a node.
type Subtask struct{ Index, Parallelism int }

// ---- operators

// Rows is a run of rows of a batch on one of a node's inputs.
type Rows struct {
	*Batch
	Input    int // index into Descriptor.InputFields
	From, To int // rows [From, To)
	// Bound says which of the rows are late, those before it; see
	// gpflow.Bound. It can be ahead of the node's watermark, which OnMark
	// gives, and is behind it only where a split paused or was idle, so that an
	// operator that forgets at the watermark looks at both.
	Bound Timestamp
}

// Operator is the logic of one node in one subtask. One goroutine calls it; it
// starts none, does no I/O, does not block, and knows no clock: all it sees of
// time are marks and timers.
//
// Within one input, rows and marks come in the order in which they were
// emitted. A batch of Rows is read-only and must not be kept; a Value that is
// kept is cloned.
type Operator interface {
	// Process takes the rows in.From to in.To-1 and returns the first row that
	// it has not finished. It returns in.To when done. It may return earlier
	// when out.Full(), and is then called again from that row when downstream
	// has room; an operator that makes many rows of one remembers where it
	// was. Process accounts for every row that it finishes: with exactly one
	// of out.Row, Filter, Absorb, Late and Fail.
	//
	// An error ends the subtask. A record that cannot be processed is not an
	// error of Process but is given to out.Fail.
	Process(in Rows, out *Collector) (next int, err error)
}

// MarkHandler is implemented by operators that act on the watermark.
type MarkHandler interface {
	// OnMark is called when the node's watermark, the minimum over its inputs,
	// has reached t: no row before t is expected. What it emits goes out
	// before the mark. It may return false when out.Full(), and is called
	// again with the same t when there is room. t is MaxTimestamp at the end
	// of the stream. When a job goes on from a checkpoint, OnMark is first
	// called with the watermark reached then, for which everything has been
	// emitted before.
	OnMark(t Timestamp, out *Collector) (done bool, err error)
}

// MarkStepper is implemented by mark handlers that may have much to emit when
// the end of time has come: they are taken there mark by mark, and a checkpoint
// can be taken between two of them.
type MarkStepper interface {
	// NextMark returns the earliest mark for which OnMark would emit something,
	// MaxTimestamp where that is none before the end of time. It is called when
	// OnMark is done.
	NextMark() Timestamp
}

// TimerHandler is implemented by operators that act on processing time.
type TimerHandler interface {
	// OnTimer is called when the clock has reached a time asked for with
	// OperatorContext.Timer. The rules of OnMark apply. It is not called behind the
	// end of time: what still waits then is for OnMark to emit.
	OnTimer(now Timestamp, out *Collector) (done bool, err error)
}

// Closer is implemented by operators and sources that hold something to be
// given back. Close is called once, after the last call of any other method.
type Closer interface{ Close() error }

// OperatorContext is what an operator is made with.
type OperatorContext struct {
	Address   string // "filter.human"
	Config    Config
	Constants Constants
	In        []*Schema // by input
	Out       []*Schema // by port
	Subtask   Subtask
	State     State
	Timer     func(at Timestamp) // asks for OnTimer; nil for operators without
	Log       *slog.Logger
}

// State is where an operator keeps what must survive: it is part of every
// checkpoint. It belongs to the subtask's goroutine.
type State interface {
	// Panes returns the keyed state that the descriptor declares under name.
	Panes(name string) Panes
}

// Panes is keyed state by time: pane -> key -> row. A pane is named by a
// timestamp of the operator's choosing, such as the start of a window.
// Expiry is dropping a pane, whole.
type Panes interface {
	// Upsert returns the row of key in a pane, made of nulls if fresh. hash is
	// HashKey(key). Key is copied; values put into the row must be of the types
	// that the descriptor declares, or null, and own their bytes (Value.Clone).
	// The row is valid until the next call.
	Upsert(pane Timestamp, key []byte, hash uint64) (row []Value, fresh bool)
	// First returns the earliest pane, or false.
	First() (Timestamp, bool)
	// Next returns a cursor behind the entry at c in the pane, with its key
	// and row, or ok = false at the end. The zero Cursor is the beginning. The
	// order is that of the key groups and, within one, of insertion.
	Next(pane Timestamp, c Cursor) (next Cursor, key []byte, row []Value, ok bool)
	// Len returns the number of keys in the pane.
	Len(pane Timestamp) int
	// Drop forgets the pane.
	Drop(pane Timestamp)
}

// Cursor is a place in a pane's table.
type Cursor struct{ Group, Entry int }

// ---- sources

// Split is a part of a source's input that one reader reads in order, such as
// a file, a range of a file, or a partition.
type Split struct {
	// ID is the split's stable name; it is in the origin of its records.
	ID string
	// Data is the connector's own description of it.
	Data []byte
}

// Position is how far a split has been read: the place to go on from. Its form
// is the connector's own; records that were emitted lie before it.
type Position []byte

// Source is a connector of one node. It is a factory; the enumerator finds the
// splits, once for the job, and readers read them.
type Source interface {
	// Enumerator returns what finds the splits. known are those that an earlier
	// process of the job has found, whose readers go on from their positions:
	// they are not to be found again.
	Enumerator(known []Split) (Enumerator, error)
	// Reader returns the reader of one subtask. Every split that it is
	// assigned was found by the enumerator, in this process or another.
	Reader(*ReaderContext) (Reader, error)
}

// Enumerator finds splits. It lives in an actor of its own, and may block.
type Enumerator interface {
	// Discover waits until there is something to say, and returns the splits
	// found since the last call, in the order in which they are to be read, and
	// whether there will never be more. The first call returns at once, also where
	// there are none: before it no more splits are handed out, and time may stand
	// still.
	Discover(ctx context.Context) (splits []Split, done bool, err error)
	Close() error
}

// Reader reads splits. One goroutine of its own calls it, so that it may wait
// for a disk; it must not wait for input to appear, but return Idle.
type Reader interface {
	// Assign adds a split, from the given position; nil is its beginning. Its
	// error says what cannot be read.
	Assign(s Split, from Position) error
	// Poll adds rows of one split to out, until out.Full() or nothing more can
	// be had at once. It is not called while no split is assigned. After a
	// *Transient what out holds is dropped, and Poll gives it again.
	Poll(ctx context.Context, out *Reading) (Progress, error)
	// Close releases everything. No other method is called during or after.
	Close() error
}

// Dropper is implemented by readers that can give up a split before its end. Of
// those that do not, what they go on to read of it is left out.
type Dropper interface {
	// Drop forgets a split that was assigned, and has not ended. No record of it
	// is wanted any more.
	Drop(split string) error
}

// Progress is what a Poll came to.
type Progress struct {
	// Idle says that nothing can be had now; Poll is called again after Wait,
	// or when ReaderContext.Wake is called.
	Idle bool
	Wait Duration
	// Ended is the id of a split that has been read to its end, and is
	// forgotten by the reader; "": none.
	Ended string
}

// SourceContext is what a source is made with.
type SourceContext struct {
	Address   string
	Config    Config
	Constants Constants
	// Schema has the columns to read, a subset of those declared: the others
	// are read by nobody and need not be decoded.
	Schema *Schema
	// EventTime says that somebody downstream uses event time, so that the
	// order within a split matters.
	EventTime   bool
	Parallelism int
	Log         *slog.Logger
}

// ReaderContext is what a reader is made with.
type ReaderContext struct {
	Subtask Subtask
	Wake    func() // may be called from any goroutine
}

// Reading is where a reader puts what it has read: rows of one split, and
// records that could not be decoded.
type Reading struct {
	Builder
	split  string
	failed []FailedRecord
	pos    Position
	limit  int
	size   int
}

// FailedRecord is a record that a source could not decode.
type FailedRecord struct {
	Raw            []byte // owned by the record
	Position, Line int64
	Err            error
	After          int // rows of the batch that lie before it
}

// NewReading returns a Reading of rows of s.
func NewReading(s *Schema) *Reading { return &Reading{Builder: *NewBuilder(s)} }

// Begin names the split that the rows to come are of. A reader calls it first
// in each Poll.
func (r *Reading) Begin(split string) { r.split = split }

// Record adds a row at a position of the split, line 0 meaning none, and
// returns its slots for the reader to fill. Its event time is set later, from
// its columns.
func (r *Reading) Record(pos, line int64) []Value {
	row := r.Row(MinTimestamp)
	r.Place(r.split, pos, line)
	return row
}

// Fail adds a record that could not be decoded; raw is copied. Where Record
// had been called for it, the reader calls Undo first.
func (r *Reading) Fail(raw []byte, pos, line int64, err error) {
	r.failed = append(r.failed, FailedRecord{append([]byte(nil), raw...), pos, line, err, r.Len()})
	r.size += len(raw)
}

// Done says how far the split has been read, behind every record given.
func (r *Reading) Done(pos Position) { r.pos = pos }

// Limit makes Full true at n records; 0 is no limit but that of a batch. The
// engine paces sources with it.
func (r *Reading) Limit(n int) { r.limit = n }

// Full reports whether the reader should return.
func (r *Reading) Full() bool {
	return r.limit > 0 && r.Len()+len(r.failed) >= r.limit || r.Builder.Full() || len(r.failed) >= BatchRows || r.size >= BatchBytes
}

// TakeReading returns what was read since the last call: the rows (nil: none),
// the records that failed, in order, and the split's new position.
func (r *Reading) TakeReading() (b *Batch, failed []FailedRecord, split string, pos Position) {
	b, failed, pos = r.Take(), r.failed, r.pos
	r.failed, r.pos, r.size = nil, nil, 0
	return b, failed, r.split, pos
}

// ---- sinks

// CheckpointID numbers the checkpoints of a lineage from 1.
type CheckpointID int64

// Committable is a sink's own description of output that has been prepared but
// is not yet visible. Whoever holds it can commit it, in this process or a
// later one.
type Committable []byte

// FinalError is an error that ends a job, where others lead to another try: it
// would come again, as where whoever read the output has gone, or input is not
// what it was when it was read; or another try would hide it, as where an fsync
// has failed, and what was written may be lost although the next one goes well.
type FinalError struct{ Err error }

// Error says what Err says.
func (e *FinalError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *FinalError) Unwrap() error { return e.Err }

// Prepared is what a sink has made durable for a checkpoint.
type Prepared struct {
	// Committable is what Commit needs; nil where there is nothing to commit.
	Committable Committable
	// State is what Recover needs to go on behind the records written so far;
	// nil where the sink needs nothing.
	State []byte
}

// Sink writes the records of one subtask. One goroutine of its own calls it,
// so that it may block on I/O.
//
// The output becomes visible by Commit alone, except where the descriptor's
// delivery is at-least-once. The order of calls is
//
//	Recover (Write* Prepare)* Close, with Commit at any time after Recover
type Sink interface {
	// Recover is called once, first. states are those that the sink's subtasks
	// returned from Prepare for the checkpoint that the job goes on from, in
	// order of subtask, of which there may have been another number; empty at a
	// fresh start. What was staged behind the checkpoint, by attempts that
	// have died, is removed. What was prepared for the checkpoint is not: it
	// is committed after.
	Recover(ctx context.Context, states [][]byte) error
	// Write takes a batch, which it must not keep. A record that cannot be
	// written is given to fail, which says whether to go on; other errors end
	// the subtask, but for a *Transient, after which Write may be called again
	// with the same batch, none of which it has taken. Where the subtask ends,
	// a new one may be made, which begins with Recover.
	Write(ctx context.Context, b *Batch, fail func(row int, err error) error) error
	// Prepare makes everything written so far durable, without showing it.
	// final says that no more will be written. Where the checkpoint is
	// aborted, nothing is undone: what was prepared is committed with the next
	// one, or removed by Recover. An error of making things durable is a
	// *FinalError, likewise in Commit, and never a *Transient: trying again would
	// prove nothing. After a *Transient it may be called again.
	Prepare(ctx context.Context, id CheckpointID, final bool) (Prepared, error)
	// Commit makes prepared output visible. It is idempotent: it may be called
	// again, also by another process, and then changes nothing. After a
	// *Transient it may be called again.
	Commit(ctx context.Context, c Committable) error
	// Close releases everything. What has not been committed stays staged.
	Close() error
}

// SinkContext is what a sink is made with.
type SinkContext struct {
	Address   string
	Config    Config
	Constants Constants
	In        *Schema
	Subtask   Subtask
	// Lineage is the identity of the job's state: it stays the same however
	// often the job is started, until it starts fresh. It consists of hex
	// digits and can be part of a file's name.
	Lineage string
	// Epoch counts the starts within a lineage, from 1. Two processes never
	// have the same.
	Epoch int64
	Log   *slog.Logger
}
