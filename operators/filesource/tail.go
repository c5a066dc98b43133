package filesource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/gpflow/gpflow"
)

// tail is a file that is followed. It is the file that was opened, whatever it
// is called by now.
//
// Each time that it is truncated a generation of it ends. What it holds then is
// read from the beginning; positions count on. It has ended when another file
// has its path. While there is none it may come back.
type tail struct {
	*source
	id   string
	data splitData
	from position // where it goes on when it is opened
	file *os.File // nil: it is not open
	in   *input   // of file, or of copy
	copy *os.File // has what file held before it was truncated; nil: none

	idle   bool        // in was at its end
	seen   fs.FileInfo // of file, when it was last looked at; nil: it was not
	most   int64       // bytes that this generation was seen to have
	away   time.Time   // since when it has been replaced or removed, and not grown; zero: it is there
	leaves departure
	renew  bool // behind what in holds, a new generation begins
}

// departure is what became of a followed file.
type departure uint8

const (
	stays departure = iota
	replaced
	vanished
)

// begin opens the file where it is to be gone on, if it is there.
func (t *tail) begin() (status, error) {
	path, there, err := t.find(t.from)
	switch {
	case err != nil:
		return more, fmt.Errorf("look for %s: %w", t.data.Path, reason(err))
	case path == "" && there:
		t.log.Warn("a followed file is gone, and another has its path; what it had gained is not read",
			"path", t.data.Path, "split", t.id, "read", t.from.offset)
		return ended, nil
	case path == "":
		return waiting, nil
	}
	if t.file, err = os.Open(path); err != nil {
		return more, fmt.Errorf("open %s: %w%s", path, reason(err), denied(err))
	}
	info, err := t.file.Stat()
	if err != nil {
		return more, fmt.Errorf("read %s: %w", path, reason(err))
	}
	same, err := t.from.head.of(t.file)
	if err != nil {
		return more, fmt.Errorf("read %s: %w", path, reason(err))
	}
	t.seen, t.most, t.away, t.leaves, t.idle, t.renew = info, info.Size(), time.Time{}, stays, false, false
	if same && info.Size() >= t.from.offset {
		return more, t.open(t.file, info.Size(), t.from)
	}
	t.most = t.from.offset
	if found, err := t.besides(t.from); found || err != nil {
		return more, err
	}
	t.truncated(t.from.offset, info.Size())
	return more, t.again(t.from)
}

// park closes a file that has nothing, and of which all has been read.
func (t *tail) park() error {
	if t.in == nil || !t.idle || t.copy != nil || t.renew || !t.in.prepared() || t.leaves != stays || t.in.behind() != t.in.pos {
		return nil
	}
	t.from = t.in.at()
	return t.close()
}

// parked reports whether the file was closed, and is as it was then.
func (t *tail) parked() bool {
	if t.seen == nil {
		return false
	}
	here, err := os.Stat(t.data.Path)
	return err == nil && os.SameFile(here, t.seen) && here.Size() == t.seen.Size() && here.ModTime().Equal(t.seen.ModTime())
}

// at is where the file is to be gone on with.
func (t *tail) at() position {
	if t.in == nil || !t.in.prepared() {
		return t.from
	}
	p := t.in.at()
	p.replaced = t.leaves == replaced
	return p
}

// told reports whether there is a position to tell.
func (t *tail) told() bool { return t.in != nil && t.in.prepared() || t.from != position{} }

// find returns the path of the file that was read up to a position, or "", and
// whether there is a file at its own path.
func (t *tail) find(from position) (path string, there bool, err error) {
	info, err := os.Stat(t.data.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", false, err
	}
	there = err == nil
	if there && (t.data.File == "" || fileID(info) == t.data.File && !from.replaced) {
		return t.data.Path, there, nil
	}
	path, err = byID(t.data.Path, t.data.File)
	if err != nil {
		return "", there, err
	}
	if path != "" {
		h := t.first(from)
		if same, err := begins(path, h); err != nil || same || h.n == 0 {
			return path, there, err
		}
	}
	if there && t.data.Head.full() {
		if same, err := begins(t.data.Path, t.data.Head); err != nil || same {
			return t.data.Path, there, err
		}
	}
	path, err = byHead(t.data.Path, from.head, from.offset)
	return path, there, err
}

// first is what the file must begin with.
func (t *tail) first(from position) head {
	if from.head.n > 0 || from.generation > 0 {
		return from.head
	}
	return t.data.Head
}

// besides reads on in a copy of the file that was made before it was truncated,
// and reports whether there is one.
func (t *tail) besides(from position) (bool, error) {
	f, size, err := t.copied(from.head, from.offset)
	if f == nil || err != nil {
		return false, err
	}
	t.copy, t.renew = f, true
	return true, t.open(f, size, from)
}

// copied opens the copy that was made of the file before it was truncated, which
// has at least some bytes and begins as h says. nil: there is none.
func (t *tail) copied(h head, least int64) (*os.File, int64, error) {
	path, err := byHead(t.data.Path, h, least)
	if err != nil {
		return nil, 0, fmt.Errorf("look for a copy of %s: %w", t.data.Path, reason(err))
	}
	if path == "" {
		return nil, 0, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w%s", path, reason(err), denied(err))
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("read %s: %w", path, reason(err)), f.Close())
	}
	t.log.Info("a followed file was truncated; the rest is read from a copy of it",
		"path", t.data.Path, "split", t.id, "copy", path, "read", least, "rest", info.Size()-least)
	return f, info.Size(), nil
}

// open reads on in f, which has size bytes, at a position.
func (t *tail) open(f *os.File, size int64, from position) error {
	in, err := t.input(t.data)
	if err != nil {
		return err
	}
	in.tail, in.src, in.file, in.size, in.left = true, f, f, size, size
	in.base, in.generation, in.head = from.base, from.generation, from.head
	switch {
	case from.offset > 0:
		in.resume = from.place
	case from.line > 0:
		in.line = from.line
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return in.damaged(err)
	}
	t.in = in
	return nil
}

// poll adds records to out. It returns waiting where there was nothing, and
// ended where there will never be more.
func (t *tail) poll(ctx context.Context, out *gpflow.Reading) (status, error) {
	if t.in == nil {
		if t.parked() {
			return waiting, nil
		}
		if st, err := t.begin(); st != more || err != nil {
			return st, err
		}
	}
	if t.idle && t.in.tail && t.copy == nil {
		was := t.leaves
		nothing, err := t.look()
		switch {
		case err != nil:
			return waiting, err
		case nothing && t.leaves != was:
			return moved, nil // as the position says
		case nothing:
			return waiting, nil
		}
	}
	before := max(t.in.pos, t.in.resume.offset)
	st, err := t.in.step(ctx, out)
	if err != nil {
		return more, err
	}
	t.idle = st == waiting
	switch {
	case st == ended && t.renew:
		return more, t.again(t.in.at())
	case st == ended && t.leaves == vanished:
		t.from, t.seen = t.in.at(), nil
		return more, t.close()
	case st == ended:
		return ended, nil
	case st == waiting && t.copy != nil:
		t.in.finish()
		return more, nil
	}
	if err := t.fingerprint(); err != nil {
		return more, err
	}
	if st == waiting {
		t.in.shed()
		if t.in.pos == before {
			return waiting, nil
		}
	}
	return more, nil
}

// fingerprint extends the fingerprint over what has been read.
func (t *tail) fingerprint() error {
	in := t.in
	if in.head.full() || in.head.n >= in.pos || t.copy != nil {
		return nil
	}
	h, same, err := in.head.grown(t.file, in.pos)
	if err != nil {
		return in.damaged(err)
	}
	in.head = h
	if !same {
		t.seen = nil // it will be found out
	}
	return nil
}

// look finds out what has become of the file, and reports whether there is
// nothing to be read.
func (t *tail) look() (nothing bool, err error) {
	info, err := t.file.Stat()
	if err != nil {
		return false, t.in.damaged(err)
	}
	in, size, same := t.in, info.Size(), true
	changed := t.seen == nil || size != t.seen.Size() || !info.ModTime().Equal(t.seen.ModTime())
	t.seen = info
	if changed {
		if _, same, err = in.head.grown(t.file, in.head.n); err != nil {
			return false, in.damaged(err)
		}
	}
	switch {
	case size < in.pos || !same:
		return false, t.cut(size)
	case size < in.behind() || changed && !in.holds(t.file):
		if err := in.back(); err != nil {
			return false, err
		}
	}
	t.most = max(t.most, size)
	in.left = size - in.behind()
	t.depart(changed || in.left > 0)
	if t.leaves != stays && t.now().Sub(t.away) >= grace {
		in.finish()
		return false, nil
	}
	return in.left == 0, nil
}

// depart notes whether the file is still what its path leads to. One that was
// renamed, and not replaced, is.
func (t *tail) depart(grew bool) {
	was := t.leaves
	here, err := os.Stat(t.data.Path)
	switch {
	case err == nil && !os.SameFile(here, t.seen):
		t.leaves = replaced
	case err != nil && removed(t.seen):
		t.leaves = vanished
	default:
		t.leaves = stays
	}
	if t.leaves != was || grew {
		t.away = t.now()
	}
}

// cut goes on behind the file's having been truncated to size bytes, or written
// anew.
func (t *tail) cut(size int64) error {
	in := t.in
	f, have, err := t.copied(in.head, in.behind())
	if err != nil {
		return err
	}
	t.renew = true
	if f == nil {
		t.truncated(in.behind(), size)
		in.finish()
		in.src, in.file = eof{}, nil // what was written since is not its rest
		return nil
	}
	t.copy = f
	if _, err := f.Seek(in.behind(), io.SeekStart); err != nil {
		return in.damaged(err)
	}
	in.src, in.file, in.left = f, f, have-in.behind()
	return nil
}

// truncated says that the file has been truncated.
func (t *tail) truncated(read, size int64) {
	t.log.Warn("a followed file was truncated or written anew; it is read from its beginning",
		"path", t.data.Path, "split", t.id, "read", read, "size", size, "lost_at_least", max(0, t.most-read))
}

// again begins a new generation behind a position.
func (t *tail) again(from position) error {
	if err := t.closeCopy(); err != nil {
		return err
	}
	info, err := t.file.Stat()
	if err != nil {
		return fmt.Errorf("read %s: %w", t.data.Path, reason(err))
	}
	t.seen, t.most, t.renew, t.idle = info, info.Size(), false, false
	return t.open(t.file, info.Size(), position{
		place: place{0, from.line}, base: from.base + from.offset, generation: from.generation + 1,
	})
}

func (t *tail) closeCopy() error {
	if t.copy == nil {
		return nil
	}
	f := t.copy
	t.copy = nil
	return f.Close()
}

// close closes the files.
func (t *tail) close() error {
	err := t.closeCopy()
	if t.file != nil {
		err = errors.Join(err, t.file.Close())
		t.file = nil
	}
	t.in = nil
	return err
}
