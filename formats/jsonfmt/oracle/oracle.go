// Package oracle says what a line of JSON holds, by encoding/json, for the
// tests of jsonfmt. It imports the standard library only.
package oracle

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"
)

// Valid reports whether line is one JSON object in valid UTF-8 with no more
// than depth arrays and objects open at once.
func Valid(line []byte, depth int) bool {
	if !json.Valid(line) || !utf8.Valid(line) || bytes.TrimLeft(line, " \t\r\n")[0] != '{' {
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	open, most := 0, 0
	for {
		tok, err := dec.Token()
		if err != nil {
			return most <= depth
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			open++
			most = max(most, open)
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
}

// Record returns the fields of line, which is Valid: nil, bool, string, []any,
// map[string]any, int64 for number literals without fraction and exponent that
// fit, and float64 for all others. ok is false where a number is beyond a
// float64, even one in a field that a later one replaces.
func Record(line []byte) (fields map[string]any, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if n, is := tok.(json.Number); is {
			if _, err := n.Float64(); err != nil {
				return nil, false
			}
		}
	}
	dec = json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil {
		return nil, false
	}
	for k, v := range fields {
		if fields[k], ok = numbers(v); !ok {
			return nil, false
		}
	}
	return fields, true
}

func numbers(v any) (_ any, ok bool) {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n, true
		}
		f, err := v.Float64()
		return f, err == nil
	case []any:
		for i := range v {
			if v[i], ok = numbers(v[i]); !ok {
				return nil, false
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], ok = numbers(v[k]); !ok {
				return nil, false
			}
		}
	}
	return v, true
}
