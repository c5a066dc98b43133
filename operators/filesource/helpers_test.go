package filesource

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type vals = map[string]any

// options are what a test says of a source.
type options struct {
	vals        vals
	read        *gpflow.Schema // nil: all that is declared
	eventTime   bool
	parallelism int
	minRange    int64
	stdin       *os.File
}

// open makes a source of the configuration.
func open(t testing.TB, o options) *source {
	t.Helper()
	c := gpflow.NewConfig(fields, o.vals)
	if o.read == nil {
		o.read = declared(c)
	}
	s, err := Descriptor.NewSource(&gpflow.SourceContext{
		Address: "source.test", Config: c, Schema: o.read, EventTime: o.eventTime, Parallelism: max(1, o.parallelism),
	})
	if err != nil {
		t.Fatal(err)
	}
	src := s.(*source)
	if o.minRange > 0 {
		src.minRange = o.minRange
	}
	if o.stdin != nil {
		src.stdin = o.stdin
	}
	return src
}

// record is a record as a reader gave it.
type record struct {
	split     string
	pos, line int64
	text      string // its columns, with a | between
	code      string // of a failed record; text is its raw form then
}

type failure interface{ Fatal(args ...any) }

func discover(t failure, s *source) []gpflow.Split {
	e, err := s.Enumerator(nil)
	if err != nil {
		t.Fatal(err)
	}
	splits, done, err := e.Discover(context.Background())
	if err != nil || !done {
		t.Fatal("discover:", done, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return splits
}

// drain reads splits to their end, in order. Where stop says so after a poll,
// it goes on with a new reader at the last position.
func drain(s *source, splits []gpflow.Split, stop func() bool) ([]record, error) {
	var got []record
	for _, split := range splits {
		var pos gpflow.Position
		for done := false; !done; {
			r, err := s.Reader(&gpflow.ReaderContext{})
			if err != nil {
				return got, err
			}
			if err := r.Assign(split, pos); err != nil {
				return got, err
			}
			pos, done, got, err = drainOne(r, got, pos, stop)
			if err := errors.Join(err, r.Close()); err != nil {
				return got, err
			}
		}
	}
	return got, nil
}

func drainOne(r gpflow.Reader, got []record, pos gpflow.Position, stop func() bool) (gpflow.Position, bool, []record, error) {
	schema := r.(*reader).decoder.Read
	for {
		out := gpflow.NewReading(schema)
		p, err := r.Poll(context.Background(), out)
		b, failed, split, at := out.TakeReading()
		got = take(got, b, failed, split)
		if at != nil {
			pos = at
		}
		switch {
		case err != nil:
			return pos, true, got, err
		case p.Ended != "":
			return pos, true, got, nil
		case p.Idle:
			return pos, true, got, errors.New("idle")
		case stop != nil && stop():
			return pos, false, got, nil
		}
	}
}

// take adds the rows and the failed records in their order.
func take(got []record, b *gpflow.Batch, failed []gpflow.FailedRecord, split string) []record {
	n := 0
	if b != nil {
		n = b.N
	}
	for i := 0; i <= n; i++ {
		for len(failed) > 0 && failed[0].After == i {
			f := failed[0]
			got = append(got, record{split, f.Position, f.Line, string(f.Raw), gpflow.ErrorCode(f.Err)})
			failed = failed[1:]
		}
		if i < n {
			s, pos, line, _ := b.Position(i)
			got = append(got, record{s, pos, line, rowText(b.Row(i)), ""})
		}
	}
	return got
}

func rowText(row []gpflow.Value) string {
	parts := make([]string, len(row))
	for i, v := range row {
		if v.Kind() == gpflow.KindString {
			parts[i] = strings.Clone(v.Str())
			continue
		}
		text, _ := gpflow.AppendJSON(nil, v)
		parts[i] = string(text)
	}
	return strings.Join(parts, "|")
}

func texts(rs []record) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.text
	}
	return out
}

// write puts content into a file of a new directory, compressed as its name
// says.
func write(t testing.TB, path string, content []byte) string {
	t.Helper()
	if !filepath.IsAbs(path) {
		path = filepath.Join(t.TempDir(), path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, compressed(t, catalog.CompressionOf(path), content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func compressed(t failure, compression string, content []byte) []byte {
	var buf bytes.Buffer
	var err error
	switch compression {
	case catalog.Gzip:
		w := gzip.NewWriter(&buf)
		_, err = w.Write(content)
		err = errors.Join(err, w.Close())
	case catalog.Zstd:
		var w *zstd.Encoder
		if w, err = zstd.NewWriter(&buf); err == nil {
			_, err = w.Write(content)
			err = errors.Join(err, w.Close())
		}
	default:
		return content
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

var userSchema = gpflow.NewSchema(
	gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
)

// headOfSplit returns the fingerprint of a split's file.
func headOfSplit(t failure, s gpflow.Split) head {
	d, err := decodeSplit(s)
	if err != nil {
		t.Fatal(err)
	}
	h, err := headAt(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	return h
}
