package filesource

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// watch hears of files that appear in directories. One goroutine uses it.
type watch struct {
	dirs []string
	fd   int
	file *os.File // of fd
	buf  [16 << 10]byte
}

// newWatch returns a watch of directories, which need not be there yet, or nil
// where the system has no more of them.
func newWatch(dirs []string) *watch {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil
	}
	return &watch{dirs: dirs, fd: fd, file: os.NewFile(uintptr(fd), "inotify")}
}

// wait lets d pass, or less where a file appears or has appeared since the last
// call.
func (w *watch) wait(ctx context.Context, d time.Duration) error {
	for _, dir := range w.dirs { // those that are watched already stay so
		_, _ = syscall.InotifyAddWatch(w.fd, dir, syscall.IN_CREATE|syscall.IN_MOVED_TO|syscall.IN_ONLYDIR)
	}
	if err := w.file.SetReadDeadline(time.Now().Add(d)); err != nil {
		return pause(ctx, d)
	}
	stop := context.AfterFunc(ctx, func() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_, err := w.file.Read(w.buf[:])
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
		return pause(ctx, d)
	}
	return nil
}

func (w *watch) close() error { return w.file.Close() }
