package csvfmt

import "bytes"

// frame finds the end of the record at the beginning of data: n is the place
// after its line end, 0 where there is none and data may go on; end is the
// place of the line end.
func frame(data []byte, delim byte, eof bool) (n, end, lines int) {
	line := data
	nl := bytes.IndexByte(data, '\n')
	if nl >= 0 {
		line = data[:nl]
	}
	quote := bytes.IndexByte(line, '"')
	if nl >= 0 && quote < 0 { // a line without quotes is a record
		return nl + 1, trimCR(data, nl), 1
	}
	// The fields before that of the first quote need no look.
	i := bytes.LastIndexByte(line[:max(quote, 0)], delim) + 1
	for {
		// At the beginning of a field.
		if i < len(data) && data[i] == '"' {
			var ok bool
			if i, lines, ok = quoted(data, i+1, lines, eof); !ok {
				if !eof {
					return 0, 0, 0
				}
				return len(data), len(data), lines
			}
		}
		for i < len(data) && data[i] != delim && data[i] != '\n' {
			i++
		}
		switch {
		case i == len(data) && eof:
			return i, trimCR(data, i), lines
		case i == len(data):
			return 0, 0, 0
		case data[i] == '\n':
			return i + 1, trimCR(data, i), lines + 1
		}
		i++
	}
}

// quoted passes over the rest of a quoted field and its closing quote. ok is
// false where there is no closing quote, or where more data must show that it
// is one.
func quoted(data []byte, i, lines int, eof bool) (next, passed int, ok bool) {
	for {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			return 0, lines + bytes.Count(data[i:], lf), false
		}
		lines += bytes.Count(data[i:i+n], lf)
		i += n + 1
		switch {
		case i < len(data) && data[i] == '"':
			i++
		case i == len(data) && !eof:
			return 0, lines, false
		default:
			return i, lines, true
		}
	}
}

var lf = []byte{'\n'}

func trimCR(data []byte, end int) int {
	if end > 0 && data[end-1] == '\r' {
		return end - 1
	}
	return end
}
