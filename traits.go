package gpflow

// Delivery is the guarantee of a sink.
type Delivery string

// The deliveries.
const (
	Transactional Delivery = "transactional" // what is visible is committed, once
	Idempotent    Delivery = "idempotent"    // repeated writes have one effect
	AtLeastOnce   Delivery = "at-least-once"
)

// Traits are the facts about a node that the compiler and the engine plan with.
// They depend on the node's configuration; see Descriptor.Traits.
type Traits struct {
	// KeyField is the field that says by what the input is partitioned; "": rows
	// may go to any subtask. Key are the columns that it names: rows that are
	// alike in them go to one subtask. Where there are none, all rows do. For a
	// descriptor with NewKey they may be record expressions.
	KeyField string
	Key      []string
	Windowed bool // needs event time on its input
	Single   bool // runs with parallelism 1 only
	// Replayable says of a source that what was read can be read again from a
	// position, in this process or a later one.
	Replayable bool
	Bounded    bool // source: its input ends
	Ordered    bool // source: splits promise ascending times in order
	// MaxRecord, of a source, is the size in bytes of the longest record that it
	// gives, as it is written; 0: it has no bound.
	MaxRecord int64
	// Retries says of a source or a sink that its calls may fail with Transient,
	// and be made again.
	Retries  bool
	Delivery Delivery // sink
	NeedsEnd bool     // sink: the output appears when the input ends
	// Visible says of a sink when what it has written can be seen, as in "at each
	// checkpoint"; "": there is nothing to be seen.
	Visible string
	// Claim is the place that the node has for itself alone, such as a file that
	// it writes; two nodes of one claim are a mistake. "": none.
	Claim string
	// Reads, of a source, and Writes, of a sink, are the files that it may read and
	// write: paths, and patterns as of path/filepath.Match. What is below a
	// directory that is read is read as well, but where its name begins with a dot.
	Reads, Writes []string
	// NewTimes says that rows leave with times of the operator's own; the
	// others keep the time of the row that they come from.
	NewTimes bool
	// Hold is subtracted from every watermark that passes the node, so that
	// rows it still holds are not late downstream.
	Hold Duration
}

// RowKey appends to dst bytes that decide which subtask gets a row: where they are
// alike, rows go to one. It returns dst with them. Every row has a key, also one
// that the node will not be able to take. One goroutine calls it.
type RowKey func(dst []byte, row []Value) []byte

// KeyContext is what a RowKey is made with.
type KeyContext struct {
	Config    Config    // of the node that gets the rows
	Constants Constants // likewise
	In        *Schema   // of the rows
}

// TraitsOf returns the traits of a node of the configuration c.
func (d *Descriptor) TraitsOf(c Config) Traits {
	if d.Traits == nil {
		return Traits{}
	}
	return d.Traits(c)
}
