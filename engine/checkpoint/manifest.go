package checkpoint

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/gpflow/gpflow"
)

// FormatVersion is the version of the manifest's format that this build
// writes. It reads those from 1 to FormatVersion.
const FormatVersion = 1

// The outcomes that a manifest has.
const (
	OutcomeRunning  = ""         // the job goes on from here
	OutcomeFinished = "finished" // the end of time has passed through; there is nothing to go on with
	OutcomeStopped  = "stopped"  // it was asked to stop here, and goes on from here
)

// Manifest is all that there is to say about a checkpoint: whoever has it, and
// the segments that it refers to, can go on from there (C5). It is plain data;
// docs/reference/checkpoint-format.md says how it lies in an object.
type Manifest struct {
	Semantics int    // version of the expression semantics that the state was computed with
	Pipeline  string // the pipeline's name
	// Lineage and Epoch say whose it is: the identity of the job's state, and
	// the start within it. The keeper sets them.
	Lineage string
	Epoch   int64
	ID      gpflow.CheckpointID
	Time    gpflow.Timestamp // when the checkpoint was begun
	Outcome string           // one of the Outcome constants
	// Name is that of a savepoint, "" for a checkpoint.
	Name      string
	KeyGroups int    // fixed for the life of the state
	Plan      []byte // the encoded plan
	Sources   []SourceState
	Parts     []PartState
	// Committables are all that has been prepared and may not have been
	// committed; committing them once more changes nothing (C4).
	Committables []Pending
	Ledger       []byte // what nodes had counted when this was stored, as JSON; at the barrier: in Parts
}

// SourceState is what the job knows about a source.
type SourceState struct {
	Address string
	Found   []gpflow.Split // all splits found so far, in the order in which they were found
	Ended   []string       // the ids of those of which nothing more is read, in the order of Found
	Queue   []gpflow.Split // found, and not yet handed to a reader, in order
	Done    bool           // no more will be found
}

// PartState is what a part was behind the barrier.
type PartState struct {
	Part
	Data []byte // see Snapshot
	// Gone says that the part has ended for good.
	Gone bool
	// Segments hold its keyed state: a whole one, then what changed since, in
	// order. None: it has no state.
	Segments []SegmentRef
}

// SegmentRef is a reference to an object with keyed state.
type SegmentRef struct {
	Object string // its name in the store; in a savepoint, behind the savepoint's prefix
	Size   int64  // bytes
	Sum    Sum
}

// Pending is output that has been prepared.
type Pending struct {
	Part        Part
	ID          gpflow.CheckpointID // the checkpoint for which it was prepared
	Committable gpflow.Committable
}

// Part returns the state of a part, or nil.
func (m *Manifest) Part(p Part) *PartState {
	for i := range m.Parts {
		if m.Parts[i].Part == p {
			return &m.Parts[i]
		}
	}
	return nil
}

// comparePart orders parts by kind, name and subtask.
func comparePart(a, b Part) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Subtask, b.Subtask))
}

// sort puts the lists in the order in which they are encoded. Committing the
// same twice is committing it once.
func (m *Manifest) sort() {
	slices.SortFunc(m.Sources, func(a, b SourceState) int { return cmp.Compare(a.Address, b.Address) })
	slices.SortFunc(m.Parts, func(a, b PartState) int { return comparePart(a.Part, b.Part) })
	slices.SortFunc(m.Committables, comparePending)
	m.Committables = slices.CompactFunc(m.Committables, func(a, b Pending) bool { return comparePending(a, b) == 0 })
}

func comparePending(a, b Pending) int {
	return cmp.Or(comparePart(a.Part, b.Part), cmp.Compare(a.ID, b.ID), bytes.Compare(a.Committable, b.Committable))
}

// copy returns a manifest whose lists can be changed apart from m's.
func (m *Manifest) copy() *Manifest {
	c := *m
	c.Sources, c.Parts, c.Committables = slices.Clone(m.Sources), slices.Clone(m.Parts), slices.Clone(m.Committables)
	for i := range c.Parts {
		c.Parts[i].Segments = slices.Clone(c.Parts[i].Segments)
	}
	return &c
}
