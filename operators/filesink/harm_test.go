package filesink

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

// overwrite changes a byte of a file.
func overwrite(path string) error {
	data, err := os.ReadFile(path)
	if err == nil {
		data[len(data)/2] ^= 1
		err = os.WriteFile(path, data, 0o644)
	}
	return err
}

// Nobody goes on with a staged file that something else has written to, nor commits it.
func TestStagedFileIsWrittenTo(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "zstd"} {
		for name, v := range map[string]vals{
			"parts": {"mode": modeParts, "path": "", "format": "csv", "roll": rolls(1 << 20)}, "single": {"path": "out.csv"},
		} {
			for _, final := range []bool{false, true} {
				dir := t.TempDir()
				v["path"], v["compression"] = filepath.Join(dir, filepath.Base(v["path"].(string))), compression
				if name == "parts" {
					v["path"] = dir
				}
				s, err := at(v, "ab", 1, alone)
				s = must(t, s, err)
				write(t, s, "a", "b")
				p := prepared(t, s, false)
				closeSink(t, s)
				again, err := at(v, "ab", 2, alone, p.State) // it has been gone on with before
				s = must(t, again, err)
				write(t, s, "c")
				p = prepared(t, s, final)
				closeSink(t, s)
				file := stagedName(v["path"].(string), "ab")
				if name == "parts" {
					file = filepath.Join(dir, stagingDir, "test-ab", staged(dir)[0])
				}
				if err := overwrite(file); err != nil {
					t.Fatal(err)
				}
				s, err = at(v, "ab", 3, alone, p.State)
				if final && err == nil {
					err = s.Commit(context.Background(), p.Committable)
					_ = s.Close()
				}
				if err == nil || !strings.Contains(err.Error(), file+" is not what was written: the checksum of its first") {
					t.Errorf("%s, %s, final %v: %v", name, compression, final, err)
				}
			}
		}
	}
}

// What was kept without a checksum is gone on with.
func TestStateWithoutChecksum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	s, err := at(vals{"path": path}, "ab", 1, alone)
	s = must(t, s, err)
	write(t, s, "a")
	p := prepared(t, s, false)
	closeSink(t, s)
	at1, _, _ := bytes.Cut(p.State, []byte(`,"crc32c"`))
	again, err := at(vals{"path": path}, "ab", 2, alone, append(at1, '}'))
	s = must(t, again, err)
	write(t, s, "b")
	p = prepared(t, s, true)
	closeSink(t, s)
	again, err = at(vals{"path": path}, "ab", 3, alone, p.State)
	commitAll(t, must(t, again, err), p)
}

// A record whose path is longer than any can be has failed, and nothing else has.
func TestLongPathIsARecordsError(t *testing.T) {
	dir := t.TempDir()
	s, err := at(partsIn(dir+strings.Repeat("/{part}", 40), nil), "ab", 1, alone)
	s = must(t, s, err)
	b := gpflow.NewBuilder(itemSchema)
	for _, n := range []int{10, 250, 1, 94} {
		b.Row(0)[1] = gpflow.StringOf(bytes.Repeat([]byte("a"), n))
	}
	var failed []int
	err = s.Write(context.Background(), b.Take(), func(row int, err error) error {
		var r *gpflow.RecordError
		if !errors.As(err, &r) || r.Code != "path" || !strings.Contains(err.Error(), "at most 4095") {
			t.Errorf("%v", err)
		}
		failed = append(failed, row)
		return nil
	})
	if err != nil || len(failed) != 1 || failed[0] != 1 {
		t.Errorf("failed are %v, %v", failed, err)
	}
	commitAll(t, s, prepared(t, s, true))
	if n := len(tree(dir)); n != 3 {
		t.Errorf("%d files", n)
	}
}

// What stands in the way is named.
func TestDirectoryIsHarmed(t *testing.T) {
	for want, harm := range map[string]func(dir string) error{
		"x/b: not a directory; what the path has for a directory is a file": func(dir string) error { return os.WriteFile(dir+"/x/b", nil, 0o644) },
		"no such file or directory; a directory of the path is gone":        func(dir string) error { return os.RemoveAll(dir + "/x/" + stagingDir) },
	} {
		dir := t.TempDir()
		s, err := at(partsIn(dir+"/x/{part}", nil), "ab", 1, alone)
		s = must(t, s, err)
		if err := harm(dir); err != nil {
			t.Fatal(err)
		}
		write(t, s, "b")
		if _, err := s.Prepare(context.Background(), 1, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
