package filesource

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// byID returns the path of the file in the directory of path that the system
// knows by id, or "".
func byID(path, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	return sibling(path, func(_ string, info fs.FileInfo) (bool, error) { return fileID(info) == id, nil })
}

// byHead returns the path of a file that begins as h says, has at least size
// bytes, and stands beside path with a name that begins as its name does: a
// copy of it, or it itself under a new name. "": there is none.
func byHead(path string, h head, size int64) (string, error) {
	if h.n == 0 {
		return "", nil
	}
	base := filepath.Base(path)
	return sibling(path, func(p string, info fs.FileInfo) (bool, error) {
		if p == path || !strings.HasPrefix(filepath.Base(p), base) || info.Size() < size {
			return false, nil
		}
		return begins(p, h)
	})
}

// sibling returns the first regular file in the directory of path that is as
// asked, or "".
func sibling(path string, is func(string, fs.FileInfo) (bool, error)) (string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return "", err
		}
		p := filepath.Join(filepath.Dir(path), e.Name())
		ok, err := is(p, info)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return "", err
		case ok:
			return p, nil
		}
	}
	return "", nil
}
