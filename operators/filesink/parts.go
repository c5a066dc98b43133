package filesink

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
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
//
// Write puts the rows of a batch into buffers, and does nothing else: the disk is
// turned to before that, for what earlier batches have left, and by Prepare. So
// where the disk fails, nothing of the batch has been taken, and the same call may
// be made again.
type parts struct {
	names
	path *paths
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
	sealed  []*part // complete, and not durable yet: they are no longer in open
	due     []*part // of open, with a buffer that is full
	last    *part   // the one that the last record went to
	key     []byte  // scratch: the partition of a record
	tick    uint64  // counts changes of the part written to
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
	due       bool   // it is in parts.due
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
	Staged    string  `json:"staged"` // below the root
	Name      string  `json:"name"`
	Partition string  `json:"partition"`
	Length    int64   `json:"length"` // bytes of the file
	Sum       *uint32 `json:"crc32c"` // of them; nil: not known
	Rows      int64   `json:"rows"`
	Opened    int64   `json:"opened"` // microseconds since 1970
}

// pendingPart is a part that is complete and durable, and gets its final name.
type pendingPart struct {
	Staged string  `json:"staged"` // below the root
	Final  string  `json:"final"`  // below the root
	Size   int64   `json:"size"`
	Sum    *uint32 `json:"crc32c"` // nil: not known

	own bool // it was completed by this sink, so that nobody else can have committed it
}

// partsDone are the parts of a checkpoint that are complete.
type partsDone struct {
	header
	Root  string        `json:"root"`
	Parts []pendingPart `json:"parts"`
}

func newParts(c *gpflow.SinkContext, enc formats.Encoder, pack *packer, ext string) (*parts, error) {
	t, wrong := parseTemplate(c.Config.String("path"))
	if wrong != nil {
		return nil, fmt.Errorf("%s: read the path: %w", c.Address, wrong)
	}
	path, err := t.bind(c.In, c.Constants)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Address, err)
	}
	s := &parts{
		names: newNames(c, t.root, ext), path: path, enc: enc, pack: pack, log: c.Log, now: time.Now, disk: &disk{bug: planted()},
		max: maxOpen, open: make(map[string]*part),
	}
	path.room = max(1, pathMax-len(s.root)-len("//")-len(s.name(0)))
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

// Prepare makes durable what was written, and completes the files that are to
// appear with this checkpoint.
func (s *parts) Prepare(ctx context.Context, _ gpflow.CheckpointID, final bool) (gpflow.Prepared, error) {
	if s.failure.err != nil {
		return gpflow.Prepared{}, s.failure.err
	}
	if final || s.roll == (roll{}) {
		for _, p := range s.inOrder() {
			s.seal(p)
		}
	}
	if err := s.settle(ctx); err != nil {
		return gpflow.Prepared{}, err
	}
	st := partsState{header: header{stateVersion, modeParts}, Root: s.root, Lineage: s.lineage}
	for _, p := range s.inOrder() {
		if p.rows == 0 {
			continue
		}
		if err := s.flush(p); err != nil {
			return gpflow.Prepared{}, err
		}
		if err := p.sync(); err != nil {
			return gpflow.Prepared{}, s.unwritable(p, err)
		}
		st.Open = append(st.Open, openPart{s.below(p.path), p.name, p.partition, p.length, p.written(), p.rows, p.opened.UnixMicro()})
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
	idle := s.failure.err == nil && len(s.pending) == 0 && len(s.open) == 0 && len(s.sealed) == 0
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
	for _, p := range append(s.inOrder(), s.sealed...) {
		if p.file != nil {
			_ = p.file.Close() // what counts was made durable before
			p.file = nil
		}
	}
}
