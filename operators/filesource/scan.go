package filesource

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

const (
	// scanEvery is the time between two looks for new files, where the system does
	// not tell of them.
	scanEvery = 200 * time.Millisecond
	// scanEmpty is the same while a new file is empty, for the first second of it.
	scanEmpty = 5 * time.Millisecond
)

// pause lets d pass, or returns why ctx has ended.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// scanner finds files that are to be followed, as they appear.
//
// A file is what the system knows it by, so that it stays the same one when it
// is renamed. The system uses that again for another file when the first is
// gone: a file that was out of sight is the same one only if it begins as it
// did, or stands where the last file of its path stood. There, and where it has
// never been out of sight, it is the same whatever it begins with: it has been
// truncated or written anew, which is its reader's affair. The reader goes by
// the same rule; see tail.
type scanner struct {
	enumerator
	known   map[string]*sighted // by file id
	paths   map[string]*sighted // by path: the last file of that path
	count   map[string]int      // of files of a path
	ids     map[string]bool     // of splits
	scanned bool
	empty   bool          // a file has appeared that is empty yet
	took    time.Duration // the last look
	watch   *watch        // nil: the clock alone says when to look
}

// sighted is a file that is a split.
type sighted struct {
	splitData
	at      string // the path it was last seen at
	size    int64
	present bool // at the last scan
}

func newScanner(s *source, known []gpflow.Split) (*scanner, error) {
	c := &scanner{
		enumerator: enumerator{source: s},
		known:      make(map[string]*sighted), paths: make(map[string]*sighted), count: make(map[string]int), ids: make(map[string]bool),
	}
	for _, k := range known {
		d, err := decodeSplit(k)
		if err != nil {
			return nil, err
		}
		c.keep(d)
		c.ids[k.ID] = true
	}
	return c, nil
}

// keep remembers a file that has been found.
func (c *scanner) keep(d splitData) *sighted {
	k := &sighted{splitData: d, at: d.Path, size: d.Size}
	c.known[k.key()] = k
	if last := c.paths[d.Path]; last == nil || last.Generation <= d.Generation {
		c.paths[d.Path] = k
	}
	c.count[d.Path] = max(c.count[d.Path], d.Generation)
	return k
}

// key is what tells the file from others: its path, where the system has
// nothing better.
func (d splitData) key() string {
	if d.File == "" {
		return d.Path
	}
	return d.File
}

// Discover returns the files that have appeared. The first call returns at
// once, the others when there is one.
func (c *scanner) Discover(ctx context.Context) ([]gpflow.Split, bool, error) {
	if c.watches && c.watch == nil {
		c.watch = newWatch(c.dirs())
	}
	for {
		if c.scanned {
			if err := c.rest(ctx); err != nil {
				return nil, false, err
			}
		}
		begun := c.now()
		splits, err := c.scan(ctx)
		c.took = c.now().Sub(begun)
		if err != nil {
			return nil, false, err
		}
		if len(splits) > 0 || !c.scanned {
			c.scanned = true
			return splits, false, nil
		}
	}
}

// dirs returns the directories in which files are to appear: those that paths
// name, and those of the files and patterns that they name.
func (c *scanner) dirs() []string {
	var all []string
	for _, p := range c.source.paths {
		all = append(all, filepath.Clean(p), filepath.Dir(p))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// rest waits until it is time to look again. Looking takes a fifth of the time at
// most, however much appears.
func (c *scanner) rest(ctx context.Context) error {
	d := scanEvery
	if c.empty {
		d = max(scanEmpty, min(d, 4*c.took))
	}
	if c.watch == nil {
		return c.wait(ctx, d)
	}
	if gap := min(scanEvery, 4*c.took); gap > 0 {
		if err := pause(ctx, gap); err != nil {
			return err
		}
	}
	return c.watch.wait(ctx, d)
}

// Close ends the watch.
func (c *scanner) Close() error {
	if c.watch == nil {
		return nil
	}
	w := c.watch
	c.watch = nil
	return w.close()
}

// scan looks once.
func (c *scanner) scan(ctx context.Context) ([]gpflow.Split, error) {
	c.empty = false
	files, err := c.files(ctx)
	if err != nil {
		return nil, err
	}
	var splits []gpflow.Split
	seen := make(map[*sighted]bool)
	for _, f := range files {
		k, fresh, err := c.sight(f)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // gone meanwhile
		case err != nil:
			return nil, err
		case k == nil:
			continue
		case fresh:
			splits = append(splits, k.split())
		}
		seen[k] = true
	}
	for _, k := range c.known {
		k.present = seen[k]
	}
	return splits, nil
}

// sight returns the file, and whether it is a new one. nil: it is not to be
// read, or not yet.
func (c *scanner) sight(f found) (k *sighted, fresh bool, err error) {
	d := splitData{Path: f.path, File: fileID(f.info)}
	k = c.known[d.key()]
	if k == nil && c.passed[f.path] {
		return nil, false, nil
	}
	same, err := c.same(k, f)
	if err != nil {
		return nil, false, err
	}
	if same {
		err := k.moved(f)
		return k, false, err
	}
	if k, err = c.copied(f); k != nil || err != nil {
		return k, false, err
	}
	if f.info.Size() == 0 { // it cannot be told from others yet
		c.empty = c.empty || c.now().Sub(f.info.ModTime()) < time.Second
		return nil, false, nil
	}
	if why := c.refuse(f); why != nil {
		if c.named(f.path) {
			return nil, false, why
		}
		c.pass(f.path, why.Error())
		return nil, false, nil
	}
	if d, err = c.describe(f); err != nil {
		return nil, false, err
	}
	d.To, d.File = math.MaxInt64, fileID(f.info)
	if d.Head, err = headAt(f.path); err != nil {
		return nil, false, err
	}
	for d.Generation = c.count[f.path] + 1; c.ids[d.split().ID]; d.Generation++ {
	}
	c.ids[d.split().ID] = true
	return c.keep(d), true, nil
}

// same reports whether f is k: it has not been out of sight, or begins as it
// did.
func (c *scanner) same(k *sighted, f found) (bool, error) {
	switch {
	case k == nil:
		return false, nil
	case k.present, k.at == f.path && c.paths[f.path] == k, k.File == "":
		return true, nil
	}
	return begins(f.path, k.Head)
}

// moved notes where k is now, and its fingerprint.
func (k *sighted) moved(f found) error {
	size := f.info.Size()
	if size < k.size || size > k.Head.n && !k.Head.full() {
		h, err := headAt(f.path)
		if err != nil {
			return err
		}
		k.Head = h
	}
	k.at, k.size = f.path, size
	return nil
}

// copied returns the file that f is a copy of, which takes the place of the
// original, as when a directory has been moved to another disk.
func (c *scanner) copied(f found) (*sighted, error) {
	k := c.paths[f.path]
	if c.scanned || k == nil || !k.Head.full() {
		return nil, nil
	}
	if same, err := begins(f.path, k.Head); err != nil || !same {
		return nil, err
	}
	if there, err := byID(f.path, k.File); err != nil || there != "" {
		return nil, err
	}
	delete(c.known, k.key())
	k.File = fileID(f.info)
	c.known[k.key()] = k
	return k, nil
}

// refuse says why a file cannot be followed.
func (c *scanner) refuse(f found) error {
	if !f.info.Mode().IsRegular() {
		return fmt.Errorf("read %s: it is not a regular file but %s, which cannot be followed; remove follow", f.path, f.info.Mode().Type())
	}
	d, err := c.describe(f)
	if err == nil && d.Compression != catalog.None {
		err = fmt.Errorf("read %s: it is %s data by its name, and compressed files cannot be followed; remove follow, or set compression to none if it is plain", f.path, d.Compression)
	}
	return err
}

// named reports whether the configuration names the file itself.
func (c *scanner) named(path string) bool {
	for _, p := range c.source.paths {
		if filepath.Clean(p) == path {
			return true
		}
	}
	return false
}

func headAt(path string) (head, error) {
	f, err := os.Open(path)
	if err != nil {
		return head{}, fmt.Errorf("open %s: %w%s", path, reason(err), denied(err))
	}
	defer f.Close()
	h, err := headOf(f, headSize)
	if err != nil {
		return head{}, fmt.Errorf("read %s: %w", path, reason(err))
	}
	return h, nil
}

// begins reports whether a file begins as h says, which is of something.
func begins(path string, h head) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("open %s: %w%s", path, reason(err), denied(err))
	}
	defer f.Close()
	same, err := h.of(f)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", path, reason(err))
	}
	return same && h.n > 0, nil
}
