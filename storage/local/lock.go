package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// Holder says which process has a lock.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"` // the program and its arguments
}

// String returns the holder as a part of a sentence.
func (h Holder) String() string {
	if h.PID == 0 {
		return "another process, which has not said who it is"
	}
	return fmt.Sprintf("process %d on %s since %s: %s", h.PID, h.Host, h.Since.Format(time.DateTime), h.Command)
}

// HeldError says that another has the lock of a store.
type HeldError struct {
	Dir    string // of the store, absolute
	Holder Holder // zero where it could not be read
}

// Error says who has the lock and what to do.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is in use by %s; stop it, or choose another directory", e.Dir, e.Holder)
}

// Lock makes this process the only one that has the lock of the directory, until
// unlock is called or the process is gone, whichever way it went. It does not
// wait: where another has the lock, in this process or another, the error is a
// *HeldError. It keeps nobody from the objects who does not ask for it.
//
// On a network file system, the lock holds between machines if that system's
// locks do.
func (s *Store) Lock() (unlock func() error, err error) {
	f, err := s.lock()
	if err != nil {
		var held *HeldError
		if errors.As(err, &held) {
			return nil, err
		}
		return nil, explain("lock "+s.path(lockName), err)
	}
	// The one before may have been killed before its last object lasted.
	if err := s.settle(); err != nil {
		f.Close()
		return nil, explain("lock "+s.path(lockName), err)
	}
	return func() error {
		// Whoever locks it next says at once who it is.
		err := f.Truncate(0)
		if closed := f.Close(); closed != nil {
			err = closed
		}
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		return err
	}, nil
}

func (s *Store) lock() (*os.File, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for try := 1; ; try++ {
		f, err := s.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, fileMode)
		if err != nil {
			return nil, err
		}
		err = tryLock(f)
		switch {
		case errors.Is(err, errLocked):
			holder := readHolder(f)
			if holder.PID == 0 && try < attempts {
				// Who has just taken it, or is about to give it back.
				f.Close()
				<-tick.C
				continue
			}
			err = &HeldError{Dir: s.dir, Holder: holder}
		case errors.Is(err, errors.ErrUnsupported):
			err = fmt.Errorf("%w: this file system or system has no locks; choose a directory on another one", err)
		case err == nil && !same(s.root, lockName, f):
			f.Close() // it was removed meanwhile
			continue
		case err == nil:
			err = writeHolder(f)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}
}

// Holder returns which process of this machine has the lock, without asking for
// it; false where none has, or where it cannot be told.
func (s *Store) Holder() (Holder, bool) {
	f, err := s.root.Open(lockName)
	if err != nil {
		return Holder{}, false
	}
	defer f.Close()
	h := readHolder(f)
	host, err := os.Hostname()
	if err != nil || h.PID <= 0 || h.Host != host {
		return Holder{}, false
	}
	// Who was killed has left its name, but is gone.
	p, err := os.FindProcess(h.PID)
	if err != nil {
		return Holder{}, false
	}
	if err := p.Signal(syscall.Signal(0)); err != nil && !errors.Is(err, fs.ErrPermission) {
		return Holder{}, false
	}
	// Another process may have its number by now, as in a container that was started
	// again; where the system tells what it runs, it has to be the same.
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", h.PID))
	if err == nil && strings.ReplaceAll(strings.TrimSuffix(string(args), "\x00"), "\x00", " ") != h.Command {
		return Holder{}, false
	}
	return h, true
}

// writeHolder writes into the lock who has it. It need not last.
func writeHolder(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	line, err := json.Marshal(Holder{
		PID: os.Getpid(), Host: host, Since: time.Now().Truncate(time.Second), Command: strings.Join(os.Args, " "),
	})
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(append(line, '\n'), 0)
	}
	return err
}

// readHolder reads who has a lock: a zero Holder where that is not written.
func readHolder(f *os.File) (h Holder) {
	data, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil || json.Unmarshal(data, &h) != nil {
		return Holder{}
	}
	return h
}
