package filesink

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

const (
	// nameMax is how many bytes the name of a file has at most.
	nameMax = 255
	// pathMax is how many bytes a path has at most.
	pathMax = 4095
)

// paths makes the paths of rows out of a template. One goroutine uses it.
type paths struct {
	steps    []step
	computed bool // some are more than columns
	room     int  // bytes of a path below the root at most; 0: not limited
}

// step is a piece of a template, for rows of a schema.
type step struct {
	piece
	slot    int           // of the column that it is, or -1
	program *expr.Program // of another expression
}

// check reads an expression of a template: it is the column in a slot, or else x.
// The error has places in the path.
func (p piece) check(s *gpflow.Schema, consts gpflow.Constants) (slot int, x *expr.Expr, err *expr.Error) {
	var t gpflow.Type
	what := "This"
	if slot = s.Index(p.expr); slot >= 0 {
		t, what = s.Columns[slot].Type, "The column "+p.expr
	} else if p.wrong != nil {
		return slot, nil, p.wrong
	} else if x, err = expr.Check(p.expr, expr.Env{Schema: s, Constants: consts}); err != nil {
		return slot, nil, err.Within(p.at, len(p.expr))
	} else {
		t = x.Type()
	}
	if gpflow.KeyType(t) {
		return slot, x, nil
	}
	detail := "Use a value that is string, int, bool, bytes, timestamp or duration."
	switch t.Kind {
	case gpflow.KindAny:
		detail = "Its type is not known. Convert it, as with string(...) or int(...)."
	case gpflow.KindFloat:
		detail = "Rounding makes two names of what looks like one. Convert it, with string(...) or int(...)."
	}
	return slot, nil, &expr.Error{
		From: p.at, To: p.at + len(p.expr), Code: expr.CodeExpression,
		Summary: fmt.Sprintf("%s is %s, which no path can be made of", what, t), Detail: detail,
	}
}

// bind returns what makes the paths of rows of s.
func (t *template) bind(s *gpflow.Schema, consts gpflow.Constants) (*paths, error) {
	out := &paths{}
	for _, p := range t.pieces {
		at := step{piece: p, slot: -1}
		if p.expr != "" {
			slot, x, err := p.check(s, consts)
			if err != nil {
				return nil, fmt.Errorf("the path has {%s}: %w", p.expr, err)
			}
			if at.slot = slot; slot < 0 {
				at.program, out.computed = x.Program(), true
			}
		}
		out.steps = append(out.steps, at)
	}
	return out, nil
}

// newKey makes the keys of rows that are written to a path: its columns where it
// has nothing else, and otherwise the path itself, so that whatever makes it, it
// has one writer. Rows that have no path go to one subtask, whose sink fails them.
func newKey(c *gpflow.KeyContext) (gpflow.RowKey, error) {
	t, wrong := parseTemplate(c.Config.String("path"))
	if wrong != nil {
		return nil, fmt.Errorf("read the path: %w", wrong)
	}
	p, err := t.bind(c.In, c.Constants)
	if err != nil || !p.computed {
		return nil, err
	}
	return func(dst []byte, row []gpflow.Value) []byte {
		if key, err := p.append(dst, row); err == nil {
			return key
		}
		return dst
	}, nil
}

// append appends the path of a row below the root. The error is the row's own.
func (p *paths) append(dst []byte, row []gpflow.Value) ([]byte, error) {
	var last *step // the expression that was applied last
	begun := len(dst)
	for i := range p.steps {
		s := &p.steps[i]
		if s.expr == "" {
			if cut := strings.LastIndexByte(s.text, '/'); cut >= 0 {
				if err := last.short(len(dst) + strings.IndexByte(s.text, '/') - begun); err != nil {
					return dst, err
				}
				begun = len(dst) + cut + 1
			}
			dst = append(dst, s.text...)
			continue
		}
		v, err := s.value(row)
		if err != nil {
			return dst, err
		}
		dst, last = appendSafe(dst, v), s
	}
	if err := last.short(len(dst) - begun); err != nil {
		return dst, err
	}
	return dst, p.fits(last, len(dst))
}

// fits refuses a path of n bytes below the root, to which s was the last to add.
func (p *paths) fits(s *step, n int) error {
	if p.room == 0 || n <= p.room {
		return nil
	}
	return &gpflow.RecordError{Code: "path", Field: "path", Err: &expr.Error{
		From: s.at, To: s.at + len(s.expr),
		Summary: fmt.Sprintf("the path of the directory has %d bytes, and can have %d: with the path of the sink and the name of a file it has at most %d", n, p.room, pathMax),
	}}
}

// value returns what the expression is for a row.
func (s *step) value(row []gpflow.Value) (gpflow.Value, error) {
	if s.slot >= 0 {
		return row[s.slot], nil
	}
	v, err := s.program.Value(row)
	if err == nil {
		return v, nil
	}
	var record *gpflow.RecordError
	var e *expr.Error
	if errors.As(err, &record) && errors.As(err, &e) {
		err = &gpflow.RecordError{Code: record.Code, Field: "path", Err: e.Within(s.at, len(s.expr))}
	}
	return v, err
}

// short refuses a name of n bytes, to which s was the last to add.
func (s *step) short(n int) error {
	if n <= nameMax {
		return nil
	}
	return &gpflow.RecordError{Code: "path", Field: "path", Err: &expr.Error{
		From: s.at, To: s.at + len(s.expr),
		Summary: fmt.Sprintf("{%s} makes the name of a directory of %d bytes, and a name has at most %d", s.expr, n, nameMax),
	}}
}
