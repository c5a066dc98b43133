package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// put writes a file below dir, with lines.
func put(t *testing.T, dir, name string, lines ...string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(lines, "\n")
	if len(lines) > 0 {
		text += "\n"
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// seen returns what a reader sees of a directory now.
func seen(t *testing.T, root string) *reader {
	t.Helper()
	r := &reader{root: root, seen: make(map[string]shown)}
	if err := r.look(true); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReaderFindsFault(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprintln(z, `{"i":1}`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		before func(dir string) error
		want   string
	}{
		"half a line":   {func(dir string) error { return os.WriteFile(dir+"/b.json", []byte(`{"i":1}`), 0o644) }, "does not end with a line's end"},
		"half a record": {func(dir string) error { return os.WriteFile(dir+"/b.json", []byte("{\"i\":\n"), 0o644) }, "is no record"},
		"half a member": {func(dir string) error { return os.WriteFile(dir+"/b.gz", packed.Bytes()[:packed.Len()-1], 0o644) }, "no whole file of gzip"},
		"grown":         {func(dir string) error { return os.WriteFile(dir+"/a.json", []byte("{}\n{}\n"), 0o644) }, "was shown with 3 bytes"},
		"changed": {func(dir string) error {
			info, err := os.Stat(dir + "/a.json")
			if err != nil {
				return err
			}
			if err := os.WriteFile(dir+"/a.json", []byte("[]\n"), 0o644); err != nil {
				return err
			}
			return os.Chtimes(dir+"/a.json", info.ModTime(), info.ModTime())
		}, "have changed since"},
		"gone":   {func(dir string) error { return os.Remove(dir + "/a.json") }, "was shown, and is gone"},
		"hidden": {func(dir string) error { return os.WriteFile(dir+"/.a.json", []byte("{"), 0o644) }, ""},
		"whole":  {func(dir string) error { return os.WriteFile(dir+"/b.gz", packed.Bytes(), 0o644) }, ""},
	} {
		dir := t.TempDir()
		put(t, dir, "a.json", "{}")
		r := seen(t, dir)
		if err := c.before(dir); err != nil {
			t.Fatal(err)
		}
		switch err := r.look(true); {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// output is the right output of a workload, by file.
type output map[string][]string

func (o output) put(t *testing.T, dir string) {
	for name, lines := range o {
		put(t, dir, name, lines...)
	}
}

// rights returns each workload with the right output of a small input.
func rights() map[string]struct {
	job
	output
} {
	line := func(v any) string { b, _ := json.Marshal(v); return string(b) } // of what can be marshalled
	var plain, packed []string
	for i := range 10 {
		l := fmt.Sprintf(`{"i":%d,"part":"p%d","mixed":%d}`, i, i%5, (i*7919+3)%1000003)
		packed = append(packed, l)
		if i%5 == 2 {
			plain = append(plain, l)
		}
	}
	whole := output{"packed/a.json": packed, "plain/p2/a.json": plain}
	for _, p := range []int{0, 1, 3, 4} {
		whole[fmt.Sprintf("plain/p%d/a.json", p)] = []string{packed[p], packed[p+5]}
	}
	return map[string]struct {
		job
		output
	}{
		"W1": {&counts{want: map[string]tally{"a": {2, 5}, "b": {1, 7}}}, output{"counts.jsonl": {line(map[string]any{"key": "a", "n": 2, "total": 5}), line(map[string]any{"key": "b", "n": 1, "total": 7})}}},
		"W2": {
			&bank{entries: map[string]int{"1 a100 -5": 1, "1 a200 5": 1}, balances: map[string]int64{"a100": -5, "a200": 5}},
			output{
				"entries/a1/x.json": {`{"id":1,"account":"a100","delta":-5,"branch":"a1"}`}, "entries/a2/x.json": {`{"id":1,"account":"a200","delta":5,"branch":"a2"}`},
				"balances.jsonl": {`{"account":"a100","balance":-5}`, `{"account":"a200","balance":5}`},
			},
		},
		"W3": {
			&windows{on: map[string]tally{"k1 1700000000": {2, 3}}, late: map[string]int{"9 k1": 1}},
			output{"windows/x.json": {`{"key":"k1","window_start":"2023-11-14T22:13:20Z","n":2,"total":3}`}, "late/x.json": {`{"id":9,"key":"k1"}`}},
		},
		"W4": {&rolling{rows: 10, seed: 3}, whole},
	}
}

// TestChecksFind: a line of the right output that is missing, doubled or another
// is found, whichever it is.
func TestChecksFind(t *testing.T) {
	for name, c := range rights() {
		dir := t.TempDir()
		c.put(t, dir)
		if err := c.check(seen(t, dir)).fault(); err != nil {
			t.Errorf("%s: the right output: %v", name, err)
		}
		for file, lines := range c.output {
			for i, l := range lines {
				without := append(append([]string{}, lines[:i]...), lines[i+1:]...)
				for what, bad := range map[string][]string{
					"missing": without, "doubled": append([]string{l}, lines...), "changed": append([]string{strings.Replace(l, "1", "2", 1) + " "}, without...),
				} {
					if what == "changed" && !strings.Contains(l, "1") {
						continue
					}
					put(t, dir, file, bad...)
					if c.check(seen(t, dir)).fault() == nil {
						t.Errorf("%s: in %s, the line %s is %s, and that is not found", name, file, l, what)
					}
				}
			}
			put(t, dir, file, lines...)
		}
	}
}

// TestMoment: half of a transfer is found, wherever the other half is not.
func TestMoment(t *testing.T) {
	base := t.TempDir()
	put(t, base, "out/entries/a1/x.json", `{"id":1,"account":"a100","delta":-5,"branch":"a1"}`)
	put(t, base, "out/entries/.gpflow-staged/s", `{"id":1,"account":"a200","delta":5,"branch":"a2"}`)
	half := pendingFile{"out/entries/.gpflow-staged/s", "out/entries/a2/x.json"}
	r := seen(t, filepath.Join(base, "out"))
	if err := (&bank{}).moment(r, []pendingFile{half}); err != nil {
		t.Errorf("both halves: %v", err)
	}
	if (&bank{}).moment(r, nil) == nil {
		t.Error("half of a transfer is committed, and that is not found")
	}
	if (&bank{}).moment(r, []pendingFile{half, half}) == nil {
		t.Error("a leg is there twice, and that is not found")
	}
	if (&bank{}).moment(r, []pendingFile{{"out/gone", "out/gone.json"}}) == nil {
		t.Error("what is to be committed is gone, and that is not found")
	}
}

// TestInputs: a workload makes the same input of the same seed.
func TestInputs(t *testing.T) {
	for _, w := range workloads() {
		var texts [2]string
		for i := range texts {
			dir := t.TempDir()
			j, err := w.make(dir, rand.New(rand.NewPCG(1, 2)))
			if err != nil {
				t.Fatal(err)
			}
			texts[i] = j.spec(pace)
			if first, err := os.ReadFile(inputFile(dir, 0)); err == nil {
				texts[i] += string(first)
			}
		}
		if texts[0] != texts[1] || texts[0] == "" {
			t.Errorf("%s differs from itself", w.name)
		}
	}
}
