package sim

import (
	"fmt"
	"strings"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/part"
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
	case []part.Assign:
		var all []string
		for _, a := range m {
			text := a.Split.ID
			if a.From != nil {
				text = fmt.Sprintf("%s from %s", text, a.At())
			}
			all = append(all, text)
		}
		return fmt.Sprintf("{%s}", strings.Join(all, ", "))
	case checkpoint.Commit:
		return fmt.Sprintf("{%d %v %q}", m.ID, m.Part, string(m.Committable))
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
