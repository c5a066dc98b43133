package local

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// lossy is a disk that can fail at any step, and knows what a loss of power may
// leave of what was done to it: file data that were synced, or else some, all or
// none of them, or zeros; directory entries that were synced, and any subset of
// the changes since. The directory itself shows what a living system shows.
type lossy struct {
	real rooted
	top  *folder
	rand *rand.Rand

	steps int // done so far
	fault fault
	dead  bool // every step fails from now on

	failed []string // the directories that could not be synced

	// Planted bugs.
	noSync, noSyncDir, noLinks bool
}

// fault says which step goes wrong, and how.
type fault struct {
	step int // 0: none
	when when
	err  error // errDied: it and every later step
}

type when int

const (
	before  when = iota // nothing has been done
	halfway             // half of a write, or of what a sync has to do
	after               // all has been done
)

var errDied = errors.New("the process has died")

// folder is a directory.
type folder struct {
	lasting  map[string]any // *folder or *content, by name
	now      map[string]any
	pending  []change
	doubtful []change // those that a sync has failed for: no later one helps
}

// change is what one step changes in a directory; nil removes a name.
type change map[string]any

type content struct {
	now, lasting []byte
	doubtful     bool // a sync has failed: no later one helps
}

func newLossy(root *os.Root, seed uint64) *lossy {
	return &lossy{
		real: rooted{root}, rand: rand.New(rand.NewPCG(seed, 0)),
		top: &folder{lasting: make(map[string]any), now: make(map[string]any)},
	}
}

// step does one step of the disk, or half of it, or fails.
func (d *lossy) step(do, half func() error) error {
	d.steps++
	if d.dead {
		return errDied
	}
	if d.steps != d.fault.step {
		return do()
	}
	d.dead = d.fault.err == errDied
	var err error
	switch d.fault.when {
	case halfway:
		err = half()
	case after:
		err = do()
	}
	if err != nil {
		return err
	}
	return d.fault.err
}

func nothing() error { return nil }

// at returns the directory that a name is in.
func (d *lossy) at(name string) (*folder, string) {
	dir, last := path.Split(path.Clean(name))
	return d.folder(path.Clean(dir)), last
}

func (d *lossy) folder(dir string) *folder {
	if dir == "." {
		return d.top
	}
	above, last := d.at(dir)
	if above == nil {
		return nil
	}
	f, _ := above.now[last].(*folder)
	return f
}

func (f *folder) change(c change) {
	f.pending = append(f.pending, c)
	apply(f.now, c)
}

func apply(names map[string]any, c change) {
	for name, what := range c {
		if what == nil {
			delete(names, name)
		} else {
			names[name] = what
		}
	}
}

func (d *lossy) create(name string) (f file, err error) {
	c := new(content)
	err = d.step(func() error {
		if f, err = d.real.create(name); err != nil {
			return err
		}
		dir, last := d.at(name)
		dir.change(change{last: c})
		return nil
	}, nothing)
	if err != nil {
		if f != nil {
			f.Close()
		}
		return nil, err
	}
	return &lossyFile{d, f, c}, nil
}

func (d *lossy) mkdir(name string) error {
	return d.step(func() error {
		if err := d.real.mkdir(name); err != nil {
			return err
		}
		dir, last := d.at(name)
		dir.change(change{last: &folder{lasting: make(map[string]any), now: make(map[string]any)}})
		return nil
	}, nothing)
}

func (d *lossy) rename(from, to string) error {
	return d.step(func() error {
		if err := d.real.rename(from, to); err != nil {
			return err
		}
		dir, last := d.at(to)
		dir.change(change{last: dir.now[path.Base(from)], path.Base(from): nil})
		return nil
	}, nothing)
}

func (d *lossy) link(from, to string) error {
	if d.noLinks {
		return errors.ErrUnsupported
	}
	return d.step(func() error {
		if err := d.real.link(from, to); err != nil {
			return err
		}
		dir, last := d.at(to)
		if c := dir.now[path.Base(from)]; c != nil { // else the mark of the store
			dir.change(change{last: c})
		}
		return nil
	}, nothing)
}

func (d *lossy) remove(name string) error {
	return d.step(func() error {
		if err := d.real.remove(name); err != nil {
			return err
		}
		dir, last := d.at(name)
		dir.change(change{last: nil})
		return nil
	}, nothing)
}

func (d *lossy) syncDir(name string) error {
	f := d.folder(name)
	if f == nil {
		return os.ErrNotExist
	}
	all := func() error {
		if !d.noSyncDir {
			for _, c := range f.pending {
				apply(f.lasting, c)
			}
			f.pending = nil
		}
		return nil
	}
	err := d.step(all, func() error {
		f.lasting = d.some(f)
		return nil
	})
	if err != nil && err != errDied {
		d.failed = append(d.failed, name)
		f.doubtful, f.pending = append(f.doubtful, f.pending...), nil
	}
	return err
}

type lossyFile struct {
	disk *lossy
	real file
	c    *content
}

func (f *lossyFile) Write(data []byte) (int, error) {
	write := func(data []byte) error {
		_, err := f.real.Write(data)
		f.c.now = append(f.c.now, data...)
		return err
	}
	err := f.disk.step(func() error { return write(data) }, func() error { return write(data[:len(data)/2]) })
	return len(data), err
}

func (f *lossyFile) Sync() error {
	sync := func(part int) error {
		if !f.disk.noSync && !f.c.doubtful {
			f.c.lasting = slices.Clone(f.c.now[:len(f.c.now)/part])
		}
		return nil
	}
	err := f.disk.step(func() error { return sync(1) }, func() error { return sync(2) })
	f.c.doubtful = f.c.doubtful || err != nil && err != errDied
	return err
}

func (f *lossyFile) Close() error {
	f.real.Close()
	return f.disk.step(nothing, nothing)
}

// some returns what a directory may have after a loss of power.
func (d *lossy) some(f *folder) map[string]any {
	names := maps.Clone(f.lasting)
	luck := d.rand.IntN(4) // 0: nothing survives, 3: everything
	for _, c := range slices.Concat(f.doubtful, f.pending) {
		if luck == 3 || luck > 0 && d.rand.IntN(2) == 0 {
			apply(names, c)
		}
	}
	return names
}

// loseTo writes what a loss of power leaves into an empty directory.
func (d *lossy) loseTo(t *testing.T, dir string) { d.lose(t, d.top, dir) }

func (d *lossy) lose(t *testing.T, f *folder, dir string) {
	names := d.some(f)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		to := filepath.Join(dir, name)
		switch what := names[name].(type) {
		case *folder:
			must(t, os.Mkdir(to, dirMode))
			d.lose(t, what, to)
		case *content:
			must(t, os.WriteFile(to, d.data(what), fileMode))
		}
	}
}

func (d *lossy) data(c *content) []byte {
	if !c.doubtful && slices.Equal(c.now, c.lasting) {
		return c.now
	}
	switch d.rand.IntN(4) {
	case 0:
		return c.now
	case 1:
		return c.lasting
	case 2:
		return make([]byte, len(c.now))
	default:
		return c.now[:d.rand.IntN(len(c.now)+1)]
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// linkless is a disk without links, such as one with FAT.
type linkless struct{ rooted }

func (linkless) link(string, string) error { return os.ErrPermission }
