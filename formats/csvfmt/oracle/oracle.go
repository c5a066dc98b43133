// Package oracle says what comma-separated values hold, by encoding/csv, for
// the tests of csvfmt. It imports the standard library only.
package oracle

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
)

// Record is a record, or the refusal of one.
type Record struct {
	Fields  []string
	Line    int  // of the first field
	Refused bool // it has another number of fields than the first
}

// Read returns the records of data up to the first one that is not well-formed,
// and whether there was one. Line ends within quotes are LF.
func Read(data []byte, delim rune) (recs []Record, broken bool) {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = delim
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return recs, false
		}
		count := errors.Is(err, csv.ErrFieldCount)
		if err != nil && !count {
			return recs, true
		}
		line, _ := r.FieldPos(0)
		recs = append(recs, Record{fields, line, count})
	}
}

// Write returns recs as encoding/csv writes them.
func Write(recs [][]string, delim rune) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = delim
	if err := w.WriteAll(recs); err != nil {
		panic(err)
	}
	return b.Bytes()
}
