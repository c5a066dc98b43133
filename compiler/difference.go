package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
)

// difference says in which way the schemas s of an output a, and t of an output
// b, differ, and what to do.
func difference(a string, s *gpflow.Schema, b string, t *gpflow.Schema) string {
	const way = " Bring them to one form with a map, or use two nodes."
	onlyA, onlyB := missing(s, t), missing(t, s)
	var said []string
	for _, side := range []struct {
		has   string
		names []string
	}{{a, onlyA}, {b, onlyB}} {
		if len(side.names) > 0 {
			said = append(said, fmt.Sprintf("Only %s has %s.", side.has, listed(side.names)))
		}
	}
	if said == nil {
		for _, c := range s.Columns {
			if u := t.Columns[t.Index(c.Name)].Type; !c.Type.Equal(u) {
				said = append(said, fmt.Sprintf("The column %s is %s in %s, and %s in %s.", c.Name, c.Type, a, u, b))
			}
		}
	}
	switch {
	case said != nil:
	case !slices.Equal(s.Names(), t.Names()):
		said = append(said, fmt.Sprintf("Their columns come in another order: in %s %s, and in %s %s.",
			a, strings.Join(s.Names(), ", "), b, strings.Join(t.Names(), ", ")))
	case s.Timeless != t.Timeless:
		if s.Timeless {
			a, b = b, a
		}
		return fmt.Sprintf("The records of %s have an event time, and those of %s have none. Use two nodes.", a, b)
	default:
		said = append(said, fmt.Sprintf("The records of %s and those of %s have different keys, or other updates.", a, b))
	}
	return strings.Join(said, " ") + way
}

// missing returns the columns of s that t does not have.
func missing(s, t *gpflow.Schema) []string {
	var names []string
	for _, n := range s.Names() {
		if t.Index(n) < 0 {
			names = append(names, n)
		}
	}
	return names
}
