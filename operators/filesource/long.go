package filesource

import (
	"bytes"

	"github.com/gpflow/gpflow"
)

// longRecord is a record that is too long to be held, while it is passed over.
type longRecord struct {
	head   []byte // its first bytes, up to rawLimit
	size   int64  // bytes of the record passed
	passed int64  // the same, with its line end
	lines  int64
	state  quoteState
	cr     bool // the last byte passed was a carriage return
}

// pass passes over the record at pos as far as the arena reaches. Behind its
// end it reports the record and returns true.
func (in *input) pass(out *gpflow.Reading) bool {
	l, rest := in.long, in.arena[in.off:]
	n, found := len(rest), false
	if end := in.end(rest); end >= 0 {
		n, found = end, true
	}
	if n > 0 {
		l.cr = rest[n-1] == '\r'
	}
	l.head = append(l.head, rest[:min(n, rawLimit-len(l.head))]...)
	l.size += int64(n)
	l.passed += int64(n)
	in.off += n
	switch {
	case found:
		in.off++
		l.passed++
		l.lines++
		if l.cr {
			l.size--
		}
	case !in.eof:
		return false
	}
	out.Fail(l.head[:min(int64(len(l.head)), l.size)], in.base+in.pos, in.line, in.tooLong(l.size))
	in.pos += l.passed
	if in.line > 0 {
		in.line += l.lines
	}
	in.long = nil
	return true
}

// end returns the offset of the line feed that ends the record, or -1.
func (in *input) end(data []byte) int {
	if !in.csv {
		return bytes.IndexByte(data, '\n')
	}
	l := in.long
	for i, c := range data {
		if c == '\n' {
			if l.state != quoted {
				return i
			}
			l.lines++
		}
		l.state = l.state.next(c, in.delimiter)
	}
	return -1
}

// quoteState is where in a field of comma-separated values a byte stands.
type quoteState uint8

const (
	fieldStart quoteState = iota
	unquoted              // a quote is a byte as any other
	quoted
	quoteSeen // behind a quote within a quoted field: its end, or half of two
)

func (s quoteState) next(c, delimiter byte) quoteState {
	switch {
	case s == quoted:
		if c == '"' {
			return quoteSeen
		}
		return quoted
	case c == '"' && s != unquoted:
		return quoted
	case c == delimiter:
		return fieldStart
	}
	return unquoted
}
