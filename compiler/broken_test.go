package compiler_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/hclspec"
)

// wanted is what stands at the end of a line of a broken specification.
var wanted = regexp.MustCompile(`(?:#|//) want ((?:GPF-\d{4} ?)+)`)

// foreign are words of libraries and of Go, which mean nothing to the authors
// of pipelines.
var foreign = regexp.MustCompile(`(?i:\b(cty|traversal|tuple|primitive|hcl\.|int64|float64|interface|struct|gpflow\.|expr-lang|reflect|runtime|dynamic|strconv|bug)\b)|%!|\bKind[A-Z]|\b[A-Z][a-z]+\("`)

// broken is a specification with mistakes.
type broken struct {
	name, text string
	want       []string // "3 GPF-0023", sorted
}

// corpus returns the specifications of testdata/broken that are in HCL.
func corpus(t *testing.T) []broken {
	t.Helper()
	archives, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var all []broken
	for _, name := range archives {
		if strings.HasSuffix(name, ".yaml.txtar") {
			continue
		}
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		theme := strings.TrimSuffix(filepath.Base(name), ".txtar")
		common := archive.Files[len(archive.Files)-1]
		for _, f := range archive.Files[:len(archive.Files)-1] {
			b := broken{name: theme + "/" + f.Name, text: string(f.Data)}
			if !strings.Contains(b.text, "pipelin") {
				b.text += string(common.Data)
			}
			for i, line := range strings.Split(b.text, "\n") {
				if m := wanted.FindStringSubmatch(line); m != nil {
					for code := range strings.FieldsSeq(m[1]) {
						b.want = append(b.want, fmt.Sprintf("%d %s", i+1, code))
					}
				}
			}
			slices.Sort(b.want)
			all = append(all, b)
		}
	}
	return all
}

// diagnose compiles a specification, and returns what is said about it.
func diagnose(r *gpflow.Registry, name string, text []byte) (list diag.List, sources map[string][]byte) {
	p, list := hclspec.Parse(name, text, hclspec.Options{Registry: r})
	if p == nil {
		return list, map[string][]byte{name: text}
	}
	result, more := compiler.Compile(p, compiler.Options{})
	list = append(list, more...)
	list.Sort()
	if (result.Plan == nil) != list.HasErrors() {
		list = append(list, diag.Diagnostic{Summary: fmt.Sprintf("a plan: %v, errors: %v", result.Plan != nil, list.HasErrors())})
	}
	return list, p.Sources
}

func places(list diag.List) []string {
	var out []string
	for _, d := range list {
		out = append(out, fmt.Sprintf("%d %s", d.Range.Start.Line, d.Code))
	}
	slices.Sort(out)
	return out
}

func builtins(t testing.TB) *gpflow.Registry {
	t.Helper()
	r, err := gpflow.NewRegistry(operators.Builtin()...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBroken: each mistake gives the diagnostics that stand behind it and no
// others, also where the file has a byte order mark or the line ends of
// Windows; the texts are those in testdata/broken.txt, which have been read.
func TestBroken(t *testing.T) {
	r := builtins(t)
	cases := corpus(t)
	var texts bytes.Buffer
	for _, b := range cases {
		name := filepath.Base(b.name)
		list, sources := diagnose(r, name, []byte(b.text))
		var shown bytes.Buffer
		if err := diag.WriteText(&shown, list, sources, diag.TextOptions{Width: 100}); err != nil {
			t.Fatal(err)
		}
		if got := places(list); !slices.Equal(got, b.want) {
			t.Errorf("%s: got %v, want %v\n%s", b.name, got, b.want, shown.String())
		}
		fmt.Fprintf(&texts, "==== %s\n%s", b.name, shown.String())
		proper(t, b.name, list)
		for how, text := range map[string]string{
			"with a byte order mark": "\ufeff" + b.text, "with CRLF": strings.ReplaceAll(b.text, "\n", "\r\n"),
		} {
			if list, _ := diagnose(r, name, []byte(text)); !slices.Equal(places(list), b.want) {
				t.Errorf("%s %s: got %v, want %v", b.name, how, places(list), b.want)
			}
		}
	}
	t.Logf("%d broken specifications", len(cases))
	if len(cases) < 150 {
		t.Errorf("there are %d cases", len(cases))
	}
	same(t, "testdata/broken.txt", texts.Bytes())
}

// proper checks the form of diagnostics.
func proper(t *testing.T, name string, list diag.List) {
	t.Helper()
	for _, d := range list {
		if d.Code == "" || d.Summary == "" || strings.HasSuffix(d.Summary, ".") || strings.Contains(d.Summary, "\n") || d.Range.Start.Line == 0 {
			t.Errorf("%s: bad form: %+v", name, d)
		}
		if d.Detail == "" && d.Fix == "" {
			t.Errorf("%s: no way out of %q", name, d.Summary)
		}
		for _, s := range []string{d.Summary, d.Detail, d.Fix} {
			if w := foreign.FindString(s); w != "" {
				t.Errorf("%s: it speaks of %q: %s", name, w, s)
			}
		}
	}
}
