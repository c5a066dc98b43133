package expr

import (
	"fmt"
	"unsafe"

	"github.com/gpflow/gpflow"
)

// The limits of one evaluation.
const (
	maxMade  = 16 << 20  // bytes of text
	maxSteps = 1_000_000 // elements of lists looked at
	chunk    = 8 << 10   // bytes of text that are allocated at a time
)

// frame is what one evaluation works on. The first failure stays in err; what
// is computed after it is thrown away.
type frame struct {
	row      []gpflow.Value
	vars     []gpflow.Value
	err      error
	machines []*machine
	args     []gpflow.Value // a stack of the arguments of calls
	lists    []gpflow.Value // a stack of lists that are looked at and not kept
	elem     gpflow.Value   // of the list, in a predicate
	arena    []byte         // text made; what is in use is never written again
	scratch  []byte
	made     int
	steps    int
}

func (fr *frame) begin(row []gpflow.Value) {
	fr.row, fr.err, fr.made, fr.steps = row, nil, 0, 0
	if fr.lists = fr.lists[:0]; cap(fr.lists) > maxRange {
		fr.lists = nil
	}
}

// fail notes a failure that was prepared.
func (fr *frame) fail(err *gpflow.RecordError) {
	if fr.err == nil {
		fr.err = err
	}
}

// fault notes a failure at n.
func (fr *frame) fault(n *node, summary string) { fr.fail(fault(n, summary)) }

// fault prepares a failure at n.
func fault(n *node, summary string) *gpflow.RecordError {
	return recordError(n.from, n.to, summary)
}

func recordError(from, to int, summary string) *gpflow.RecordError {
	return &gpflow.RecordError{Code: "expression", Err: &Error{From: from, To: to, Summary: summary}}
}

// grow counts n bytes of text to be made, and reports whether they may be.
func (fr *frame) grow(n int) error {
	if fr.made += n; fr.made > maxMade || n < 0 {
		return errMade
	}
	return nil
}

// pay counts n steps, and reports whether there are as many left; if not, the
// evaluation fails with bad.
func (fr *frame) pay(n int, bad *gpflow.RecordError) bool {
	if fr.steps += n; fr.steps > maxSteps {
		fr.fail(bad)
		return false
	}
	return true
}

// step counts n elements of a list, and reports whether to go on.
func (fr *frame) step(n int) error {
	if fr.steps += n; fr.steps > maxSteps {
		return errSteps
	}
	return nil
}

var (
	errMade  = fmt.Errorf("text too long: one evaluation may make %d MiB", maxMade>>20)
	errSteps = fmt.Errorf("too many steps: one evaluation may look at %d elements of lists", maxSteps)
)

// alloc returns n bytes of the arena.
func (fr *frame) alloc(n int) []byte {
	if n > chunk/4 {
		return make([]byte, n)
	}
	if cap(fr.arena)-len(fr.arena) < n {
		fr.arena = make([]byte, 0, chunk)
	}
	l := len(fr.arena)
	fr.arena = fr.arena[:l+n]
	return fr.arena[l : l+n : l+n]
}

// text returns a copy of b that stays valid.
func (fr *frame) text(b []byte) (string, error) {
	if len(b) == 0 {
		return "", nil
	}
	if err := fr.grow(len(b)); err != nil {
		return "", err
	}
	out := fr.alloc(len(b))
	copy(out, b)
	return unsafe.String(&out[0], len(out)), nil
}

// concat joins the parts.
func (fr *frame) concat(parts ...string) (string, error) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if n == 0 {
		return "", nil
	}
	if err := fr.grow(n); err != nil {
		return "", err
	}
	out := fr.alloc(n)
	at := 0
	for _, p := range parts {
		at += copy(out[at:], p)
	}
	return unsafe.String(&out[0], n), nil
}
