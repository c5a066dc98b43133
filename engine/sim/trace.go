package sim

import (
	"fmt"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
)

// trace is the story of a run; a nil one is not told.
type trace struct{ lines []string }

func (t *trace) say(format string, args ...any) {
	if t != nil {
		t.lines = append(t.lines, fmt.Sprintf(format, args...))
	}
}

// brief prints a message without the bytes in it.
type brief struct{ m any }

// String implements fmt.Stringer.
func (b brief) String() string {
	switch m := b.m.(type) {
	case assign:
		if m.from != nil {
			return fmt.Sprintf("{%s from %s}", m.split.ID, m.from.Position)
		}
		return fmt.Sprintf("{%s}", m.split.ID)
	case commit:
		return fmt.Sprintf("{%d %v %q}", m.id, m.part, string(m.committable))
	case job.Discovered:
		return fmt.Sprintf("{%s %d splits, done %t}", m.Source, len(m.Splits), m.Done)
	case exited:
		return fmt.Sprintf("{%v}", m.err)
	case built:
		return fmt.Sprintf("%+v", m.asked)
	case job.Store:
		return fmt.Sprintf("{%d}", m.ID)
	case job.Point:
		switch e := m.CoordinatorEvent.(type) {
		case checkpoint.Acknowledged:
			return fmt.Sprintf("{%d %v}", e.ID, e.Part)
		case checkpoint.Gone:
			return fmt.Sprintf("{gone %v}", e.Part)
		}
	}
	return fmt.Sprintf("%+v", b.m)
}
