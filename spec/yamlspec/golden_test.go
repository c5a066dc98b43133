package yamlspec

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

	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/hclspec"
	"github.com/gpflow/gpflow/spec/spectest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var wanted = regexp.MustCompile(`# want(-first|-next)? ((?:GPF-\d{4} ?)+)`)

// wants returns the diagnostics that a specification asks for.
func wants(src string) (out []string) {
	for i, line := range strings.Split(src, "\n") {
		for _, m := range wanted.FindAllStringSubmatch(line, -1) {
			at := map[string]int{"": i + 1, "-first": 1, "-next": i + 2}[m[1]]
			for _, code := range strings.Fields(m[2]) {
				out = append(out, fmt.Sprintf("%d %s", at, code))
			}
		}
	}
	slices.Sort(out)
	return out
}

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
			src += "pipeline: { p: {} }\n"
		}
		name := f.Name + ".gp.yaml"
		_, ds := Parse(name, []byte(src), Options{Registry: spectest.Registry(t)})
		text := spectest.Show(ds, map[string][]byte{name: []byte(src)})
		var got []string
		for _, d := range ds {
			got = append(got, fmt.Sprintf("%d %s", d.Range.Start.Line, d.Code))
		}
		slices.Sort(got)
		if want := wants(src); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v\n%s", f.Name, got, want, text)
		}
		fmt.Fprintf(&all, "==== %s\n%s", f.Name, text)
		spectest.CheckWords(t, ds)
	}
	const golden = "testdata/broken.golden"
	if *update {
		if err := os.WriteFile(golden, all.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(all.Bytes(), want) {
		t.Errorf("%s differs from what is printed now; see the difference after go test -update (%v)", golden, err)
	}
}

// What is said of a mistake is the same in HCL. Where the corpus of HCL has
// more mistakes in a section, which YAML has not, those do not count.
func TestSameWords(t *testing.T) {
	ours, theirs := sections(t, "testdata/broken.txtar"), sections(t, "../hclspec/testdata/broken.txtar")
	both := 0
	for name, src := range ours {
		other, ok := theirs[name]
		if !ok {
			continue
		}
		both++
		if !strings.Contains(src, "pipelin") {
			src += "pipeline: { p: {} }\n"
		}
		if !strings.Contains(other, "pipelin") {
			other += "pipeline \"p\" {}\n"
		}
		_, ds := Parse("t", []byte(src), Options{Registry: spectest.Registry(t)})
		_, hcl := hclspec.Parse("t", []byte(other), hclspec.Options{Registry: spectest.Registry(t)})
		said := summaries(hcl)
		for _, s := range summaries(ds) {
			if !slices.Contains(said, s) {
				t.Errorf("%s: only in YAML: %s\nin HCL: %s", name, s, strings.Join(said, "\n"))
			}
		}
	}
	if both < 20 {
		t.Errorf("only %d sections are in both languages", both)
	}
}

func sections(t *testing.T, file string) map[string]string {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, f := range a.Files {
		out[f.Name] = string(f.Data)
	}
	return out
}

func summaries(ds diag.List) (out []string) {
	for _, d := range ds {
		out = append(out, d.Code+" "+d.Summary)
	}
	return out
}
