package compiler_test

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/input"
	"github.com/gpflow/gpflow/spec/yamlspec"
)

var (
	// wantedYAML is what stands at the end of a line of a broken
	// specification, or in the line before it.
	wantedYAML = regexp.MustCompile(`(?:#|//|/\*) want(-next)? ((?:GPF-\d{4} ?)+)`)

	// otherWords stands in a case of which something else is said than of the
	// mistake in HCL, with the reason.
	otherWords = regexp.MustCompile(`(?m)^\s*# other words: \S.+`)

	// noTwin stands in the comment of an archive for a case of HCL that does
	// not exist in YAML, with the reason.
	noTwin = regexp.MustCompile(`(?m)^- (\w+): \S.+`)
)

// brokenYAML are the specifications of one theme, an archive with a section
// NAME.yaml for each. A case and the section _common.yaml are two files of one
// pipeline, so that a case needs no more than what it is about; what has a
// pipeline block stands alone. The place of a diagnostic is said by # want
// GPF-nnnn at the end of the line, or by # want-next GPF-nnnn in the line before.
type brokenYAML struct {
	cases  []broken        // their names are without an ending
	common []byte          // the second file of those that have no pipeline block
	absent map[string]bool // cases of HCL without a twin
}

func themeYAML(t *testing.T, archive string) brokenYAML {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	theme := brokenYAML{absent: make(map[string]bool)}
	for _, m := range noTwin.FindAllSubmatch(a.Comment, -1) {
		theme.absent[string(m[1])] = true
	}
	for _, f := range a.Files {
		if f.Name == "_common.yaml" {
			theme.common = f.Data
			continue
		}
		b := broken{name: strings.TrimSuffix(f.Name, ".yaml"), text: string(f.Data)}
		for i, line := range strings.Split(b.text, "\n") {
			m := wantedYAML.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			at := i + 1
			if m[1] != "" {
				at++
			}
			for code := range strings.FieldsSeq(m[2]) {
				b.want = append(b.want, fmt.Sprintf("%d %s", at, code))
			}
		}
		slices.Sort(b.want)
		theme.cases = append(theme.cases, b)
	}
	return theme
}

// diagnoseYAML compiles the file with the text, together with the common one
// unless it has a pipeline block, and returns what is said.
func diagnoseYAML(r *gpflow.Registry, name, text string, common []byte) (list diag.List, sources map[string][]byte) {
	in := input.NewReader()
	in.Parse(name, []byte(text), yamlspec.File)
	if !strings.Contains(text, "pipelin") {
		in.Parse("common.yaml", common, yamlspec.File)
	}
	p, list := in.Build(input.Options{Registry: r})
	if p == nil {
		return list, in.Sources()
	}
	result, more := compiler.Compile(p, compiler.Options{})
	list = append(list, more...)
	list.Sort()
	if (result.Plan == nil) != list.HasErrors() {
		list = append(list, diag.Diagnostic{Summary: fmt.Sprintf("a plan: %v, errors: %v", result.Plan != nil, list.HasErrors())})
	}
	return list, in.Sources()
}

// said returns the codes and summaries of a list, sorted.
func said(list diag.List) []string {
	var out []string
	for _, d := range list {
		out = append(out, d.Code+" "+d.Summary)
	}
	slices.Sort(out)
	return out
}

// TestBrokenYAML: each mistake gives the diagnostics that stand behind it and
// no others, and they say what is said of the same mistake in HCL; the texts
// are those in testdata/broken, which have been read. Every case of HCL has its
// twin, or a reason why it has none.
func TestBrokenYAML(t *testing.T) {
	r := builtins(t)
	hcl := make(map[string]broken)
	for _, b := range corpus(t) {
		hcl[strings.TrimSuffix(b.name, ".hcl")] = b
	}
	themes := make(map[string]bool)
	for name := range hcl {
		theme, _, _ := strings.Cut(name, "/")
		themes[theme] = true
	}
	for _, theme := range slices.Sorted(maps.Keys(themes)) {
		archive := "testdata/broken/" + theme + ".yaml.txtar"
		t.Run(theme, func(t *testing.T) {
			y := themeYAML(t, archive)
			var texts bytes.Buffer
			there := make(map[string]bool)
			for _, b := range y.cases {
				if there[b.name] {
					t.Errorf("%s is there twice", b.name)
				}
				there[b.name] = true
				list := brokenCaseYAML(t, r, b, y.common, &texts)
				if twin, ok := hcl[theme+"/"+b.name]; ok {
					likeHCL(t, r, b, twin, list)
				}
			}
			for name := range hcl {
				if of, name, _ := strings.Cut(name, "/"); of == theme && there[name] == y.absent[name] {
					t.Errorf("%s: in YAML: %v, said to be absent: %v", name, there[name], y.absent[name])
				}
			}
			t.Logf("%d broken specifications", len(y.cases))
			same(t, strings.TrimSuffix(archive, "txtar")+"txt", texts.Bytes())
		})
	}
}

// brokenCaseYAML checks what is said of a case, and writes it to texts.
func brokenCaseYAML(t *testing.T, r *gpflow.Registry, b broken, common []byte, texts *bytes.Buffer) diag.List {
	t.Helper()
	name := b.name + ".yaml"
	list, sources := diagnoseYAML(r, name, b.text, common)
	var shown bytes.Buffer
	if err := diag.WriteText(&shown, list, sources, diag.TextOptions{Width: 100}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(texts, "==== %s\n%s", b.name, shown.String())
	if got := places(list); !slices.Equal(got, b.want) {
		t.Errorf("%s: got %v, want %v\n%s", b.name, got, b.want, shown.String())
	}
	for _, d := range list {
		if d.Range.File != name {
			t.Errorf("%s: a diagnostic in %q:\n%s", b.name, d.Range.File, shown.String())
		}
	}
	proper(t, b.name, list)
	for how, text := range map[string]string{
		"with a byte order mark": "\ufeff" + b.text, "with CRLF": strings.ReplaceAll(b.text, "\n", "\r\n"),
	} {
		if list, _ := diagnoseYAML(r, name, text, common); !slices.Equal(places(list), b.want) {
			t.Errorf("%s %s: got %v, want %v", b.name, how, places(list), b.want)
		}
	}
	return list
}

// likeHCL checks that a case in YAML is spoken of as its twin is, unless it
// says why not.
func likeHCL(t *testing.T, r *gpflow.Registry, b, twin broken, list diag.List) {
	t.Helper()
	other, _ := diagnose(r, "twin.hcl", []byte(twin.text))
	here, there := said(list), said(other)
	reason := otherWords.FindString(b.text)
	switch alike := slices.Equal(here, there); {
	case !alike && reason == "":
		t.Errorf("%s: in YAML it is said:\n%s\nand in HCL:\n%s", b.name, strings.Join(here, "\n"), strings.Join(there, "\n"))
	case alike && reason != "":
		t.Errorf("%s: the same is said in HCL, whatever %q", b.name, strings.TrimSpace(reason))
	}
}
