package filesource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/catalog"
	"github.com/gpflow/gpflow/storage/local"
)

const (
	// minRange is the least that a file is cut into, in bytes.
	minRange = 8 << 20
	// chunk is the size of an arena, in bytes, where no record is longer.
	chunk = 256 << 10
	// rawLimit is what the error of a record carries of it at most, in bytes,
	// where the record is too long.
	rawLimit = 4 << 10
)

// source is the configuration of a node, resolved. It is immutable.
type source struct {
	paths       []string
	format      string // "": by each file's name
	compression string
	order       string
	anySchema   bool // no schema was declared: only lines can be read
	parts       int  // splits to come to by cutting files; 1: none are cut
	minRange    int64
	maxRecord   int
	decoder     formats.DecoderOptions
	follow      bool
	stdin       *os.File
	log         *slog.Logger
	now         func() time.Time                           // the clock; only what is followed needs one
	wait        func(context.Context, time.Duration) error // lets the time pass
	watches     bool                                       // the system tells of files that appear, where it can
	bugs        bugs
	// before is called before every read of the content of a file, and an error of
	// it is that of the read: a test lets the disk fail there. nil: it is not called.
	before func() error
}

// again returns the error of reading a split: a transient one where the same can be
// read again, at once or later.
func again(stream bool, err error) error {
	if stream || !local.Passing(err) {
		return err
	}
	return &gpflow.Transient{Err: err}
}

// bugs are mistakes that tests switch on, to see that they are found.
type bugs struct {
	// positionOffByOne gives positions that are one record too early.
	positionOffByOne bool
}

func newSource(c *gpflow.SourceContext) (gpflow.Source, error) {
	s := &source{
		paths:       c.Config.Strings("path"),
		format:      c.Config.String("format"),
		compression: c.Config.String("compression"),
		order:       c.Config.String("order"),
		anySchema:   c.Config.Schema("schema") == nil,
		parts:       1,
		minRange:    minRange,
		maxRecord:   int(c.Config.Int("max_record")),
		follow:      c.Config.Bool("follow"),
		stdin:       os.Stdin,
		now:         time.Now,
		wait:        pause,
		watches:     true,
		log:         c.Log,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if !c.EventTime && s.order == orderNone && !s.follow {
		s.parts = c.Parallelism
	}
	zone, err := loadZone(c.Config.String("timezone"))
	if err != nil {
		return nil, fmt.Errorf("%s: timezone: %w", c.Address, err)
	}
	s.decoder = formats.DecoderOptions{
		Declared: declared(c.Config), Read: c.Schema, Zone: zone,
		StrictFields: c.Config.String("unknown_fields") == unknownError,
	}
	if s.decoder.Declared == nil {
		return nil, fmt.Errorf("%s: the source has no schema", c.Address)
	}
	s.decoder.CSV = catalog.CSV(c.Config)
	return s, nil
}

// Enumerator returns the enumerator. Without follow it finds all splits at once,
// so that where some are known all are.
func (s *source) Enumerator(known []gpflow.Split) (gpflow.Enumerator, error) {
	if s.follow {
		return newScanner(s, known)
	}
	e := &enumerator{source: s, done: len(known) > 0}
	if e.done {
		e.reportNew(known)
	}
	return e, nil
}

// Reader returns a reader: of one split after the other, or, with follow, of all
// in turn.
func (s *source) Reader(c *gpflow.ReaderContext) (gpflow.Reader, error) {
	wake := c.Wake
	if wake == nil {
		wake = func() {}
	}
	if s.follow {
		return &follower{source: s, mostOpen: mostOpen}, nil
	}
	return &reader{source: s, wake: wake}, nil
}

// input returns the content of a split, of which nothing is open.
func (s *source) input(d splitData) (*input, error) {
	dec, err := catalog.NewDecoder(d.Format, s.decoder)
	if err != nil {
		return nil, fmt.Errorf("read %s as %s: %w", d.Path, d.Format, err)
	}
	keeper, nested := newKeeper(s.decoder.Read)
	name := d.Path
	if name == stdin {
		name = "standard input"
	}
	return &input{
		path: name, stream: d.Stream, dec: dec, keeper: keeper, nested: nested, max: s.maxRecord, limit: d.To,
		csv: d.Format == "csv", lines: d.Format == "lines", encoded: d.Format == "lines" && holdsBytes(s.decoder.Declared),
		delimiter: s.decoder.CSV.Delimiter, line: 1, compression: d.Compression, early: s.bugs.positionOffByOne,
		before: s.before,
	}, nil
}

// open opens a split at a position.
func (s *source) open(d splitData, from position, wake func()) (*input, error) {
	in, err := s.input(d)
	if err != nil {
		return nil, err
	}
	if err := in.open(s, d, from, wake); err != nil {
		return nil, err
	}
	switch {
	case from.offset == 0 && d.From > 0:
		in.align, in.line = true, 0
		err = in.seek(d.From - 1)
	case from.offset > 0:
		in.resume = from.place
	}
	if err != nil {
		return nil, errors.Join(err, in.close())
	}
	return in, nil
}

// streamWait is when a stream that had nothing is looked at again unless it
// wakes the reader itself.
const streamWait = gpflow.Duration(time.Minute / time.Microsecond)
