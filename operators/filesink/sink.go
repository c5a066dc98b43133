package filesink

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/catalog"
)

// How many bytes are gathered for one write: of plain data, and of data to
// compress, which is the size of a frame. Where there are files by partition,
// there are many buffers.
const (
	flushSize          = 256 << 10
	frameSize          = 1 << 20
	flushSizePartition = 64 << 10
	frameSizePartition = 256 << 10
)

func newSink(c *gpflow.SinkContext) (gpflow.Sink, error) {
	format, compression := settled(c.Config)
	enc, err := catalog.NewEncoder(format, formats.EncoderOptions{Schema: c.In, CSV: catalog.CSV(c.Config)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Address, err)
	}
	pack, err := newPacker(compression)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Address, err)
	}
	if c.Config.String("mode") == modeParts {
		return newParts(c, enc, pack, extension(format, compression))
	}
	return newSingle(c, enc, pack)
}

// stateVersion is the version of what a sink keeps in checkpoints.
const stateVersion = 1

// header says what a state or a committable is of.
type header struct {
	Version int    `json:"version"`
	Mode    string `json:"mode"`
}

// decode reads a state or a committable of a mode into x.
func decode(data []byte, mode string, x any) error {
	var h header
	if err := json.Unmarshal(data, &h); err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	if h.Version != stateVersion || h.Mode != mode {
		return fmt.Errorf("it is of version %d and mode %q, and this is version %d and mode %q; use the gpflow and the spec that wrote it, or start with --fresh",
			h.Version, h.Mode, stateVersion, mode)
	}
	return json.Unmarshal(data, x)
}

// modified returns when a file was last written to, in nanoseconds since 1970.
func modified(info os.FileInfo) int64 { return info.ModTime().UnixNano() }

// failure is why a sink has failed. A sink that has failed stays so: a second
// fsync that succeeds proves nothing, and where a file could not be taken back to
// what it was nobody knows what is in it.
type failure struct{ err error }

// set returns the error of a call: a transient one where nothing has taken effect,
// else that with which the sink has failed.
func (f *failure) set(what string, err error) error {
	if f.err == nil && passing(err) {
		return &gpflow.Transient{Err: fmt.Errorf("%s: %w%s", what, reason(err), remedy(err))}
	}
	if f.err == nil {
		f.err = fmt.Errorf("%s: %w%s", what, reason(err), remedy(err))
	}
	return f.err
}

var errClosed = errors.New("the sink is closed")
