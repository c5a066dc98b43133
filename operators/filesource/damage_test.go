package filesource

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/gpflow/gpflow"
)

// chunks are lines that take several reads.
func chunks() []byte { return []byte(strings.Repeat("a line of text that is not short\n", 4*chunk/32)) }

// A file that is cut while it is read ends the run, and does not pass for a
// shorter one. One that grows is read on.
func TestFileThatChangesWhileItIsRead(t *testing.T) {
	for _, c := range []struct {
		size int64
		want string
	}{
		{chunk/2 + 5, "it was cut while it was read"},
		{0, "it was cut while it was read"},
		{int64(len(chunks())), ""},
	} {
		path := write(t, "a.log", chunks())
		s := open(t, options{vals: vals{"path": []string{path}}})
		r, err := s.Reader(&gpflow.ReaderContext{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Assign(discover(t, s)[0], nil); err != nil {
			t.Fatal(err)
		}
		out := gpflow.NewReading(linesSchema())
		if _, err := r.Poll(context.Background(), out); err != nil {
			t.Fatal(err)
		}
		out.TakeReading()
		if err := os.Truncate(path, c.size); err != nil {
			t.Fatal(err)
		}
		_, _, _, err = drainOne(r, nil, nil, nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("cut to %d bytes: got %v, want an error with %q", c.size, err, c.want)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFileThatGrows(t *testing.T) {
	path := write(t, "a.log", []byte("one\n"))
	s := open(t, options{vals: vals{"path": []string{path}}})
	splits := discover(t, s)
	if err := os.WriteFile(path, []byte("one\ntwo\nthree\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := drain(s, splits, nil)
	if want := []string{"one", "two", "three"}; err != nil || !slices.Equal(texts(got), want) {
		t.Errorf("got %q, %v", texts(got), err)
	}
}

// A file that vanishes before it is opened is named.
func TestFileThatVanishes(t *testing.T) {
	path := write(t, "a.log", []byte("one\n"))
	s := open(t, options{vals: vals{"path": []string{path}}})
	splits := discover(t, s)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err := drain(s, splits, nil)
	if err == nil || !strings.Contains(err.Error(), path+": it was there when the pipeline began, and is gone") {
		t.Errorf("got %v", err)
	}
}

// wide returns text in UTF-16.
func wide(text string, big bool) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(text)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

// Text in UTF-16 is named as such, with a mark and without.
func TestUTF16(t *testing.T) {
	bytesSchema := gpflow.NewSchema(gpflow.Column{Name: "line", Type: gpflow.T(gpflow.KindBytes)})
	for _, c := range []struct {
		name, text string
		schema     *gpflow.Schema
		plain      bool // it is read
	}{
		{"a.json", `{"user":"x","n":1}`, userSchema, false},
		{"a.json", "\ufeff" + `{"user":"x","n":1}`, userSchema, false},
		{"a.csv", "user,n\nx,1\n", userSchema, false},
		{"a.csv", "\ufeffuser,n\nx,1\n", userSchema, false},
		{"a.log", "\ufeffuser", nil, false},
		{"a.log", "\ufeffuser", bytesSchema, true},
	} {
		for _, big := range []bool{false, true} {
			for _, packed := range []string{"", ".gz"} {
				path := write(t, c.name+packed, wide(c.text, big))
				v := vals{"path": []string{path}}
				if c.schema != nil {
					v["schema"] = c.schema
				}
				s := open(t, options{vals: v})
				_, err := drain(s, discover(t, s), nil)
				if told := err != nil && strings.Contains(err.Error(), "its text is UTF-16"); told == c.plain || c.plain && err != nil {
					t.Errorf("%s%s, big-endian %t: %v", c.name, packed, big, err)
				}
			}
		}
	}
}
