package jsonfmt

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/gpflow/gpflow/formats/internal/number"
)

// maxDepth is the number of arrays and objects that may be open at once.
const maxDepth = 64

// space returns the place of the first byte from i on that is not white space.
func space(rec []byte, i int) int {
	for i < len(rec) && (rec[i] == ' ' || rec[i] == '\t' || rec[i] == '\n' || rec[i] == '\r') {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special has the high bit set in the first byte of w that is a quote, a
// backslash, a control character or not ASCII; bits above that one mean
// nothing.
func special(w uint64) uint64 {
	quote, slash := w^('"'*ones), w^('\\'*ones)
	return ((quote - ones) | (slash - ones) | (w - ' '*ones) | w) & highs
}

// text finds the end of the string whose first byte after the quote is
// rec[i]: end is the place of the closing quote. escaped says that there are
// escapes in it, which are well-formed.
func (d *Decoder) text(rec []byte, i int) (end int, escaped bool, err error) {
	start, ascii := i, true
	for {
		for i+8 <= len(rec) {
			m := special(binary.LittleEndian.Uint64(rec[i:]))
			if m != 0 {
				i += lowByte(m)
				break
			}
			i += 8
		}
		if i >= len(rec) {
			return 0, false, d.fail(rec, i, nil, "the string has no end")
		}
		switch c := rec[i]; {
		case c == '"':
			if !ascii && !utf8.Valid(rec[start:i]) {
				return 0, false, d.failUTF8(rec, start, i)
			}
			return i, escaped, nil
		case c == '\\':
			n := escape(rec[i:])
			if n == 0 {
				return 0, false, d.fail(rec, i, nil, "there is no such escape in a JSON string")
			}
			escaped = true
			i += n
		case c < ' ':
			return 0, false, d.fail(rec, i, nil, "a control character in a string must be written as an escape")
		default:
			ascii = ascii && c < utf8.RuneSelf
			i++
		}
	}
}

// escape returns the length of the escape that b begins with, or 0.
func escape(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if hex4(b) >= 0 {
			return 6
		}
	}
	return 0
}

// skip passes over the value at rec[i], checking its syntax, and returns the
// place after it. depth is the number of arrays and objects that are open.
func (d *Decoder) skip(rec []byte, i, depth int) (int, error) {
	if i >= len(rec) {
		return 0, d.fail(rec, i, nil, "a value is missing")
	}
	switch c := rec[i]; {
	case c == '"':
		end, _, err := d.text(rec, i+1)
		return end + 1, err
	case c == '{':
		return d.skipObject(rec, i, depth+1)
	case c == '[':
		return d.skipList(rec, i, depth+1)
	case c == '-' || c-'0' < 10:
		return d.number(rec, i)
	}
	return d.literal(rec, i)
}

// number passes over the number at rec[i].
func (d *Decoder) number(rec []byte, i int) (int, error) {
	end, _, ok := number.Scan(rec, i)
	if !ok {
		return 0, d.fail(rec, end, nil, "the number is not well-formed")
	}
	return end, nil
}

// literal passes over the true, false or null at rec[i].
func (d *Decoder) literal(rec []byte, i int) (int, error) {
	for _, w := range [...]string{"null", "true", "false"} {
		if hasWord(rec, i, w) {
			return i + len(w), nil
		}
	}
	return 0, d.fail(rec, i, nil, "no JSON value begins like this")
}

func hasWord(rec []byte, i int, w string) bool {
	return len(rec)-i >= len(w) && string(rec[i:i+len(w)]) == w
}

func (d *Decoder) skipObject(rec []byte, i, depth int) (int, error) {
	if depth > maxDepth {
		return 0, d.failDepth(rec, i)
	}
	i = space(rec, i+1)
	if i < len(rec) && rec[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(rec) || rec[i] != '"' {
			return 0, d.fail(rec, i, nil, "a field's name in quotes is wanted")
		}
		end, _, err := d.text(rec, i+1)
		if err != nil {
			return 0, err
		}
		if i, err = d.colon(rec, end+1); err != nil {
			return 0, err
		}
		if i, err = d.skip(rec, i, depth); err != nil {
			return 0, err
		}
		var done bool
		if i, done, err = d.comma(rec, i, '}'); err != nil || done {
			return i, err
		}
	}
}

func (d *Decoder) skipList(rec []byte, i, depth int) (int, error) {
	if depth > maxDepth {
		return 0, d.failDepth(rec, i)
	}
	i = space(rec, i+1)
	if i < len(rec) && rec[i] == ']' {
		return i + 1, nil
	}
	for {
		var done bool
		var err error
		if i, err = d.skip(rec, i, depth); err != nil {
			return 0, err
		}
		if i, done, err = d.comma(rec, i, ']'); err != nil || done {
			return i, err
		}
	}
}

// colon passes over the colon after a name and returns the place of the value.
func (d *Decoder) colon(rec []byte, i int) (int, error) {
	if i < len(rec) && rec[i] == ':' {
		if i+1 < len(rec) && rec[i+1] > ' ' {
			return i + 1, nil
		}
		return space(rec, i+1), nil
	}
	i = space(rec, i)
	if i >= len(rec) || rec[i] != ':' {
		return 0, d.fail(rec, i, nil, "a colon is wanted after a field's name")
	}
	return space(rec, i+1), nil
}

// comma passes over what stands after a value: a comma, or the closing
// bracket. It returns the place of the next value, or the place after the
// bracket.
func (d *Decoder) comma(rec []byte, i int, closing byte) (next int, done bool, err error) {
	if i < len(rec) && rec[i] <= ' ' {
		i = space(rec, i)
	}
	if i < len(rec) {
		switch rec[i] {
		case ',':
			if i++; i < len(rec) && rec[i] <= ' ' {
				i = space(rec, i)
			}
			return i, false, nil
		case closing:
			return i + 1, true, nil
		}
	}
	if closing == '}' {
		return 0, false, d.fail(rec, i, nil, "a comma or } is wanted")
	}
	return 0, false, d.fail(rec, i, nil, "a comma or ] is wanted")
}

// isBlank reports whether line has nothing but white space.
func isBlank(line []byte) bool {
	return len(line) == 0 || line[0] <= ' ' && len(bytes.TrimLeft(line, " \t\r")) == 0
}
