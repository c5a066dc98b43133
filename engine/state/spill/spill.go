// Package spill keeps on disk what the memory has no room for: rows by key,
// sorted, in a log-structured tree (Pebble).
//
// It is scratch space, and no part of what survives: checkpoints hold the state,
// and a Store begins empty and leaves nothing behind. So nothing is logged or
// synced. Only the files of rows lie on the disk; what Pebble notes about them
// lies in memory, so that a full disk is met by whoever writes rows, as an error,
// and by nobody else.
//
// Rows come in sorted runs. A run is written to a file of its own, row by row, which
// the tree takes in as it is: nothing is held in memory but the block that is being
// written, and runs that overlap no other are never rewritten.
package spill

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The size in bytes of what Pebble holds in memory of the blocks that it has
// read: some, and an eighth of the memory of the state, within bounds. Without it
// each read is a call of the system.
const (
	cacheShare = 8
	leastCache = 48 << 20
	mostCache  = 256 << 20
)

// The sizes in bytes of blocks of rows, of which a read takes one, and of what
// finds them.
const (
	blockSize = 4 << 10
	indexSize = 64 << 10
)

// bloomBits is how many bits the filters have for each row: one in a hundred of
// the keys that are not in a file is looked for there.
const bloomBits = 10

// Overlapping runs that have not been merged yet make reading slow. From
// mergeRuns of them on they are merged. Where there are more than mostRuns, Wait
// waits: pause for each that is too many, up to longest.
const (
	mergeRuns = 4
	mostRuns  = 16
	pause     = time.Millisecond
	longest   = 4 * pause
)

// forgetAfter is how long rows that were removed may take up space, unless a
// View holds them.
const forgetAfter = time.Second

// Store is rows by key. It may be used by several goroutines, but for Close.
type Store struct {
	db  *pebble.DB
	fs  vfs.FS
	dir string

	options *pebble.Options

	moved   chan struct{} // has something where runs may be fewer, or failed is set
	stale   atomic.Bool   // overlap is to be looked up
	overlap atomic.Int64  // how many runs that have not been merged overlap
	runs    atomic.Int64  // written so far, for their names

	mu     sync.Mutex
	failed error // of the work in the background; it stays
	views  map[*View]struct{}
}

// Open returns an empty store in a directory, which it makes, and empties. memory
// is that of the state in bytes, of which the store takes an eighth more for
// itself, and 48 MiB.
func Open(dir string, memory int64) (*Store, error) {
	if err := Clear(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory for state that memory has no room for: %w", err)
	}
	return open(dir, vfs.Default, memory)
}

// Clear removes a directory that a Store has used, and what is in it.
func Clear(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the directory of state that memory had no room for, %s: %w", dir, err)
	}
	return nil
}

// InMemory returns an empty store that takes no disk, for tests.
func InMemory() (*Store, error) { return open("spill", vfs.NewMem(), 0) }

func open(dir string, disk vfs.FS, memory int64) (*Store, error) {
	s := &Store{dir: dir, fs: newScratch(disk), moved: make(chan struct{}, 1), views: make(map[*View]struct{})}
	cache := pebble.NewCache(min(leastCache+memory/cacheShare, mostCache))
	defer cache.Unref()
	o := &pebble.Options{
		FS: s.fs, Cache: cache, DisableWAL: true, Logger: silent{}, FormatMajorVersion: pebble.FormatNewest,
		MemTableSize: 1 << 20, MemTableStopWritesThreshold: 1 << 20, FlushDelayDeleteRange: forgetAfter,
		L0CompactionThreshold: mergeRuns, L0StopWritesThreshold: 1 << 30, MaxManifestFileSize: 4 << 20,
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { s.fail(err) },
			CompactionEnd:   func(pebble.CompactionInfo) { s.merged() },
		},
	}
	o.Levels[0].FilterPolicy = bloom.FilterPolicy(bloomBits)
	o.Levels[0].BlockSize, o.Levels[0].IndexBlockSize = blockSize, indexSize
	o.Levels[0].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	// In the last level a key that is looked for is there, nearly always: whoever keeps
	// state asks only for keys that have been written. And Get would not ask a filter.
	o.Levels[len(o.Levels)-1].FilterPolicy = pebble.NoFilterPolicy
	o.EnsureDefaults()
	s.options = o
	var err error
	if s.db, err = pebble.Open(dir, o); err != nil {
		return nil, fmt.Errorf("open the space for state that memory has no room for, in %s: %w", dir, err)
	}
	return s, nil
}

func (s *Store) fail(err error) {
	s.mu.Lock()
	if s.failed == nil && !errors.Is(err, pebble.ErrCancelledCompaction) {
		s.failed = err
	}
	s.mu.Unlock()
	s.merged()
}

func (s *Store) merged() {
	s.stale.Store(true)
	select {
	case s.moved <- struct{}{}:
	default:
	}
}

// Bytes returns how many bytes the rows take on the disk.
func (s *Store) Bytes() int64 { return int64(s.db.Metrics().DiskSpaceUsage()) }

// Get appends to dst the value of a key, and reports whether there is one.
func (s *Store) Get(dst, key []byte) (value []byte, ok bool, err error) {
	value, ok, err = get(s.db, dst, key)
	return value, ok, s.explain("read", err)
}

// Scan gives the rows from the key from up to, but not including, the key to, in
// order, to f, until that returns false. Keys and values are valid during the
// call.
func (s *Store) Scan(from, to []byte, f func(key, value []byte) bool) error {
	return s.explain("read", scan(s.db, from, to, f))
}

// Remove forgets the rows from the key from up to, but not including, the key to.
func (s *Store) Remove(from, to []byte) error {
	return s.explain("remove", s.db.DeleteRange(from, to, pebble.NoSync))
}

// Close forgets everything, and removes the directory. No call goes on, and
// none comes after; views that have not been closed are.
func (s *Store) Close() error {
	for v := range s.views {
		_ = v.snapshot.Close() // it cannot fail
	}
	s.views = nil
	err := s.db.Close()
	if cerr := s.fs.RemoveAll(s.dir); err == nil {
		err = cerr
	}
	return s.explain("close", err)
}

// explain says what failed, to what, and what to do.
func (s *Store) explain(what string, err error) error {
	if err == nil {
		return nil
	}
	where := s.dir
	if absolute, aerr := filepath.Abs(s.dir); aerr == nil {
		where = absolute
	}
	return fmt.Errorf("%s state that memory has no room for, in %s: %w; make room on that disk, or raise memory in the pipeline's state block", what, where, err)
}
