package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/diag/pages"
)

// TestPages compiles the examples of the explanations: what is broken has the
// diagnostic that is explained and no other, and what is repaired has none.
func TestPages(t *testing.T) {
	r, err := gpflow.NewRegistry(append(operators.Builtin(), plugin())...)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range pages.Codes() {
		t.Run(code, func(t *testing.T) {
			p, err := pages.Find(code)
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(example(t, r, p.Broken)); !slices.Equal(got, []string{code}) {
				t.Errorf("the broken example has %v", got)
			}
			if list := example(t, r, p.Repaired); len(list) > 0 {
				t.Errorf("the repaired example has %+v", list)
			}
		})
	}
}

// plugin is a sink with an attribute that is to be replaced, as those that come
// with gpflow have none.
func plugin() *gpflow.Descriptor {
	return &gpflow.Descriptor{
		Block: "sink", Kind: "plugin",
		Fields: []gpflow.Field{
			{Name: "file", Kind: gpflow.FieldString, Deprecated: "write path instead"},
			{Name: "path", Kind: gpflow.FieldString},
		},
		Infer:   func(*gpflow.Inference) gpflow.Inferred { return gpflow.Inferred{} },
		NewSink: func(*gpflow.SinkContext) (gpflow.Sink, error) { return nil, nil },
	}
}

func codes(list diag.List) []string {
	var out []string
	for _, d := range list {
		out = append(out, d.Code)
	}
	return out
}

// example does what an example says, in a directory of its own, and returns the
// diagnostics.
func example(t *testing.T, r *gpflow.Registry, text string) diag.List {
	t.Helper()
	if !strings.HasPrefix(text, "$ ") {
		text = "$ gpflow validate pipeline.hcl\n-- pipeline.hcl --\n" + text
	}
	t.Chdir(t.TempDir())
	archive := txtar.Parse([]byte(text))
	for _, f := range archive.Files {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, f.Name, f.Data)
	}
	var list diag.List
	for _, line := range strings.Split(strings.TrimSpace(string(archive.Comment)), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 7 && strings.HasPrefix(line, "$ iconv -t UTF-16 "):
			src, err := os.ReadFile(words[4])
			if err != nil {
				t.Fatal(err)
			}
			write(t, words[6], wide(src))
		case len(words) >= 4 && strings.HasPrefix(line, "$ gpflow validate "):
			var f specFlags
			if len(words) == 6 && words[4] == "--var" {
				f.vars = words[5:]
			} else if len(words) != 4 {
				t.Fatalf("the test does not know the options of %q", line)
			}
			_, _, found := f.compile(words[3], r)
			list = append(list, found...)
		default:
			t.Fatalf("the test does not know how to do %q", line)
		}
	}
	return list
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// wide returns UTF-8 text as UTF-16 with a byte order mark.
func wide(text []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(text))) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}
