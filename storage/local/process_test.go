package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gpflow/gpflow/storage"
)

// childVariable has a test process be a child: what it is to do, and the
// directory of the store.
const childVariable = "GPFLOW_TEST_STORE_CHILD"

func TestMain(m *testing.M) {
	if do, dir, ok := strings.Cut(os.Getenv(childVariable), " "); ok {
		if err := children[do](dir, bufio.NewReader(os.Stdin)); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// children are what other processes do. They say on standard output how far they
// are, and go on when they are told to.
var children = map[string]func(dir string, in *bufio.Reader) error{
	"race":  race,
	"write": write,
	"count": count,
	"hold":  hold,
	"stuck": stuck,
}

const races = 30

// race asks for names that others ask for too, and says which it got.
func race(dir string, in *bufio.Reader) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	in.ReadString('\n')
	for i := range races {
		switch err := s.PutIfAbsent(context.Background(), fmt.Sprint("epoch/", i), []byte(strconv.Itoa(os.Getpid()))); {
		case err == nil:
			fmt.Println(i)
		case !errors.Is(err, storage.ErrExists):
			return err
		}
	}
	return s.Close()
}

// write writes objects, each after the last one has been told to last, until it
// is killed.
func write(dir string, _ *bufio.Reader) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		name := fmt.Sprintf("written/%d/%d", os.Getpid(), i)
		if err := s.PutIfAbsent(context.Background(), name, []byte(strings.Repeat(name, 1000))); err != nil {
			return err
		}
		fmt.Println(name)
	}
}

// count adds one to an object again and again, each time with the lock.
func count(dir string, _ *bufio.Reader) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	for {
		unlock, err := s.Lock()
		var held *HeldError
		if errors.As(err, &held) {
			continue
		}
		if err != nil {
			return err
		}
		data, err := s.Get(context.Background(), "count")
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(data))
		if err != nil {
			return err
		}
		if err := s.Put(context.Background(), "count", []byte(strconv.Itoa(n+1))); err != nil {
			return err
		}
		fmt.Println(n + 1)
		if err := unlock(); err != nil {
			return err
		}
	}
}

// hold has the lock until it is told to go.
func hold(dir string, in *bufio.Reader) error {
	s, err := Open(dir)
	if err != nil {
		return err
	}
	if _, err := s.Lock(); err != nil {
		return err
	}
	fmt.Println("locked")
	in.ReadString('\n')
	return nil
}

// stuck stands still in the middle of writing an object.
func stuck(dir string, in *bufio.Reader) error {
	s, err := open(dir, func(root *os.Root) disk { return &stuckDisk{rooted{root}, in} })
	if err != nil {
		return err
	}
	return s.Put(context.Background(), "d/e", []byte("in full"))
}

type stuckDisk struct {
	rooted
	in *bufio.Reader
}

func (d *stuckDisk) create(name string) (file, error) {
	f, err := d.rooted.create(name)
	return &stuckFile{f, d.in}, err
}

type stuckFile struct {
	file
	in *bufio.Reader
}

func (f *stuckFile) Write(data []byte) (int, error) {
	f.file.Write(data[:len(data)/2])
	fmt.Println("writing")
	f.in.ReadString('\n')
	n, err := f.file.Write(data[len(data)/2:])
	return len(data)/2 + n, err
}

// child is another process.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(t *testing.T, do, dir string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childVariable+"="+do+" "+dir)
	c.cmd.Stderr = os.Stderr
	var err error
	c.in, err = c.cmd.StdinPipe()
	must(t, err)
	out, err := c.cmd.StdoutPipe()
	must(t, err)
	c.out = bufio.NewScanner(out)
	must(t, c.cmd.Start())
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			c.kill()
		}
	})
	return c
}

// says returns the next line of the child, and false at the end.
func (c *child) says() (string, bool) {
	c.t.Helper()
	if !c.out.Scan() {
		return "", false
	}
	if strings.HasPrefix(c.out.Text(), "error:") {
		c.t.Errorf("process %d: %s", c.cmd.Process.Pid, c.out.Text())
	}
	return c.out.Text(), true
}

// tell has the child go on.
func (c *child) tell() {
	_, err := fmt.Fprintln(c.in)
	must(c.t, err)
}

// kill kills the child with -9, and returns what it has said before.
func (c *child) kill() (said []string) {
	c.cmd.Process.Kill()
	for {
		line, ok := c.says()
		if !ok {
			break
		}
		said = append(said, line)
	}
	c.cmd.Wait()
	return said
}

func TestOneProcessWins(t *testing.T) {
	dir := t.TempDir()
	var all [6]*child
	for i := range all {
		all[i] = start(t, "race", dir)
	}
	for _, c := range all {
		c.says()
	}
	for _, c := range all {
		c.tell()
	}
	winners := make(map[string][]int)
	share := make(map[int]int)
	for _, c := range all {
		for {
			i, ok := c.says()
			if !ok {
				break
			}
			winners[i] = append(winners[i], c.cmd.Process.Pid)
			share[c.cmd.Process.Pid]++
		}
		must(t, c.cmd.Wait())
	}
	s := opened(t, dir)
	for i := range races {
		data, err := s.Get(t.Context(), fmt.Sprint("epoch/", i))
		must(t, err)
		if w := winners[strconv.Itoa(i)]; len(w) != 1 || string(data) != strconv.Itoa(w[0]) {
			t.Errorf("%d: %v have won, and it is of %s", i, w, data)
		}
	}
	t.Logf("won by process: %v", share)
}

// TestKilledWriters: what a writer has said is written is there after kill -9,
// nothing is there by half, and what it has left is cleared away.
func TestKilledWriters(t *testing.T) {
	dir := t.TempDir()
	said := make(map[string]bool)
	for lines := range 12 {
		c, other := start(t, "write", dir), start(t, "write", dir)
		for range 1 + lines*lines/4 {
			line, _ := c.says()
			said[line] = true
		}
		for _, line := range append(c.kill(), other.kill()...) {
			said[line] = true
		}
	}
	s := opened(t, dir)
	if temps := leftovers(t, dir); len(temps) > 0 {
		t.Errorf("left: %v", temps)
	}
	marks, err := filepath.Glob(filepath.Join(dir, livePrefix+"*"))
	if err != nil || len(marks) > 0 {
		t.Errorf("left: %v, %v", marks, err)
	}
	objects, err := s.List(t.Context(), "written/")
	must(t, err)
	for _, o := range objects {
		data, err := s.Get(t.Context(), o.Name)
		if err != nil || string(data) != strings.Repeat(o.Name, 1000) {
			t.Errorf("%s has %d bytes, %v", o.Name, len(data), err)
		}
		delete(said, o.Name)
	}
	if len(said) > 0 {
		t.Errorf("lost: %v", said)
	}
	t.Logf("%d objects", len(objects))
}

// TestLeftovers: the temporary file of a process is there as long as it lives.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	dying, living := start(t, "stuck", dir), start(t, "stuck", dir)
	dying.says()
	living.says()
	opened(t, dir)
	if temps := leftovers(t, dir); len(temps) != 2 {
		t.Errorf("both live, and there are %v", temps)
	}
	dying.kill()
	s := opened(t, dir)
	if temps := leftovers(t, dir); len(temps) != 1 {
		t.Errorf("one lives, and there are %v", temps)
	}
	if objects, err := s.List(t.Context(), ""); err != nil || len(objects) != 0 {
		t.Errorf("%v, %v; want no objects", objects, err)
	}
	living.tell()
	must(t, living.cmd.Wait())
	data, err := s.Get(t.Context(), "d/e")
	if err != nil || string(data) != "in full" {
		t.Errorf("%q, %v", data, err)
	}
	if temps := leftovers(t, dir); len(temps) != 0 {
		t.Errorf("left: %v", temps)
	}
}

func TestLockOfAnotherProcess(t *testing.T) {
	s := opened(t, t.TempDir())
	for _, end := range []string{"kill", "exit"} {
		c := start(t, "hold", s.Dir())
		if line, _ := c.says(); line != "locked" {
			t.Fatalf("the child says %q", line)
		}
		_, err := s.Lock()
		var held *HeldError
		if !errors.As(err, &held) {
			t.Fatalf("%v; want a HeldError", err)
		}
		h := held.Holder
		if host, _ := os.Hostname(); h.PID != c.cmd.Process.Pid || h.Host != host || h.Command != os.Args[0] || h.Since.IsZero() || held.Dir != s.Dir() {
			t.Errorf("%+v; the holder is process %d", held, c.cmd.Process.Pid)
		}
		if want := fmt.Sprintf("%s is in use by process %d on ", s.Dir(), h.PID); !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v; want it to begin with %s", err, want)
		}
		if end == "kill" {
			c.kill()
		} else {
			c.tell()
			must(t, c.cmd.Wait())
		}
		unlock, err := s.Lock()
		must(t, err)
		must(t, unlock())
	}
}

// TestLockExcludes: processes that count with the lock, and are killed while
// they do, lose no count that one has said.
func TestLockExcludes(t *testing.T) {
	s := opened(t, t.TempDir())
	must(t, s.Put(t.Context(), "count", []byte("0")))
	said := make(map[string]int)
	for range 5 {
		all := []*child{start(t, "count", s.Dir()), start(t, "count", s.Dir()), start(t, "count", s.Dir())}
		for range 5 {
			line, _ := all[0].says()
			said[line]++
		}
		for _, c := range all {
			for _, line := range c.kill() {
				said[line]++
			}
		}
	}
	for line, times := range said {
		if times != 1 {
			t.Errorf("%s was counted %d times", line, times)
		}
	}
	data, err := s.Get(t.Context(), "count")
	must(t, err)
	// One that is killed between Put and saying so has counted too.
	if n, err := strconv.Atoi(string(data)); err != nil || n < len(said) || n > len(said)+15 {
		t.Errorf("counted to %s, %v; %d counts were said", data, err, len(said))
	}
}
