package filesink

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// maxOpen is how many files a writer has open. Where there are more partitions,
// the file that was written to the longest ago is completed early.
const maxOpen = 100

// parts writes files that appear one after the other in a directory, and in
// directories below it.
type parts struct {
	names
	path *template
	roll roll
	enc  formats.Encoder
	pack *packer
	log  *slog.Logger
	now  func() time.Time
	disk *disk
	max  int // files open

	lock    *os.File // says that this writer lives
	made    bool     // a staged file was made whose name may not be durable yet
	next    int64    // sequence number of the next file
	open    map[string]*part
	last    *part  // the one that the last record went to
	key     []byte // scratch: the partition of a record
	tick    uint64 // counts changes of the part written to
	spare   [][]byte
	pending []pendingPart // complete, and not committed yet
	failure failure
}

// roll says when a file is complete. Where neither is set, it is so at each
// checkpoint.
type roll struct {
	size  int64
	every time.Duration
}

// part is a file that is being written.
type part struct {
	output
	name      string // of the file, also when it is final
	partition string // the directory, below the root
	rows      int64  // 0: the file need not be
	opened    time.Time
	used      uint64 // the tick when it was last written to
}

// partsState is what is needed to go on.
type partsState struct {
	header
	Root    string        `json:"root"`
	Lineage string        `json:"lineage"`
	Next    int64         `json:"next"`
	Open    []openPart    `json:"open,omitempty"`
	Pending []pendingPart `json:"pending,omitempty"`
}

// openPart is a part that goes on behind the checkpoint.
type openPart struct {
	Staged    string `json:"staged"` // below the root
	Name      string `json:"name"`
	Partition string `json:"partition"`
	Length    int64  `json:"length"` // bytes of the file
	Rows      int64  `json:"rows"`
	Opened    int64  `json:"opened"` // microseconds since 1970
}

// pendingPart is a part that is complete and durable, and gets its final name.
type pendingPart struct {
	Staged string `json:"staged"` // below the root
	Final  string `json:"final"`  // below the root
	Size   int64  `json:"size"`

	own bool // it was completed by this sink, so that nobody else can have committed it
}

// partsDone are the parts of a checkpoint that are complete.
type partsDone struct {
	header
	Root  string        `json:"root"`
	Parts []pendingPart `json:"parts"`
}

func newParts(c *gpflow.SinkContext, enc formats.Encoder, pack *packer, ext string) (*parts, error) {
	path, err := parseTemplate(c.Config.String("path"))
	if err == nil {
		err = path.bind(c.In)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Address, err)
	}
	s := &parts{
		names: newNames(c, path.root, ext), path: path, enc: enc, pack: pack, log: c.Log, now: time.Now, disk: &disk{bug: planted()},
		max: maxOpen, open: make(map[string]*part),
	}
	if r, ok := c.Config.Block("roll"); ok {
		s.roll = roll{r.Int("size"), time.Duration(r.Duration("every")) * time.Microsecond}
	}
	if s.lock, err = s.claim(s.disk); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *parts) failed(what string, err error) error {
	return s.failure.set("write to "+s.root+": "+what, err)
}

// Write encodes the rows of b into the files of their partitions.
func (s *parts) Write(ctx context.Context, b *gpflow.Batch, fail func(int, error) error) error {
	if s.failure.err != nil {
		return s.failure.err
	}
	if err := s.closeOld(); err != nil {
		return err
	}
	for i := range b.N {
		row := b.Row(i)
		p, err := s.part(row)
		if err == nil {
			p.buf, err = s.enc.Append(p.buf, row)
		}
		if s.failure.err != nil {
			return s.failure.err
		}
		if err != nil {
			if err := fail(i, err); err != nil {
				return err
			}
			continue
		}
		p.rows++
		if len(p.buf) >= p.limit || s.roll.size > 0 && s.full(p) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.grown(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// full reports whether p has the size at which it is complete. What is to be
// compressed counts when it has been.
func (s *parts) full(p *part) bool {
	if s.pack.kind != compressionNone {
		return p.length >= s.roll.size
	}
	return p.length+int64(len(p.buf)) >= s.roll.size
}

// grown writes out what is buffered for p, and completes it at its size.
func (s *parts) grown(p *part) error {
	if err := s.flush(p); err != nil {
		return err
	}
	if s.roll.size > 0 && s.full(p) {
		return s.complete(p)
	}
	return nil
}

// part returns the file that a row goes to. An error without s.failure is the
// row's own.
func (s *parts) part(row []gpflow.Value) (*part, error) {
	var err error
	if s.key, err = s.path.append(s.key[:0], row); err != nil {
		return nil, err
	}
	if s.last != nil && s.last.partition == string(s.key) {
		return s.last, nil
	}
	p := s.open[string(s.key)]
	if p == nil {
		if p, err = s.begin(string(s.key)); err != nil {
			return nil, err
		}
	}
	s.tick++
	p.used, s.last = s.tick, p
	return p, nil
}

// begin adds the file of a partition, which is made when something is written.
func (s *parts) begin(partition string) (*part, error) {
	if len(s.open) >= s.max {
		oldest := s.last
		for _, p := range s.open {
			if oldest == nil || p.used < oldest.used {
				oldest = p
			}
		}
		if err := s.complete(oldest); err != nil {
			return nil, err
		}
	}
	p := &part{name: s.name(s.next), partition: partition, opened: s.now()}
	p.output = s.output(filepath.Join(s.dir, p.name))
	s.next++
	p.buf = s.enc.Begin(p.buf)
	s.open[partition] = p
	return p, nil
}

func (s *parts) output(path string) output {
	o := output{disk: s.disk, path: path, pack: s.pack, limit: flushSize}
	switch partitioned, packed := len(s.path.pieces) > 0, s.pack.kind != compressionNone; {
	case partitioned && packed:
		o.limit = frameSizePartition
	case partitioned:
		o.limit = flushSizePartition
	case packed:
		o.limit = frameSize
	}
	if n := len(s.spare); n > 0 {
		o.buf, s.spare = s.spare[n-1][:0], s.spare[:n-1]
	}
	return o
}

// flush writes out what is buffered for p, into a file that it makes if need be.
// The directory in which it will appear is made too, so that an error of that
// comes before anything is promised.
func (s *parts) flush(p *part) error {
	if p.file == nil {
		err := s.disk.makeDir(filepath.Join(s.root, p.partition))
		if err == nil {
			err = p.create(os.O_CREATE | os.O_EXCL)
		}
		if err != nil {
			return s.failed("make a file in "+filepath.Join(s.root, p.partition), err)
		}
		s.made = true
	}
	if err := p.flush(); err != nil {
		return s.unwritable(p, err)
	}
	return nil
}

func (s *parts) unwritable(p *part, err error) error {
	return s.failed("stage a file in "+p.path, err)
}

// complete ends a file, and makes it durable. One without records is none.
func (s *parts) complete(p *part) error {
	delete(s.open, p.partition)
	if s.last == p {
		s.last = nil
	}
	if p.rows > 0 {
		if err := s.flush(p); err != nil {
			return err
		}
		if err := p.finish(); err != nil {
			return s.unwritable(p, err)
		}
		s.pending = append(s.pending, pendingPart{
			Staged: s.below(p.path), Final: filepath.Join(p.partition, p.name), Size: p.length, own: true,
		})
	}
	if p.file != nil {
		_ = p.file.Close() // it is durable
		p.file = nil
	}
	s.spare = append(s.spare, p.buf)
	return nil
}

// closeOld completes the files whose time has come.
func (s *parts) closeOld() error {
	if s.roll.every == 0 {
		return nil
	}
	now := s.now()
	for _, p := range s.inOrder() {
		if now.Sub(p.opened) >= s.roll.every {
			if err := s.complete(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// inOrder returns the open parts in the order in which they were begun.
func (s *parts) inOrder() []*part {
	if len(s.open) == 0 {
		return nil
	}
	all := make([]*part, 0, len(s.open))
	for _, p := range s.open {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *part) int { return strings.Compare(a.name, b.name) })
	return all
}

// Prepare makes durable what was written, and completes the files that are to
// appear with this checkpoint.
func (s *parts) Prepare(_ context.Context, _ gpflow.CheckpointID, final bool) (gpflow.Prepared, error) {
	if s.failure.err != nil {
		return gpflow.Prepared{}, s.failure.err
	}
	if err := s.closeOld(); err != nil {
		return gpflow.Prepared{}, err
	}
	st := partsState{header: header{stateVersion, modeParts}, Root: s.root, Lineage: s.lineage}
	for _, p := range s.inOrder() {
		if final || s.roll == (roll{}) {
			if err := s.complete(p); err != nil {
				return gpflow.Prepared{}, err
			}
			continue
		}
		if p.rows == 0 {
			continue
		}
		if err := s.flush(p); err != nil {
			return gpflow.Prepared{}, err
		}
		if err := p.sync(); err != nil {
			return gpflow.Prepared{}, s.unwritable(p, err)
		}
		st.Open = append(st.Open, openPart{s.below(p.path), p.name, p.partition, p.length, p.rows, p.opened.UnixMicro()})
	}
	if s.made {
		if err := s.disk.syncDir(s.dir); err != nil {
			return gpflow.Prepared{}, s.failed("stage files", err)
		}
		failpoint.Here("staging-synced")
		s.made = false
	}
	st.Next, st.Pending = s.next, s.pending
	return s.prepared(&st)
}

func (s *parts) prepared(st *partsState) (p gpflow.Prepared, err error) {
	if p.State, err = json.Marshal(st); err == nil && len(s.pending) > 0 {
		p.Committable, err = json.Marshal(partsDone{header{stateVersion, modeParts}, s.root, s.pending})
	}
	return p, err
}

// Close leaves what is staged as it is, for the next start to go on with.
func (s *parts) Close() error {
	if s.lock == nil {
		return nil
	}
	idle := s.failure.err == nil && len(s.pending) == 0 && len(s.open) == 0
	if s.failure.err == nil {
		s.failure.err = fmt.Errorf("write to %s: %w", s.root, errClosed)
	}
	s.release()
	s.pack.close()
	err := s.disk.remove(s.lock.Name())
	_ = s.lock.Close() // nothing is in it
	s.lock = nil
	if idle {
		s.tidy(s.disk)
	}
	return err
}

// release closes the files.
func (s *parts) release() {
	for _, p := range s.open {
		if p.file != nil {
			_ = p.file.Close() // what counts was made durable before
			p.file = nil
		}
	}
}
