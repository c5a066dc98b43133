package control_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gpflow/gpflow/engine/control"
)

func listen(t *testing.T, dir string, h control.Handler) *control.Server {
	t.Helper()
	s, err := control.Listen(dir, h)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// echo answers with what it was asked.
func echo(_ context.Context, r control.Request) control.Answer {
	return control.Answer{Error: string(r.Do) + " " + r.Savepoint}
}

func ask(t *testing.T, dir, want string) {
	t.Helper()
	a, err := control.Ask(t.Context(), dir, control.Request{Do: control.Savepoint, Savepoint: "s"})
	if err != nil || a.Error != want || a.Holder.PID != os.Getpid() {
		t.Fatalf("%+v, %v; want %q", a, err, want)
	}
}

// notRunning checks that nobody answers in dir, and that nothing is left.
func notRunning(t *testing.T, dir string) {
	t.Helper()
	_, err := control.Ask(t.Context(), dir, control.Request{Do: control.Status})
	var none *control.NotRunning
	if !errors.As(err, &none) {
		t.Fatalf("%v, want NotRunning", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Fatalf("%v is left, %v", entries, err)
	}
}

// long returns a directory whose path is longer than that of a socket can be.
func long(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// short returns a directory whose path is short.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "c")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // only litter
	return dir
}

// eachLength runs a test in a directory with a short path, and in one with a
// long path.
func eachLength(t *testing.T, test func(t *testing.T, dir string)) {
	t.Run("short", func(t *testing.T) { test(t, short(t)) })
	t.Run("long", func(t *testing.T) {
		dir := long(t)
		t.Setenv("TMPDIR", short(t))
		test(t, dir)
		if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
			t.Fatalf("%v is left among the temporary files, %v", left, err)
		}
	})
}

func TestAsk(t *testing.T) {
	eachLength(t, func(t *testing.T, dir string) {
		notRunning(t, dir)
		s := listen(t, dir, echo)
		path, err := filepath.EvalSymlinks(filepath.Join(dir, ".control"))
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode() != os.ModeSocket|0o600 {
			t.Fatalf("%v, %v; want a socket of mode 0600", info.Mode(), err)
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { ask(t, dir, "savepoint s") })
		}
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		notRunning(t, dir)
	})
}

// TestStale: what a process has left that was killed is replaced.
func TestStale(t *testing.T) {
	eachLength(t, func(t *testing.T, dir string) {
		first := listen(t, dir, func(context.Context, control.Request) control.Answer { return control.Answer{} })
		if err := os.Mkdir(filepath.Join(dir, ".control-1"), 0o700); err != nil {
			t.Fatal(err)
		}
		second := listen(t, dir, echo)
		ask(t, dir, "savepoint s")
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
		notRunning(t, dir)
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDead: nobody listens behind a socket that is left.
func TestDead(t *testing.T) {
	dir := short(t)
	path := filepath.Join(dir, ".control")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	_, err = control.Ask(t.Context(), dir, control.Request{Do: control.Status})
	var none *control.NotRunning
	if !errors.As(err, &none) || none.Dir != dir {
		t.Fatalf("%v, want NotRunning", err)
	}
}

// TestClose: who has asked is answered, and who has not is not waited for.
func TestClose(t *testing.T) {
	dir := short(t)
	asked := make(chan struct{})
	s := listen(t, dir, func(ctx context.Context, _ control.Request) control.Answer {
		close(asked)
		<-ctx.Done()
		return control.Answer{Error: "closed"}
	})
	silent, err := net.Dial("unix", filepath.Join(dir, ".control"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	var wg sync.WaitGroup
	wg.Go(func() { ask(t, dir, "closed") })
	<-asked
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Close took %s", took)
	}
	wg.Wait()
}

// TestGone: a process that ends without an answer is an error that says so, and
// so is one that does not answer in time.
func TestGone(t *testing.T) {
	dir := short(t)
	l, err := net.Listen("unix", filepath.Join(dir, ".control"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = func() (control.Answer, error) {
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			c, err := l.Accept()
			if err == nil {
				cancel(errors.New("patience is over"))
				_, _ = c.Read(make([]byte, 1000))
				defer c.Close()
			}
		}()
		return control.Ask(ctx, dir, control.Request{Do: control.Status})
	}()
	if err == nil || !strings.Contains(err.Error(), "patience is over") {
		t.Errorf("%v, want the end of patience", err)
	}
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = c.Read(make([]byte, 1000))
			c.Close()
		}
	}()
	_, err = control.Ask(t.Context(), dir, control.Request{Do: control.Status})
	if err == nil || !strings.Contains(err.Error(), "is gone without an answer") {
		t.Errorf("%v, want that it is gone", err)
	}
}

// TestNonsense: a question that is none gets an answer that says so.
func TestNonsense(t *testing.T) {
	dir := short(t)
	s := listen(t, dir, echo)
	c, err := net.Dial("unix", filepath.Join(dir, ".control"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1000)
	n, err := c.Read(answer)
	if err != nil || !strings.Contains(string(answer[:n]), "not understood") {
		t.Errorf("%q, %v", answer[:n], err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
