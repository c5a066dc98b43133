package optest

import (
	"fmt"

	"github.com/gpflow/gpflow"
)

// Out is a row that left a port.
type Out struct {
	Schema *gpflow.Schema
	Values []gpflow.Value // its own memory
	Time   gpflow.Timestamp
	// Position is that of the input row that it comes from, counted over the
	// rows among the case's steps; -1: the operator made it.
	Position int64
	// After is the last mark that left the port before the row.
	After gpflow.Timestamp
}

// String returns the row as JSON with its event time in microseconds behind
// it: {"user":"ann"} @1500000. A timeless row has no time, and a row of an
// errors port is written as its code and raw record: expression {"x":0}.
func (o Out) String() string {
	if isErrors(o.Schema) {
		return o.Values[1].Str() + " " + string(o.Values[0].Bytes())
	}
	json := string(gpflow.RowJSON(nil, o.Schema, o.Values))
	if o.Schema.Timeless {
		return json
	}
	return fmt.Sprintf("%s @%d", json, o.Time)
}

// Value returns the value of the named column.
func (o Out) Value(column string) gpflow.Value { return o.Values[o.Schema.Index(column)] }

func isErrors(s *gpflow.Schema) bool {
	return s.Timeless && len(s.Columns) > 3 && s.Columns[0].Name == "raw" && s.Columns[1].Name == "code" && s.Columns[3].Name == "node"
}

func texts(rows []Out) []string {
	text := make([]string, len(rows))
	for i := range rows {
		text[i] = rows[i].String()
	}
	return text
}

// exact returns the rows as texts that say which mark they follow too.
func exact(rows []Out) []string {
	text := texts(rows)
	for i, r := range rows {
		text[i] += " after " + r.After.String()
	}
	return text
}

// project keeps of each row the wanted columns.
func project(rows []Out, wanted map[string]bool) []Out {
	kept := make([]Out, len(rows))
	for i, r := range rows {
		k := Out{Schema: r.Schema.Select(func(n string) bool { return wanted[n] }), Time: r.Time, Position: r.Position, After: r.After}
		for _, c := range k.Schema.Columns {
			k.Values = append(k.Values, r.Value(c.Name))
		}
		kept[i] = k
	}
	return kept
}

// copyOut appends the rows of b in memory of their own. after is the last mark
// before b.
func copyOut(dst []Out, b *gpflow.Batch, after gpflow.Timestamp) []Out {
	marks := b.Marks
	for i := range b.N {
		for ; len(marks) > 0 && marks[0].Row <= i; marks = marks[1:] {
			after = max(after, marks[0].Time)
		}
		o := Out{Schema: b.Schema, Time: b.Time(i), Position: -1, After: after}
		for _, v := range b.Row(i) {
			o.Values = append(o.Values, v.Clone())
		}
		if _, pos, _, ok := b.Position(i); ok {
			o.Position = pos
		}
		dst = append(dst, o)
	}
	return dst
}
