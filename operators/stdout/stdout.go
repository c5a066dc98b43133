package stdout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/catalog"
)

// Descriptor describes the sink "stdout", which writes to the standard output
// of the process.
var Descriptor = New(os.Stdout)

const (
	formatJSON  = "json"
	formatTable = "table"
)

var fields = []gpflow.Field{{
	Name: "format", Kind: gpflow.FieldEnum, Default: formatJSON, Update: gpflow.Restart,
	Doc: "How records are written.",
	Values: []gpflow.Option{
		{Value: formatJSON, Doc: "one JSON object a line"},
		{Value: formatTable, Doc: "a table for reading: a header, then a line a record, numbers to the right. Numbers are rounded to four digits after the point, null is a dash, and characters that would move the cursor are written as escapes"},
	},
}}

// New returns a descriptor of the sink "stdout" that writes to w instead. The
// sinks do not close w.
func New(w io.Writer) gpflow.Descriptor {
	return gpflow.Descriptor{
		Block:   "sink",
		Kind:    "stdout",
		Summary: "Writes records to the standard output.",
		Doc: `Writes each record to the standard output as soon as it comes, as a line of JSON or a row of a table.

What has been written cannot be taken back: after a crash, records may be written again.

The columns of a table are as wide as the records that come first need, up to 512 of them, and grow where a later one needs more.`,
		Example: `sink "stdout" "screen" {
  from   = window.totals
  format = "table"
}`,
		Fields: fields,
		Traits: func(gpflow.Config) gpflow.Traits {
			return gpflow.Traits{Single: true, Delivery: gpflow.AtLeastOnce, Visible: "at once"}
		},
		Infer:   infer,
		NewSink: func(c *gpflow.SinkContext) (gpflow.Sink, error) { return newSink(w, c) },
	}
}

func infer(in *gpflow.Inference) gpflow.Inferred {
	if in.Config.String("format") == formatJSON {
		if err := catalog.Check(formatJSON, in.In[0]); err != nil {
			in.Report(gpflow.Problem{Path: "from", Needs: []string{"format"}, Summary: "the format json cannot carry these records", Detail: err.Error()})
		}
	}
	return gpflow.Inferred{Uses: [][]string{in.In[0].Names()}}
}

func newSink(w io.Writer, c *gpflow.SinkContext) (gpflow.Sink, error) {
	s := &sink{out: w, buf: make([]byte, 0, flushSize)}
	if c.Config.String("format") == formatTable {
		s.lines = newTable(c.In)
		return s, nil
	}
	enc, err := catalog.NewEncoder(formatJSON, formats.EncoderOptions{Schema: c.In})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Address, err)
	}
	s.lines = &jsonLines{enc}
	return s, nil
}

// flushSize is how many bytes are gathered for one write, within a batch.
const flushSize = 64 << 10

// layout writes rows as lines.
type layout interface {
	// begin is called before the rows of each batch, and may append to dst.
	begin(dst []byte, b *gpflow.Batch) []byte
	// Append appends a row, or returns dst as it was and the row's error.
	Append(dst []byte, row []gpflow.Value) ([]byte, error)
}

type jsonLines struct{ formats.Encoder }

func (*jsonLines) begin(dst []byte, _ *gpflow.Batch) []byte { return dst }

// sink writes to one stream.
type sink struct {
	out   io.Writer
	lines layout
	buf   []byte
}

// Write writes the rows of b. Nothing is kept back.
func (s *sink) Write(ctx context.Context, b *gpflow.Batch, fail func(int, error) error) error {
	s.buf = s.lines.begin(s.buf, b)
	for i := range b.N {
		var err error
		if s.buf, err = s.lines.Append(s.buf, b.Row(i)); err != nil {
			if err = fail(i, err); err != nil {
				return errors.Join(err, s.flush())
			}
		}
		if len(s.buf) >= flushSize {
			if err := errors.Join(ctx.Err(), s.flush()); err != nil {
				return err
			}
		}
	}
	return s.flush()
}

func (s *sink) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	_, err := s.out.Write(s.buf)
	s.buf = s.buf[:0]
	if err != nil {
		return failed(err)
	}
	return nil
}

// failed explains an error of the standard output.
func failed(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // the message names the file
	}
	if errors.Is(err, syscall.EPIPE) {
		return &gpflow.FinalError{Err: fmt.Errorf("write to the standard output: whoever read it has gone: %w", err)}
	}
	return fmt.Errorf("write to the standard output: %w", err)
}

// Prepare has nothing to do: Write keeps nothing back.
func (s *sink) Prepare(context.Context, gpflow.CheckpointID, bool) (gpflow.Prepared, error) {
	return gpflow.Prepared{}, nil
}

// Recover has nothing to go on from: what was shown stays shown.
func (s *sink) Recover(context.Context, [][]byte) error { return nil }

// Commit has nothing to show.
func (s *sink) Commit(context.Context, gpflow.Committable) error { return nil }

// Close leaves the stream open.
func (s *sink) Close() error { return nil }
