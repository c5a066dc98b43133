package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// The names of the socket in a state directory, and of directories that it is
// made in. Hidden names are none of a store's.
const (
	socketName    = ".control"
	privatePrefix = ".control-"
	tempPrefix    = "gpflow-control-"
)

// longestPath is how many bytes the path of a socket can have on every system.
const longestPath = 103

// address returns where to connect to: the socket, or what leads to it.
func address(dir string) string {
	path := filepath.Join(dir, socketName)
	if target, err := os.Readlink(path); err == nil {
		return target
	}
	return path
}

// socket is a listening socket, and what has to be removed behind it.
type socket struct {
	*net.UnixListener
	remove []string
}

// listen makes the socket of a state directory, in place of one that a dead
// process has left: the caller holds the lock of the directory. From the first
// moment, only its owner can open it, for it is made in a directory that nobody
// else can enter, and moved from there. Where its path would be too long, it
// stays in such a directory among the temporary files, and a link leads there.
func listen(dir string) (*socket, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	dropStale(dir)
	path := filepath.Join(dir, socketName)
	s, err := bind(dir, privatePrefix)
	if err == nil {
		if err = os.Rename(s.Addr().String(), path); err == nil {
			err = os.Remove(s.remove[0])
			s.remove = []string{path}
		}
		return s.unless(err)
	}
	if !errors.Is(err, errLong) {
		return nil, err
	}
	for _, temp := range []string{os.TempDir(), "/tmp"} {
		if s, err = bind(temp, tempPrefix); err == nil {
			err = os.Symlink(s.Addr().String(), path)
			s.remove = append(s.remove, path)
			return s.unless(err)
		}
	}
	return nil, err
}

var errLong = errors.New("the path of a socket would be too long")

// bind listens on a socket in a new directory below base.
func bind(base, prefix string) (*socket, error) {
	private, err := os.MkdirTemp(base, prefix)
	if err != nil {
		return nil, err
	}
	s := &socket{remove: []string{private}}
	path := filepath.Join(private, "s")
	if len(path) > longestPath {
		return s.unless(fmt.Errorf("%w: %s", errLong, path))
	}
	if s.UnixListener, err = net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path}); err != nil {
		return s.unless(err)
	}
	s.SetUnlinkOnClose(false)
	return s.unless(os.Chmod(path, 0o600))
}

// unless returns s, or takes it away again and returns err.
func (s *socket) unless(err error) (*socket, error) {
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// close closes the socket and removes it.
func (s *socket) close() (err error) {
	if s.UnixListener != nil {
		err = s.UnixListener.Close()
	}
	for _, path := range s.remove {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// dropStale removes what a process has left that was killed. What cannot be
// removed is in the way of what is to be made, which says so.
func dropStale(dir string) {
	path := filepath.Join(dir, socketName)
	if target, err := os.Readlink(path); err == nil {
		if private := filepath.Dir(target); strings.HasPrefix(filepath.Base(private), tempPrefix) {
			_ = os.RemoveAll(private) // of no use to anybody
		}
	}
	_ = os.Remove(path) // see above
	left, _ := filepath.Glob(filepath.Join(globbed(dir), privatePrefix+"*"))
	for _, private := range left {
		_ = os.RemoveAll(private) // of no use to anybody
	}
}

// globbed returns a pattern that matches a path.
func globbed(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
