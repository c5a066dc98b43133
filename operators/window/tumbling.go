// Package window is the operator that aggregates records over windows of event
// time.
package window

import (
	"errors"

	"github.com/gpflow/gpflow"
)

// Descriptor describes `window "tumbling" "name" {...}`.
var Descriptor = gpflow.Descriptor{
	Block: "window", Kind: "tumbling",
	Summary: "Aggregates records over windows of one length that follow each other.",
	Doc: `A tumbling window cuts event time into windows of the length ` + "`size`" + ` that do not overlap: a record with event time t belongs to the one with window_start <= t < window_end. Windows are aligned to 1970-01-01T00:00:00Z, moved by ` + "`offset`" + `: with ` + "`size = \"1d\"`" + ` they are the days in UTC, and ` + "`offset = \"-2h\"`" + ` makes them the days of a clock that is two hours ahead.

For each window, and each value of ` + "`key_by`" + ` that came in it, one record leaves: the key's fields, ` + "`window_start`, `window_end`" + `, and the aggregates in their order. Its event time is the last instant of the window, a microsecond before window_end. A window in which no record came gives none.

**When.** A window closes when the watermark reaches window_end, and then its records leave at once, in the order of the windows. At the end of bounded input every window closes. A record that comes after its window has closed is late: it changes no result, and leaves through the port ` + "`late`" + ` as it came, without event time. Where nobody reads that port, late records are counted.

**Aggregates.** An aggregate is an expression over the aggregate functions below, whose arguments are expressions over a record; the key's fields, window_start and window_end can be used beside them: ` + "`sum(amount) / count()`" + `.

    count()           the number of records, an int
    count(x)          the number of those whose x is not null
    sum(x)            the sum: of int it is int, of float float, of duration duration
    min(x), max(x)    the least and the greatest; NaN is less than any number, text goes by its bytes
    avg(x)            the mean, a float; of duration a duration
    first(x), last(x) the value with the earliest, latest event time; among equals by split and position in it

Null is passed over. An aggregate of nulls only is null, and its type is optional if its argument's is.

A record for which an argument cannot be evaluated, or which would make a sum of int or duration overflow, has failed. It changes no aggregate, not even those whose arguments are in order, and ` + "`on_error`" + ` decides what becomes of it. Sums of float are added in the order of arrival, so their last digits depend on it.

An aggregate that has no result when its window closes, as ` + "`sum(x) / sum(y)`" + ` where the divisor is 0, has no record to blame: it stops the pipeline with an error that names key and window. Guard it: ` + "`sum(y) != 0 ? sum(x) / sum(y) : 0.0`" + `.`,
	Example: `window "tumbling" "revenue" {
  from   = map.orders
  key_by = ["country"]
  size   = "1h"
  aggregate = {
    orders  = "count()"
    revenue = "sum(amount)"
    mean    = "sum(amount) / count()"
  }
}`,
	Fields: fields,
	Ports: []gpflow.Port{
		{Name: "late", Doc: "The records that came after their window had closed, as they came, without event time."},
		{Name: "errors", Doc: "The records for which an aggregate could not be computed, with `on_error = \"divert\"`."},
	},
	Traits: func(c gpflow.Config) gpflow.Traits {
		return gpflow.Traits{KeyField: "key_by", Key: c.Strings("key_by"), Windowed: true, NewTimes: true}
	},
	Infer:       infer,
	State:       describe,
	NewOperator: open,
}

// The names of the columns that every window adds.
const (
	startColumn = "window_start"
	endColumn   = "window_end"
)

// panesName is the name of the operator's state.
const panesName = "panes"

var fields = []gpflow.Field{
	{
		Name: "key_by", Kind: gpflow.FieldColumns, Update: gpflow.Drop, Example: `["country", "device"]`,
		Doc: "The fields whose values have a result each, of type int, string, bool, bytes, timestamp or duration; null is a value like others. Records are sent to subtasks by them. Default: none, which makes one result a window.",
	},
	{
		Name: "size", Kind: gpflow.FieldDuration, Required: true, Update: gpflow.Drop, Example: `"5m"`,
		Doc: "The length of a window.",
		Check: func(v any) error {
			if v.(gpflow.Duration) <= 0 {
				return errors.New("the size of a window must be more than 0")
			}
			return nil
		},
	},
	{
		Name: "offset", Kind: gpflow.FieldDuration, Default: gpflow.Duration(0), Update: gpflow.Drop, Example: `"-2h"`,
		Doc: "By how much windows are moved against 1970-01-01T00:00:00Z. Negative offsets are allowed.",
	},
	{
		Name: "aggregate", Kind: gpflow.FieldAggregates, Required: true, Update: gpflow.Migrate,
		Example: `{ orders = "count()", mean = "sum(amount) / count()" }`,
		Doc:     "The fields of the result behind the key and the window, in order: a name, and an expression over aggregate functions. At least one. A name has letters, digits, `_` and `-`, and is no word of the expression language.",
	},
}
