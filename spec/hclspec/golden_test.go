package hclspec

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/gpflow/gpflow/spec/spectest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var (
	wantHere  = regexp.MustCompile(`# want ((?:GPF-\d{4} ?)+)`)
	wantFirst = regexp.MustCompile(`# want-first ((?:GPF-\d{4} ?)+)`)
)

// Every mistake gives exactly the diagnostics that its line asks for, and the
// text of them is the one that was read and found good.
func TestBroken(t *testing.T) {
	a, err := txtar.ParseFile("testdata/broken.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, f := range a.Files {
		src := string(f.Data)
		if !strings.Contains(src, "pipelin") {
			src += "pipeline \"p\" {}\n"
		}
		name := f.Name + ".gp.hcl"
		var want []string
		for i, line := range strings.Split(src, "\n") {
			for at, re := range []*regexp.Regexp{wantHere, wantFirst} {
				if m := re.FindStringSubmatch(line); m != nil {
					for _, code := range strings.Fields(m[1]) {
						want = append(want, fmt.Sprintf("%d %s", []int{i + 1, 1}[at], code))
					}
				}
			}
		}
		_, ds := Parse(name, []byte(src), Options{Registry: spectest.Registry(t)})
		text := spectest.Show(ds, map[string][]byte{name: []byte(src)})
		var got []string
		for _, d := range ds {
			got = append(got, fmt.Sprintf("%d %s", d.Range.Start.Line, d.Code))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v\n%s", f.Name, got, want, text)
		}
		fmt.Fprintf(&all, "==== %s\n%s", f.Name, text)
		spectest.CheckWords(t, ds)
	}
	golden(t, "testdata/broken.golden", all.Bytes())
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what is printed now; see the difference after go test -update", file)
	}
}
