package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/gpflow/gpflow/storage"
)

// op is a step of the workload that the proof interrupts everywhere.
type op struct{ do, name, data string }

var workload = []op{
	{"put", "a", "first"},
	{"put", "a", "second, and longer"},
	{"add", "d/e/x", "one"},
	{"add", "d/e/x", "two"},
	{"put", "d/y", ""},
	{"remove", "d/e/x", ""},
	{"put", "d/e/z", "three"},
	{"add", "b", "four"},
	{"remove", "a", ""},
	{"add", "a", "five"},
	{"remove", "nothing", ""},
	{"put", "d/y", "six"},
}

// absentValue stands for an object that is not there.
const absentValue = "(absent)"

// oracle knows what each name may have: what the last operation that returned
// nil has made of it, or one that failed since.
type oracle map[string][]string

func (o oracle) may(name string) []string {
	if len(o[name]) == 0 {
		return []string{absentValue}
	}
	return o[name]
}

// run does an operation and notes what may be there then. It returns what must
// not be.
func (o oracle) run(s *Store, p op) (violation, err error) {
	ctx := context.Background()
	will := p.data
	switch p.do {
	case "put":
		err = s.Put(ctx, p.name, []byte(p.data))
	case "add":
		err = s.PutIfAbsent(ctx, p.name, []byte(p.data))
	case "remove":
		will = absentValue
		err = s.Remove(ctx, p.name)
	}
	switch {
	case err == nil && p.do == "add" && !slices.Contains(o.may(p.name), absentValue):
		violation = fmt.Errorf("%v: won, though the object was there", p)
		fallthrough
	case err == nil:
		o[p.name] = []string{will}
	case errors.Is(err, storage.ErrExists):
		if slices.Equal(o.may(p.name), []string{absentValue}) {
			violation = fmt.Errorf("%v: %w", p, err)
		}
	default:
		o[p.name] = append(slices.Clone(o.may(p.name)), will)
	}
	return violation, err
}

// check compares a store with what it may have, and settles on what it has.
func (o oracle) check(s *Store) error {
	ctx := context.Background()
	for name := range maps.Clone(o) {
		has := absentValue
		data, err := s.Get(ctx, name)
		if err == nil {
			has = string(data)
		} else if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if !slices.Contains(o.may(name), has) {
			return fmt.Errorf("%s is %q; want one of %q", name, has, o.may(name))
		}
		o[name] = []string{has}
	}
	objects, err := s.List(ctx, "")
	if err != nil {
		return err
	}
	var listed, want []string
	for _, obj := range objects {
		listed = append(listed, fmt.Sprint(obj.Name, " ", obj.Size))
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if has := o[name][0]; has != absentValue {
			want = append(want, fmt.Sprint(name, " ", len(has)))
		}
	}
	if !slices.Equal(listed, want) {
		return fmt.Errorf("listed %q; want %q", listed, want)
	}
	return nil
}

// leftovers returns the temporary files in a directory.
func leftovers(t *testing.T, dir string) (temps []string) {
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			temps = append(temps, path)
		}
		return err
	}))
	return temps
}

// rig is a store on a lossy disk.
type rig struct {
	*Store
	disk *lossy
}

func newRig(t *testing.T, dir string, seed uint64, bug func(*lossy)) *rig {
	r := new(rig)
	var err error
	r.Store, err = open(dir, func(root *os.Root) disk {
		r.disk = newLossy(root, seed)
		bug(r.disk)
		return r.disk
	})
	must(t, err)
	r.disk.steps = 0
	return r
}

// kill does to the store what the end of its process would do.
func (r *rig) kill() {
	if r.mark != nil {
		r.mark.file.Close()
	}
	r.root.Close()
}

// again opens the store once more, on the disk as it is. It returns nil if the
// store refuses, for a directory could not be synced.
func (r *rig) again(t *testing.T) *rig {
	r.kill()
	next := &rig{disk: r.disk}
	next.disk.dead, next.disk.fault = false, fault{}
	var err error
	next.Store, err = open(r.dir, func(root *os.Root) disk {
		next.disk.real = rooted{root}
		return next.disk
	})
	if errors.Is(err, errDoubt) && len(r.disk.failed) > 0 {
		return nil
	}
	must(t, err)
	return next
}

// looks returns what is wrong with a store that has just been opened.
func (r *rig) looks(t *testing.T, o oracle) error {
	if err := o.check(r.Store); err != nil {
		return err
	}
	if temps := leftovers(t, r.dir); len(temps) > 0 {
		return fmt.Errorf("%v are left", temps)
	}
	return nil
}

// interrupted runs the workload with one fault, and a loss of power afterwards:
// at once where it was one, or after the store has been opened again and looked
// at. It returns what is wrong, and whether the fault came.
func interrupted(t *testing.T, scratch string, f fault, power bool, seed uint64, bug func(*lossy)) (came bool, wrong error) {
	dir, err := os.MkdirTemp(scratch, "")
	must(t, err)
	defer os.RemoveAll(dir)
	r := newRig(t, filepath.Join(dir, "live"), seed, bug)
	r.disk.fault = f
	o := make(oracle)
	for _, p := range workload {
		violation, err := o.run(r.Store, p)
		if violation != nil {
			return true, violation
		}
		if errors.Is(err, errDied) {
			break
		}
	}
	came = r.disk.steps >= f.step && f.step > 0
	if power {
		r.kill()
	} else if next := r.again(t); next != nil {
		defer next.kill()
		if err := next.looks(t, o); err != nil {
			return came, fmt.Errorf("after the process died: %w", err)
		}
	}
	to := filepath.Join(dir, "after")
	must(t, os.Mkdir(to, dirMode))
	r.disk.loseTo(t, to)
	quiet := func(root *os.Root) disk { return unsynced{rooted{root}} }
	s, err := open(to, quiet)
	if errors.Is(err, errDoubt) && len(r.disk.failed) > 0 {
		must(t, os.Remove(filepath.Join(to, doubtName))) // as the error says
		s, err = open(to, quiet)
	}
	must(t, err)
	defer s.Close()
	if err := (&rig{Store: s}).looks(t, o); err != nil {
		return came, fmt.Errorf("after the power was lost: %w", err)
	}
	return came, nil
}

// unsynced is a disk that is looked at only, and need not be slow.
type unsynced struct{ rooted }

func (unsynced) syncDir(string) error { return nil }

// memory returns a directory in memory, where there is such a thing: what the
// power leaves is for the lossy disk to say, and not for this one.
func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "gpflow-store-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// everywhere interrupts the workload at every step, and returns what it found
// and how many runs it has made. It ends at the first find.
func everywhere(t *testing.T, faults []error, seeds uint64, bug func(*lossy)) (runs int, wrong error) {
	scratch := memory(t)
	for step := 1; ; step++ {
		some := false
		for _, at := range []when{before, halfway, after} {
			for _, err := range faults {
				for seed := range seeds {
					came, wrong := interrupted(t, scratch, fault{step, at, err}, seed%2 == 0, uint64(step)<<8|seed, bug)
					runs++
					if wrong != nil {
						return runs, fmt.Errorf("step %d, %v, %w, seed %d: %w", step, []string{"before", "halfway", "after"}[at], err, seed, wrong)
					}
					some = some || came
				}
			}
		}
		if !some {
			return runs, nil
		}
	}
}

// TestNothingIsLost: wherever the process dies or a step fails, each object is
// what it was or what it was to become; and it is the latter, for good, when the
// store has said so.
func TestNothingIsLost(t *testing.T) {
	for name, bug := range map[string]func(*lossy){
		"links":    func(*lossy) {},
		"no links": func(d *lossy) { d.noLinks = true },
	} {
		t.Run(name, func(t *testing.T) {
			runs, err := everywhere(t, []error{errDied, syscall.EIO}, 2, bug)
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d runs", runs)
		})
	}
}

// TestTheProofProves: it finds it when the disk forgets what it was to sync.
func TestTheProofProves(t *testing.T) {
	for name, bug := range map[string]func(*lossy){
		"files are not synced":       func(d *lossy) { d.noSync = true },
		"directories are not synced": func(d *lossy) { d.noSyncDir = true },
	} {
		t.Run(name, func(t *testing.T) {
			runs, err := everywhere(t, []error{errDied}, 4, bug)
			if err == nil {
				t.Errorf("%d runs, and nothing found", runs)
			}
			t.Logf("found after %d runs: %v", runs, err)
		})
	}
}
