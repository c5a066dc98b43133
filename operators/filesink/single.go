package filesink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/catalog"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// single writes one staged file, which gets its final name at the end.
type single struct {
	target   string // the final file, symbolic links followed
	ifExists string
	enc      formats.Encoder
	log      *slog.Logger
	disk     *disk

	out       output      // the staged file, held so that no other sink stages there
	fresh     bool        // the staged file was made by this sink, and is empty
	begun     bool        // the staged file is being written
	named     bool        // the name of the staged file is durable
	done      *singleDone // the staged file is complete
	recovered bool        // it was completed before, maybe by another process
	failure   failure
}

// singleState is what is needed to go on with a staged file.
type singleState struct {
	header
	Target string      `json:"target"`
	Staged string      `json:"staged"`
	Length int64       `json:"length"` // bytes of the staged file
	Sum    *uint32     `json:"crc32c"` // of them; nil: not known
	Done   *singleDone `json:"done,omitempty"`
}

// singleDone is a staged file that is complete.
type singleDone struct {
	header
	Staged   string  `json:"staged"`
	Final    string  `json:"final"`
	Size     int64   `json:"size"`
	Sum      *uint32 `json:"crc32c"`   // nil: not known
	Modified int64   `json:"modified"` // nanoseconds since 1970
	IfExists string  `json:"if_exists"`
}

func newSingle(c *gpflow.SinkContext, enc formats.Encoder, pack *packer) (*single, error) {
	s := &single{ifExists: c.Config.String("if_exists"), enc: enc, log: c.Log, disk: &disk{bug: planted()}}
	if s.ifExists == "" {
		s.ifExists = ifExistsReplace
	}
	var err error
	if s.target, err = resolve(s.disk, c.Config.String("path")); err != nil {
		return nil, err
	}
	if c.Lineage == "" || c.Epoch <= 1 && s.foreign() {
		if err := s.vacant(); err != nil {
			return nil, err
		}
	}
	limit := flushSize
	if pack.kind != catalog.None {
		limit = frameSize
	}
	s.out = output{disk: s.disk, path: stagedName(s.target, c.Lineage), pack: pack, limit: limit}
	// What is staged is not touched yet: it may be output that is prepared and
	// still to be committed.
	s.out.file, s.fresh, err = s.disk.hold(s.out.path)
	if err != nil {
		return nil, s.cannotHold(s.out.path, err)
	}
	return s, nil
}

// stagedName returns the path of the staged file: hidden, and in the same
// directory, so that it can be renamed.
func stagedName(target, lineage string) string {
	if lineage != "" {
		lineage = "-" + lineage
	}
	return filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+stagedSuffix+lineage)
}

const stagedSuffix = ".gpflow-staged"

func (s *single) cannotHold(staged string, err error) error {
	if errors.Is(err, errHeld) {
		return fmt.Errorf("write %s: another sink of this pipeline, or another run, is writing the same file, staged in %s; give each sink a file of its own, or wait for the other run",
			s.target, staged)
	}
	return fmt.Errorf("stage the output for %s in %s: %w%s", s.target, staged, reason(err), remedy(err))
}

// resolve returns the file that path leads to, and refuses what cannot be
// written as a file.
func resolve(d *disk, path string) (string, error) {
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
		if err := d.makeDir(filepath.Dir(path)); err != nil {
			return "", fmt.Errorf("make the directory of %s: %w%s", path, err, remedy(err))
		}
		return path, nil
	case err != nil:
		return "", fmt.Errorf("write %s: %w%s", path, reason(err), remedy(err))
	case info.IsDir():
		return "", fmt.Errorf("write %s: it is a directory; the path of the sink names a file in it, such as %s", path, filepath.Join(path, "out.json"))
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("write %s: it is no regular file and would be replaced by one; use sink \"stdout\" to write to a terminal or pipe, or sink \"blackhole\" to write nowhere", path)
	}
	return path, nil
}

// vacant refuses a target that exists and is not to be replaced.
func (s *single) vacant() error {
	if s.ifExists != ifExistsFail {
		return nil
	}
	if _, err := os.Lstat(s.target); err != nil {
		return nil
	}
	return fmt.Errorf("write %s: the file exists; remove it, choose another path, or set if_exists = \"replace\"", s.target)
}

// started is when this process began.
var started = time.Now()

// foreign reports whether the target has been there before this process, so that
// no sink of a job's first start has made it.
func (s *single) foreign() bool {
	info, err := os.Stat(s.target)
	return err == nil && info.ModTime().Before(started)
}

// Recover goes on with the staged file of the checkpoint, cut to what it was
// there. At a fresh start the file begins empty, as late as possible.
func (s *single) Recover(_ context.Context, states [][]byte) error {
	if len(states) > 1 {
		return fmt.Errorf("write %s: the checkpoint has the state of %d writers, and this file has one", s.target, len(states))
	}
	keep := s.out.path
	if len(states) == 1 && states[0] != nil {
		var st singleState
		if err := decode(states[0], modeSingle, &st); err != nil {
			return s.failed("go on from the sink's state in the checkpoint", err)
		}
		if st.Target != s.target {
			return s.failed("go on with the output", fmt.Errorf("the checkpoint is of the file %s; set the path back, or start with --fresh", st.Target))
		}
		if err := s.resume(&st); err != nil {
			return s.failed("go on with the output", err)
		}
		if st.Done != nil {
			keep = st.Done.Staged
		}
	}
	if s.done == nil {
		if err := s.vacant(); err != nil {
			return err
		}
	}
	if err := s.alone(keep); err != nil {
		return err
	}
	failpoint.Here("staged-removed")
	return nil
}

func (s *single) resume(st *singleState) error {
	if st.Done != nil {
		s.done, s.recovered = st.Done, true
		if s.fresh || s.placeholder() { // it has been renamed, or belongs to another lineage
			s.fresh = false
			return s.disk.remove(s.out.path)
		}
		return nil
	}
	if s.fresh && st.Staged == s.out.path {
		if err := s.disk.remove(s.out.path); err != nil {
			return err
		}
	}
	if err := s.out.resume(st.Staged, st.Length, st.Sum); err != nil {
		return err
	}
	s.begun, s.fresh = true, false
	return nil
}

// placeholder reports whether the staged file is none, although the output is
// complete, but what a start has made that died before it knew.
func (s *single) placeholder() bool {
	staged, err := os.Stat(s.out.path)
	if err != nil || staged.Size() > 0 || modified(staged) == s.done.Modified {
		return false
	}
	final, err := os.Stat(s.target)
	return err == nil && modified(final) >= s.done.Modified && !os.SameFile(staged, final)
}

var lineages = regexp.MustCompile(`^(-[0-9a-fA-F]+)?$`)

// alone removes what dead runs have left staged for this file, but for keep, and
// refuses to go on beside one that lives.
func (s *single) alone(keep string) error {
	dir, prefix := filepath.Dir(s.target), "."+filepath.Base(s.target)+stagedSuffix
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look for staged files in %s: %w%s", dir, reason(err), remedy(err))
	}
	for _, e := range entries {
		rest, ours := strings.CutPrefix(e.Name(), prefix)
		path := filepath.Join(dir, e.Name())
		if !ours || !lineages.MatchString(rest) || path == s.out.path || path == keep || !e.Type().IsRegular() {
			continue
		}
		if err := s.disk.discard(path); err != nil {
			return s.cannotHold(path, err)
		}
	}
	return nil
}

func (s *single) failed(what string, err error) error {
	return s.failure.set("write "+s.target+": "+what, err)
}

// unwritable keeps and explains an error of the staged file.
func (s *single) unwritable(err error) error {
	said := fmt.Errorf("write the output for %s: %w; the file itself has not been touched%s", s.target, reason(err), remedy(err))
	if s.failure.err == nil && passing(err) {
		return &gpflow.Transient{Err: said}
	}
	if s.failure.err == nil {
		s.failure.err = said
	}
	return s.failure.err
}

// begin empties the staged file, and writes what stands before the records.
func (s *single) begin() error {
	switch {
	case s.failure.err != nil:
		return s.failure.err
	case s.done != nil:
		return fmt.Errorf("write %s: it has been completed", s.target)
	case s.begun:
		return nil
	}
	if !same(s.out.file, s.out.path) { // it has been committed
		_ = s.out.file.Close() // nothing was written
		f, _, err := s.disk.hold(s.out.path)
		if err != nil {
			return s.failed("stage the output", torn{err})
		}
		s.out.file = f
	}
	if err := s.disk.truncate(s.out.file, 0); err != nil {
		return s.unwritable(torn{err})
	}
	s.begun, s.fresh = true, false
	s.out.buf = s.enc.Begin(s.out.buf[:0])
	return nil
}

// Write writes out what the batches before have left, and encodes the rows of b
// behind that: where the disk fails, nothing of b has been taken.
func (s *single) Write(ctx context.Context, b *gpflow.Batch, fail func(int, error) error) error {
	if err := s.begin(); err != nil {
		return err
	}
	if len(s.out.buf) >= s.out.limit {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.out.flush(); err != nil {
			return s.unwritable(err)
		}
	}
	for i := range b.N {
		var err error
		if s.out.buf, err = s.enc.Append(s.out.buf, b.Row(i)); err != nil {
			if err := fail(i, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// Prepare makes the staged file durable as far as it was written. At the end it
// completes it; before, there is nothing to commit, since the file appears
// whole.
func (s *single) Prepare(_ context.Context, _ gpflow.CheckpointID, final bool) (gpflow.Prepared, error) {
	if s.done == nil {
		if err := s.begin(); err != nil {
			return gpflow.Prepared{}, err
		}
		if err := s.persist(final); err != nil {
			return gpflow.Prepared{}, s.unwritable(err)
		}
	}
	if s.failure.err != nil {
		return gpflow.Prepared{}, s.failure.err
	}
	st := singleState{header{stateVersion, modeSingle}, s.target, s.out.path, s.out.length, s.out.written(), s.done}
	var p gpflow.Prepared
	var err error
	if p.State, err = json.Marshal(st); err == nil && s.done != nil {
		p.Committable, err = json.Marshal(s.done)
	}
	return p, err
}

func (s *single) persist(final bool) error {
	write := s.out.sync
	if final {
		write = s.out.finish
	}
	if err := write(); err != nil {
		return err
	}
	if !s.named {
		if err := s.disk.syncDir(filepath.Dir(s.out.path)); err != nil {
			return err
		}
		failpoint.Here("staging-synced")
		s.named = true
	}
	if !final {
		return nil
	}
	info, err := s.out.file.Stat()
	if err != nil {
		return err
	}
	s.done = &singleDone{header{stateVersion, modeSingle}, s.out.path, s.target, info.Size(), s.out.written(), modified(info), s.ifExists}
	return nil
}

// Close leaves the staged file as it is, unless nothing was ever written to it.
func (s *single) Close() error {
	if s.failure.err == nil {
		s.failure.err = fmt.Errorf("write %s: %w", s.target, errClosed)
		if s.begun && s.done == nil {
			_ = s.out.flush() // what was written is to be found in the staged file, complete or not
		}
	}
	f := s.out.file
	if f == nil {
		return nil
	}
	s.out.file = nil
	s.out.pack.close()
	defer f.Close() // nothing is written any more
	if s.fresh && !s.begun {
		return s.disk.remove(s.out.path)
	}
	return nil
}
