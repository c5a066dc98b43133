// Package formats turns bytes into rows and rows into bytes, directed by a
// schema. What a format is called, and what it can be told, stands here; each
// format has a folder of its own.
package formats

import (
	"time"

	"github.com/gpflow/gpflow"
)

// Decoder reads records of one format, for one split. It is used by one
// goroutine.
type Decoder interface {
	// Frame finds the next record in data, which begins where the last record
	// ended. It returns the bytes to go on after, including the record's
	// terminator, the record without it, and the number of line ends passed.
	// n is 0 where data holds no whole record; at the end of input (eof) the
	// rest is the last record. A nil rec with n > 0 is to be passed over: a
	// blank line, a header. An error is one of the whole split, such as a header
	// without a declared column: the records behind it cannot be read.
	//
	// A byte order mark at the beginning of the first data is passed over. n may
	// take in all of data where nothing else holds a record.
	Frame(data []byte, eof bool) (n int, rec []byte, lines int, err error)
	// Decode fills row, which holds nulls and has the columns of Read, from one
	// record. Strings may share rec, which the caller must not change
	// afterwards; everything else that they point to is never used again by the
	// decoder. An error is the record's own, a gpflow.RecordError with code
	// "decode"; the row is then in no defined state. "column N" in its message is
	// the byte of the record, from 1.
	Decode(rec []byte, row []gpflow.Value) error
}

// Headed is implemented by decoders whose records can be read only after a
// header. A reader that goes on in the middle of a split first frames the split
// from its beginning until NeedsHeader is false, and then goes to its place.
type Headed interface {
	// NeedsHeader reports whether Frame has yet to pass over the header.
	NeedsHeader() bool
}

// DecoderOptions are what a decoder is made with.
type DecoderOptions struct {
	Declared *gpflow.Schema // every column of the records
	Read     *gpflow.Schema // those to decode, a subset in the same order
	// StrictFields refuses a record with a field that is not declared.
	StrictFields bool
	Zone         *time.Location // of times without a zone; nil: UTC
	CSV          CSV
}

// CSV are the options of comma-separated values.
type CSV struct {
	NoHeader  bool // the first record is data, and columns go by their order
	Delimiter byte // 0: a comma
}

// Encoder writes records of one format. It is used by one goroutine.
type Encoder interface {
	// Begin appends what stands before the first record, such as a header.
	Begin(dst []byte) []byte
	// Append appends a row with its terminator. On an error, which is the
	// record's own with code "encode", dst is returned as it was.
	Append(dst []byte, row []gpflow.Value) ([]byte, error)
}

// EncoderOptions are what an encoder is made with.
type EncoderOptions struct {
	Schema *gpflow.Schema
	CSV    CSV
}
