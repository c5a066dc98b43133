// Package framing cuts text into lines.
package framing

import "bytes"

var bom = []byte{0xEF, 0xBB, 0xBF}

// Mark returns the length of the byte order mark that data begins with, and
// whether data is too short to tell.
func Mark(data []byte, eof bool) (n int, more bool) {
	if bytes.HasPrefix(data, bom) {
		return len(bom), false
	}
	return 0, !eof && len(data) < len(bom) && bytes.HasPrefix(bom, data)
}

// Lines cuts lines off the beginning of data. The zero Lines is ready.
type Lines struct{ started bool }

// Next returns the first line of data without its end, LF or CR LF, and
// without a byte order mark at the beginning of the first line; the bytes to go
// on after; and the line ends passed, 0 or 1. n is 0 where data holds no whole
// line. line is nil where n is 0, or where data is nothing but the mark.
func (l *Lines) Next(data []byte, eof bool) (n int, line []byte, ends int) {
	start := 0
	if !l.started {
		mark, more := Mark(data, eof)
		if more {
			return 0, nil, 0
		}
		start = mark
	}
	end := bytes.IndexByte(data[start:], '\n')
	switch {
	case end >= 0:
		end += start
		n, ends = end+1, 1
	case eof && len(data) > 0:
		end = len(data)
		n = end
	default:
		return 0, nil, 0
	}
	l.started = true
	if start > 0 && n == start {
		return n, nil, 0
	}
	line = data[start:end]
	if len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return n, line, ends
}
