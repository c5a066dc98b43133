package task

import "github.com/gpflow/gpflow"

// aligner brings the barriers of a checkpoint together: what comes behind one
// waits until it has come on every channel that has not ended (C2), so that the
// snapshot taken then holds the effects of what precedes the barriers and
// nothing else (C1). See Carbone et al., Lightweight Asynchronous Snapshots for
// Distributed Dataflows, 2015.
type aligner struct {
	id   gpflow.CheckpointID // being aligned; 0: none
	last gpflow.CheckpointID // complete, given up, or being aligned
	come []bool              // by channel
}

// barrier takes note that the barrier of checkpoint id has come on a channel.
// It reports whether the channel is to be held, and whether those held before
// are to be freed first: a newer barrier ends what was being aligned. A barrier
// of a checkpoint that is over counts for nothing.
func (a *aligner) barrier(channel int, id gpflow.CheckpointID) (hold, free bool) {
	if a.isOver(id) {
		return false, false
	}
	if id > a.last {
		free = a.id != 0
		a.id, a.last = id, id
		clear(a.come)
	}
	a.come[channel] = true
	return true, free
}

// isOver reports whether checkpoint id is complete, or was given up.
func (a *aligner) isOver(id gpflow.CheckpointID) bool {
	return id < a.last || id == a.last && a.id == 0
}

// complete reports whether the barrier has come on every channel that has not
// ended.
func (a *aligner) complete(ended []bool) bool {
	if a.id == 0 {
		return false
	}
	for i, come := range a.come {
		if !come && !ended[i] {
			return false
		}
	}
	return true
}

// abort ends the alignment of checkpoint id, which is complete or given up, and reports whether channels are to be freed.
func (a *aligner) abort(id gpflow.CheckpointID) bool {
	free := a.id != 0 && a.id <= id
	if free {
		a.id = 0
	}
	a.last = max(a.last, id)
	return free
}
