package filesource

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

// streaming reads the one split of s as the engine does, waiting to be woken.
func streaming(t *testing.T, s *source, each func(record)) error {
	t.Helper()
	wake := make(chan struct{}, 1)
	r, err := s.Reader(&gpflow.ReaderContext{Wake: func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Assign(discover(t, s)[0], nil); err != nil {
		t.Fatal(err)
	}
	for {
		out := gpflow.NewReading(linesSchema())
		p, err := r.Poll(context.Background(), out)
		b, failed, split, _ := out.TakeReading()
		for _, rec := range take(nil, b, failed, split) {
			each(rec)
		}
		switch {
		case err != nil || p.Ended != "":
			return err
		case p.Idle:
			select {
			case <-wake:
			case <-time.After(10 * time.Second):
				return errors.New("the reader was not woken")
			}
		}
	}
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func TestStdin(t *testing.T) {
	r, w := pipe(t)
	s := open(t, options{vals: vals{"path": []string{"-"}, "format": "lines"}, stdin: r})
	send := func(text string) {
		if _, err := w.WriteString(text); err != nil {
			t.Error(err)
		}
	}
	send("one\ntw")
	var got []record
	err := streaming(t, s, func(rec record) {
		got = append(got, rec)
		switch len(got) { // a record comes before the next is written
		case 1:
			send("o\n")
		case 2:
			send("three")
			w.Close()
		}
	})
	want := []record{{"-", 0, 1, "one", ""}, {"-", 4, 2, "two", ""}, {"-", 8, 3, "three", ""}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if r.SetReadDeadline(time.Time{}) != nil {
		t.Error("standard input has been closed")
	}
}

func TestStdinCompressed(t *testing.T) {
	data := compressed(t, catalog.Gzip, lines(20000))
	for _, cut := range []int{0, 10} {
		r, w := pipe(t)
		go func() {
			w.Write(data[:len(data)-cut])
			w.Close()
		}()
		s := open(t, options{vals: vals{"path": []string{"-"}, "format": "lines", "compression": "gzip"}, stdin: r})
		n := 0
		err := streaming(t, s, func(record) { n++ })
		if cut == 0 && (err != nil || n != 20000) {
			t.Errorf("%d records, %v", n, err)
		}
		if cut > 0 && (err == nil || !strings.Contains(err.Error(), "read standard input: the gzip data is cut short")) {
			t.Errorf("cut short: %v", err)
		}
	}
}

// In whatever pieces a stream comes, it has the records of the file.
func TestPropertyStream(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		data := content(rt)
		path := filepath.Join(dir, "a.log")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			rt.Fatal(err)
		}
		v := vals{"path": []string{path}, "max_record": int64(100)}
		want, err := drain(open(t, options{vals: v}), discover(rt, open(t, options{vals: v})), nil)
		if err != nil {
			rt.Fatal(err)
		}
		size := rapid.IntRange(1, 100).Draw(rt, "piece")
		r, w, err := os.Pipe()
		if err != nil {
			rt.Fatal(err)
		}
		defer r.Close()
		go func() {
			defer w.Close()
			for piece := range slices.Chunk(data, size) {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		}()
		v = vals{"path": []string{"-"}, "format": "lines", "max_record": int64(100)}
		var got []record
		if err := streaming(t, open(t, options{vals: v, stdin: r}), func(rec record) {
			rec.split = path
			got = append(got, rec)
		}); err != nil || !slices.Equal(got, want) {
			rt.Fatalf("%v\ngot  %v\nwant %v", err, got, want)
		}
	})
}

func TestStdinFile(t *testing.T) {
	f, err := os.Open(write(t, "a.log", lines(20000)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := open(t, options{vals: vals{"path": []string{"-"}, "format": "lines"}, stdin: f})
	n := 0
	if err := streaming(t, s, func(record) { n++ }); err != nil || n != 20000 {
		t.Errorf("%d records, %v", n, err)
	}
}

// Close comes back although nobody writes to the stream; goleak sees that the
// goroutine has ended.
func TestCloseOfABlockedStream(t *testing.T) {
	r, _ := pipe(t)
	s := open(t, options{vals: vals{"path": []string{"-"}, "format": "lines"}, stdin: r})
	rd, _ := s.Reader(&gpflow.ReaderContext{})
	if err := rd.Assign(discover(t, s)[0], nil); err != nil {
		t.Fatal(err)
	}
	p, err := rd.Poll(context.Background(), gpflow.NewReading(linesSchema()))
	if err != nil || !p.Idle || p.Wait <= 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if err := rd.Close(); err != nil {
		t.Error(err)
	}
}

// The standard input of a process is a pipe that somebody holds open: a child
// of the test reads a line of it, and then closes the reader.
func TestProcessStdin(t *testing.T) {
	const child = "GPFLOW_FILESOURCE_CHILD"
	if os.Getenv(child) != "" {
		s := open(t, options{vals: vals{"path": []string{"-"}, "format": "lines"}})
		wake := make(chan struct{}, 16)
		rd, _ := s.Reader(&gpflow.ReaderContext{Wake: func() { wake <- struct{}{} }})
		if err := rd.Assign(discover(t, s)[0], nil); err != nil {
			t.Fatal(err)
		}
		out := gpflow.NewReading(linesSchema())
		for out.Len() == 0 {
			if _, err := rd.Poll(context.Background(), out); err != nil {
				t.Fatal(err)
			}
			if out.Len() == 0 {
				<-wake
			}
		}
		if text := out.Take().Row(0)[0].Str(); text != "one" {
			t.Error(text)
		}
		p := rd.(*reader).cur.src.(*pump)
		if err := rd.Close(); err != nil {
			t.Error(err)
		}
		<-p.ended // the goroutine has ended although its read had nothing
		return
	}
	r, w := pipe(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestProcessStdin$", "-test.timeout=20s")
	cmd.Env = append(os.Environ(), child+"=1")
	cmd.Stdin = r
	if _, err := w.WriteString("one\n"); err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestStreamIsNotResumed(t *testing.T) {
	r, w := pipe(t)
	s := open(t, options{vals: vals{"path": []string{"-"}, "format": "lines"}, stdin: r})
	if _, err := w.WriteString("one\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	rd, _ := s.Reader(&gpflow.ReaderContext{})
	split := discover(t, s)[0]
	if err := rd.Assign(split, nil); err != nil {
		t.Fatal(err)
	}
	pos, _, _, err := drainOne(rd, nil, nil, nil)
	for err != nil && err.Error() == "idle" {
		pos, _, _, err = drainOne(rd, nil, pos, nil)
	}
	if err := errors.Join(err, rd.Close()); err != nil {
		t.Fatal(err)
	}
	rd, _ = s.Reader(&gpflow.ReaderContext{})
	err = rd.Assign(split, pos)
	if err == nil || !strings.Contains(err.Error(), "read -: 4 bytes of it had been read, and they cannot be read again") {
		t.Error(err)
	}
}

func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			f.WriteString("one\ntwo\n")
			f.Close()
		}
	}()
	var got []record
	s := open(t, options{vals: vals{"path": []string{path}}})
	if err := streaming(t, s, func(r record) { got = append(got, r) }); err != nil || !slices.Equal(texts(got), []string{"one", "two"}) {
		t.Errorf("got %v, %v", got, err)
	}
}
