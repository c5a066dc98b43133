package filesink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/catalog"
)

// flushSize is how many bytes are gathered for one write.
const flushSize = 256 << 10

// sink writes the staged file.
type sink struct {
	target      string // the final file, symbolic links followed
	staged      string
	ifExists    string
	compression string
	enc         formats.Encoder

	fresh   bool     // the staged file was made by this sink
	claim   *os.File // the staged file, held so that no other sink stages there
	file    *os.File // the staged file, between the first record and the end
	begun   bool
	ended   bool // the staged file is complete
	out     io.Writer
	closers []io.Closer // the compressor, whose end is to be written
	buf     []byte
	err     error // of the file, after which nothing more is written
}

func newSink(c *gpflow.SinkContext) (gpflow.Sink, error) {
	format, compression := settled(c.Config)
	o := formats.EncoderOptions{Schema: c.In}
	if block, ok := c.Config.Block("csv"); ok {
		o.CSV = formats.CSV{NoHeader: !block.Bool("header"), Delimiter: block.String("delimiter")[0]}
	}
	enc, err := catalog.NewEncoder(format, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Address, err)
	}
	target, err := resolve(c.Config.String("path"), c.Config.String("if_exists"))
	if err != nil {
		return nil, err
	}
	s := &sink{
		target: target, staged: stagedName(target), ifExists: c.Config.String("if_exists"),
		compression: compression, enc: enc, buf: make([]byte, 0, flushSize+flushSize/4),
	}
	if err := s.probe(); err != nil {
		return nil, err
	}
	return s, nil
}

// stagedName returns the path of the staged file: hidden, and in the same
// directory, so that it can be renamed.
func stagedName(target string) string {
	return filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".gpflow-staged")
}

// resolve returns the file that path leads to, and refuses what cannot be
// written as a file.
func resolve(path, ifExists string) (string, error) {
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		link := path
		if path, err = filepath.EvalSymlinks(link); err != nil {
			return "", fmt.Errorf("write %s: it is a symbolic link that leads nowhere: %w; make the file that it names, or remove the link", link, reason(err))
		}
		info, err = os.Stat(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", fmt.Errorf("make the directory of %s: %w%s", path, err, remedy(err))
		}
		return path, nil
	case err != nil:
		return "", fmt.Errorf("write %s: %w%s", path, reason(err), remedy(err))
	case info.IsDir():
		return "", fmt.Errorf("write %s: it is a directory; the path of the sink names a file in it, such as %s", path, filepath.Join(path, "out.json"))
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("write %s: it is no regular file and would be replaced by one; use sink \"stdout\" to write to a terminal or pipe, or sink \"blackhole\" to write nowhere", path)
	case ifExists == ifExistsFail:
		return "", existsError(path)
	}
	return path, nil
}

func existsError(path string) error {
	return fmt.Errorf("write %s: the file exists; remove it, choose another path, or set if_exists = \"replace\"", path)
}

// probe makes sure that the staged file can be written, without changing it: it
// may be output that is prepared and still to be committed.
func (s *sink) probe() error {
	f, err := os.OpenFile(s.staged, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	s.fresh = err == nil
	if errors.Is(err, fs.ErrExist) {
		f, err = os.OpenFile(s.staged, os.O_WRONLY, 0o666)
	}
	if err != nil {
		return fmt.Errorf("stage the output for %s in %s: %w%s", s.target, s.staged, reason(err), remedy(err))
	}
	if !claim(f) {
		_ = f.Close() // nothing was written
		return fmt.Errorf("write %s: another sink of this pipeline, or another run, is writing the same file, staged in %s; give each sink a file of its own, or wait for the other run",
			s.target, s.staged)
	}
	s.claim = f
	return nil
}

// remedy says what can be done about an error of the file system.
func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "; make room there, or choose another path, and run the pipeline again"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "; gpflow has to write in the directory of the file: give it the permission, or choose another path"
	case errors.Is(err, syscall.ENOTDIR):
		return "; what the path has for a directory is a file: choose another path"
	}
	return ""
}

// reason returns the cause of an error of package os, without the name of the
// call and the file.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// begin opens the staged file, empty, and writes what stands before the records.
func (s *sink) begin() error {
	switch {
	case s.err != nil:
		return s.err
	case s.ended:
		return fmt.Errorf("write %s: it has been completed", s.target)
	case s.begun:
		return nil
	}
	f, err := os.OpenFile(s.staged, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return s.failed(err)
	}
	s.file, s.begun = f, true
	return s.encodeTo(f)
}

// encodeTo begins the output in w.
func (s *sink) encodeTo(w io.Writer) error {
	switch s.compression {
	case compressionGzip:
		z := gzip.NewWriter(w)
		s.out, s.closers = z, []io.Closer{z}
	case compressionZstd:
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return s.failed(err)
		}
		s.out, s.closers = z, []io.Closer{z}
	default:
		s.out = w
	}
	s.buf = s.enc.Begin(s.buf[:0])
	return nil
}

// failed keeps and explains an error of the staged file.
func (s *sink) failed(err error) error {
	s.err = fmt.Errorf("write the output for %s: %w; the file itself has not been touched%s", s.target, reason(err), remedy(err))
	return s.err
}

// Write encodes the rows of b into the staged file.
func (s *sink) Write(ctx context.Context, b *gpflow.Batch, fail func(int, error) error) error {
	if err := s.begin(); err != nil {
		return err
	}
	for i := range b.N {
		var err error
		if s.buf, err = s.enc.Append(s.buf, b.Row(i)); err != nil {
			if err := fail(i, err); err != nil {
				return err
			}
			continue
		}
		if len(s.buf) >= flushSize {
			if err := errors.Join(ctx.Err(), s.flush()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sink) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	if _, err := s.out.Write(s.buf); err != nil {
		return s.failed(err)
	}
	s.buf = s.buf[:0]
	return nil
}

// committable is a staged file that is complete.
type committable struct {
	Staged   string `json:"staged"`
	Final    string `json:"final"`
	Size     int64  `json:"size"`
	IfExists string `json:"if_exists"`
}

// Prepare writes out what is buffered. At the end it completes the staged file
// and makes it durable; before, there is nothing to commit, since the file
// appears whole.
func (s *sink) Prepare(_ context.Context, _ gpflow.CheckpointID, final bool) (gpflow.Prepared, error) {
	if err := s.begin(); err != nil {
		return gpflow.Prepared{}, err
	}
	if err := s.flush(); err != nil || !final {
		return gpflow.Prepared{}, err
	}
	for _, c := range s.closers {
		if err := c.Close(); err != nil {
			return gpflow.Prepared{}, s.failed(err)
		}
	}
	s.closers = nil
	info, err := s.file.Stat()
	if err == nil {
		err = s.file.Sync()
	}
	if err = errors.Join(err, s.file.Close()); err != nil {
		return gpflow.Prepared{}, s.failed(err)
	}
	s.file, s.ended = nil, true
	data, err := json.Marshal(committable{s.staged, s.target, info.Size(), s.ifExists})
	return gpflow.Prepared{Committable: data}, err
}

// Recover has nothing to go on from: a run begins with an empty file.
func (s *sink) Recover(context.Context, [][]byte) error { return nil }

// Close leaves the staged file as it is, unless nothing was ever written to it.
func (s *sink) Close() error {
	if s.err == nil {
		s.err = fmt.Errorf("write %s: the sink is closed", s.target)
	}
	if s.claim != nil {
		defer s.claim.Close() // nothing was written to it
		s.claim = nil
	}
	if s.fresh && !s.begun {
		s.fresh = false
		return os.Remove(s.staged)
	}
	if s.file == nil {
		return nil
	}
	if !s.ended {
		_ = s.flush() // what was written is to be found in the staged file, complete or not
	}
	for _, c := range s.closers {
		_ = c.Close() // gives its memory back; the staged file is not complete anyway
	}
	f := s.file
	s.file, s.closers = nil, nil
	return f.Close()
}
