package filesource

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

// halfway returns a split of a file, and the position behind its first records.
func halfway(t *testing.T, s *source) (gpflow.Split, gpflow.Position) {
	t.Helper()
	r, err := s.Reader(&gpflow.ReaderContext{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	split := discover(t, s)[0]
	if err := r.Assign(split, nil); err != nil {
		t.Fatal(err)
	}
	out := gpflow.NewReading(userSchema)
	out.Limit(20)
	if _, err := r.Poll(context.Background(), out); err != nil {
		t.Fatal(err)
	}
	_, _, _, pos := out.TakeReading()
	return split, pos
}

// Input that is not what was read is refused, and named.
func TestInputThatIsNotWhatItWas(t *testing.T) {
	content := lines(100)
	other := []byte(strings.Replace(string(content), "u3", "v3", 1))
	for _, name := range []string{"a.json", "a.json.gz", "a.json.zst"} {
		packed := compressed(t, catalog.CompressionOf(name), content)
		for _, c := range []struct {
			what string
			now  []byte // nil: removed
			want string // "": it is gone on with
		}{
			{"grown", nil, ""},
			{"as it was", packed, ""},
			{"removed", nil, "is gone; bring the file back"},
			{"empty", []byte{}, "has only 0 bytes now: it was truncated or replaced"},
			{"truncated before the position", packed[:100], "has only 100 bytes now: it was truncated or replaced"},
			{"truncated behind the position", packed[:len(packed)-3], "it was truncated"},
			{"another", compressed(t, catalog.CompressionOf(name), other), "is another file now"},
			{"another, longer", compressed(t, catalog.CompressionOf(name), append(other, content...)), "is another file now"},
		} {
			path := write(t, filepath.Join(t.TempDir(), name), content)
			s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema}})
			split, pos := halfway(t, s)
			switch {
			case c.what == "grown" && name != "a.json":
				continue
			case c.what == "grown":
				c.now = append(append([]byte(nil), content...), content...)
			}
			err := os.Remove(path)
			if err == nil && c.now != nil {
				err = os.WriteFile(path, c.now, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Reader(&gpflow.ReaderContext{})
			if err != nil {
				t.Fatal(err)
			}
			err = r.Assign(split, pos)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("%s, %s: %v", name, c.what, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path)):
				t.Errorf("%s, %s: got %v, want an error with %q", name, c.what, err, c.want)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// All ranges are of the file that was found, also those that nobody has begun.
func TestRangesOfAnotherFile(t *testing.T) {
	path := write(t, "a.json", lines(100))
	s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema}, parallelism: 2, minRange: 64})
	splits := discover(t, s)
	if err := os.WriteFile(path, []byte(strings.Replace(string(lines(100)), "u3", "v3", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, split := range splits {
		r, _ := s.Reader(&gpflow.ReaderContext{})
		var final *gpflow.FinalError
		if err := r.Assign(split, nil); !errors.As(err, &final) || !strings.Contains(err.Error(), "is another file now") {
			t.Errorf("%s: %v", split.ID, err)
		}
	}
}

func TestPositionsThatCannotBeRead(t *testing.T) {
	good := position{place: place{300, 4}, base: 7, generation: 1, head: summed([]byte("x"))}.encode()
	if p, err := decodePosition("a", position{replaced: true}.encode()); err != nil || p != (position{replaced: true}) {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := decodePosition("a", good); err != nil || string(p.encode()) != string(good) {
		t.Errorf("%+v, %v", p, err)
	}
	for i := range good {
		if _, err := decodePosition("a", good[:i]); err == nil {
			t.Errorf("%d of its %d bytes are taken for a position", i, len(good))
		}
	}
	for _, bad := range []gpflow.Position{{}, {0}, {9, 1, 1}, append(good, 0)} {
		if _, err := decodePosition("a", bad); err == nil {
			t.Errorf("%x is taken for a position", []byte(bad))
		}
	}
}
