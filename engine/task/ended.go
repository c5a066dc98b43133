package task

import "github.com/gpflow/gpflow"

// A task whose input has come to the end of time on every channel may still have
// much to emit, and no barrier comes to it any more: those before it are gone, or
// have sent all that they had. It is told of checkpoints itself, and takes its
// snapshot between two marks on its way to the end of time. What is left then
// follows from the state of the operators: whoever goes on from the snapshot is
// told of the end of time again. See FLIP-147 of Apache Flink.

// Trigger says that a checkpoint has begun. It concerns a task whose input has
// come to the end of time, and may be said to every other: barriers come to those.
func (t *Task) Trigger(id gpflow.CheckpointID) {
	if t.align.isOver(id) || id <= t.asked {
		return
	}
	t.asked = id
	t.hurry()
}

// Quit has the task end where it is when its input has come to the end of time:
// what it has still to emit is left to whoever goes on from the last checkpoint.
// Other tasks go on until their channels have ended.
func (t *Task) Quit() {
	t.quit = true
	t.hurry()
}

// hurry tells the links whether somebody waits for the next step.
func (t *Task) hurry() {
	for _, l := range t.links {
		l.pause = t.asked > 0 || t.quit
	}
}

// pause does, between two marks at the end of time, what somebody waits for. It
// returns false where there is nothing of that kind to do.
func (t *Task) pause() bool {
	if t.asked == 0 && !t.quit || t.clock.now != gpflow.MaxTimestamp {
		return false
	}
	busy := false
	for _, l := range t.links {
		if !l.settled() && t.bug != UnsettledSnapshot {
			return false
		}
		busy = busy || l.busy()
	}
	switch {
	case !busy && t.clock.live == 0: // the end is there, and counts for the checkpoint
		return false
	case t.asked > 0:
		t.take(t.asked)
		return true
	case !busy:
		return false
	}
	t.stopped = true
	for _, l := range t.links {
		l.drop()
	}
	return true
}
