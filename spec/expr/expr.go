// Package expr reads record expressions: it parses and types them against a
// schema and compiles them to functions over rows.
package expr

import (
	"errors"

	"github.com/gpflow/gpflow"
)

// Env is what an expression may refer to.
type Env struct {
	// Schema has the columns. Dotted names, as "address.street", are reached
	// by member access; every column is also event.<name>.
	Schema *gpflow.Schema
	// Constants are the typed constants by name, as "var.min". They are folded.
	Constants gpflow.Constants
}

// Error is what is wrong with an expression, or with a record that it was
// evaluated on.
type Error struct {
	From, To int    // byte offsets in the source text; To == 0: the whole of it
	Summary  string // one line: what is wrong
	Detail   string // why, and what to do; may be empty
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Summary
	}
	return e.Summary + ": " + e.Detail
}

// Expr is a checked expression. It is immutable.
type Expr struct{ typ gpflow.Type }

// Check parses, admits and types src.
func Check(src string, env Env) (*Expr, *Error) {
	return nil, &Error{Summary: "The expression cannot be read"}
}

// Type returns the type of the result, optional if it can be null.
func (e *Expr) Type() gpflow.Type { return e.typ }

// Columns returns the schema columns referred to, sorted, each once.
func (e *Expr) Columns() []string { return nil }

// Constants returns the constants referred to, sorted, each once.
func (e *Expr) Constants() []string { return nil }

// Stats returns how many sub-expressions run as closures, and on the VM.
func (e *Expr) Stats() (closures, vm int) { return 0, 0 }

// String returns the canonical text: equal for equal checked trees.
func (e *Expr) String() string { return "" }

// Program returns an evaluator for one goroutine.
func (e *Expr) Program() *Program { return &Program{} }

// Program evaluates an expression. One goroutine uses it at a time.
type Program struct{}

// Bool evaluates a condition on row.
func (p *Program) Bool(row []gpflow.Value) (bool, error) { return false, errors.New("no program") }

// Value evaluates the expression on row.
func (p *Program) Value(row []gpflow.Value) (gpflow.Value, error) {
	return gpflow.Null, errors.New("no program")
}

// Call is one call of an aggregate function.
type Call struct {
	Func string      // count, sum, min, max, avg, first or last
	Arg  *Expr       // nil: count()
	Type gpflow.Type // of the result
}

// Aggregate is an expression over aggregates.
type Aggregate struct {
	Calls  []Call
	Result *Expr
}

// CheckAggregate reads an expression over aggregates of the rows of env.
func CheckAggregate(src string, env Env, group []gpflow.Column) (*Aggregate, *Error) {
	return nil, &Error{Summary: "The expression cannot be read"}
}

// Schema returns the row that Result runs on: the group columns, then "agg0",
// "agg1" and so on, the results of Calls.
func (a *Aggregate) Schema() *gpflow.Schema { return nil }
