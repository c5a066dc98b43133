package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// reader is somebody who reads the output while it is being made: whatever can
// be seen is whole, and stays as it is. It looks at hidden files never, as
// everybody does.
type reader struct {
	root string
	stop chan struct{}
	once sync.Once // of halt
	done sync.WaitGroup

	mu    sync.Mutex
	seen  map[string]shown // by path; guarded by mu
	looks int              // guarded by mu
	err   error            // the first that was wrong; guarded by mu
}

// shown is a file as it was when it was first seen.
type shown struct {
	size  int64
	when  time.Time
	sum   uint32
	lines [][]byte
}

// watch begins to read below a directory, which need not be there yet, again and
// again until halt.
func watch(root string) *reader {
	r := &reader{root: root, stop: make(chan struct{}), seen: make(map[string]shown)}
	r.done.Go(func() {
		for {
			select {
			case <-r.stop:
				return
			case <-time.After(5 * time.Millisecond):
				r.look(false)
			}
		}
	})
	return r
}

// halt ends the reading, compares every byte once more, and returns what was
// wrong first.
func (r *reader) halt() error {
	r.once.Do(func() { close(r.stop) })
	r.done.Wait()
	return r.look(true)
}

// look reads the files that are new, and compares the others with what they
// were: by size and time, or by every byte. It returns what was wrong first, at
// any time.
func (r *reader) look(every bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks++
	found := make(map[string]bool)
	if err := r.walk(r.root, every, found); err != nil && r.err == nil {
		r.err = err
	}
	for path := range r.seen {
		if !found[path] && r.err == nil {
			r.err = fmt.Errorf("%s was shown, and is gone", path)
		}
	}
	return r.err
}

func (r *reader) walk(dir string, every bool, found map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.Name()[0] == '.':
		case e.IsDir():
			err = r.walk(path, every, found)
		default:
			found[path] = true
			err = r.file(path, every)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) file(path string, every bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	was, known := r.seen[path]
	if known && (was.size != info.Size() || !was.when.Equal(info.ModTime())) {
		return fmt.Errorf("%s was shown with %d bytes of %s, and has %d of %s now", path, was.size, was.when, info.Size(), info.ModTime())
	}
	if known && !every {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	now := shown{size: info.Size(), when: info.ModTime(), sum: crc32.ChecksumIEEE(data)}
	if known {
		if now.sum != was.sum {
			return fmt.Errorf("the bytes of %s have changed since it was shown", path)
		}
		return nil
	}
	if now.lines, err = lines(path, data); err != nil {
		return err
	}
	r.seen[path] = now
	return nil
}

// lines returns the records of a file, which has to be whole.
func lines(path string, data []byte) ([][]byte, error) {
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s is no whole file of gzip: %w", path, err)
		}
		if data, err = io.ReadAll(z); err != nil {
			return nil, fmt.Errorf("%s is no whole file of gzip: %w", path, err)
		}
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		return nil, fmt.Errorf("%s does not end with a line's end: it has %d bytes, the last of which are %q", path, len(data), data[max(0, len(data)-40):])
	}
	all := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	if len(data) == 0 {
		all = nil
	}
	for _, l := range all {
		if !json.Valid(l) {
			return nil, fmt.Errorf("%s has a line that is no record: %.200q", path, l)
		}
	}
	return all, nil
}

// records calls each with the records of all files that were seen below a
// directory.
func (r *reader) records(dir string, each func(path string, line []byte) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for path, f := range r.seen {
		if path != dir && !strings.HasPrefix(path, dir+string(filepath.Separator)) {
			continue
		}
		for _, l := range f.lines {
			if err := each(path, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// has reports whether a file was seen.
func (r *reader) has(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.seen[path]
	return ok
}
