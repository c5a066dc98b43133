package filesource

import (
	"os"
	"slices"
	"testing"
)

// A file is not taken for one that another had replaced, though the system knows it
// by the same number and it stands where that stood.
func TestFollowNumberTwice(t *testing.T) {
	for _, seen := range []bool{false, true} { // by the reader, that it was replaced
		f := follow(t, t.TempDir(), vals{"path": []string{"a.log"}})
		f.add("a.log", "one\n")
		f.expect("the first", "a.log@0:1:one")
		f.rename("a.log", "a.log.1")
		f.add("a.log", "two\n")
		if f.look(); seen {
			f.poll()
			f.known = f.known[:1] // another reader has the second
		}
		f.close()
		f.copyTruncate("a.log.1", "")
		f.add("a.log.1", "another\n")
		f.must(os.Remove(f.path("a.log")))
		f.rename("a.log.1", "a.log")
		f.start()
		f.got = nil
		f.poll()
		if want := []string{"a.log"}; len(f.got) > 0 || !slices.Contains(f.ended, want[0]) {
			t.Errorf("seen %v: got %v, ended %q, want nothing, and the end of %q", seen, f.got, f.ended, want)
		}
		f.close()
	}
}
