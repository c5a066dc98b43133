package spec_test

import (
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/load"
)

// checkpoint parses a pipeline with a field of its checkpoint block in HCL, and
// in YAML.
func checkpoint(t *testing.T, field string, each func(p *spec.Pipeline, said string)) {
	t.Helper()
	registry, err := gpflow.NewRegistry(operators.Builtin()...)
	if err != nil {
		t.Fatal(err)
	}
	name, value, _ := strings.Cut(field, " = ")
	for file, text := range map[string]string{
		"p.hcl":  "pipeline \"p\" {\ncheckpoint {\n" + field + "\n}\n}\nsource \"generate\" \"g\" {\nfields = { n = \"i\" }\n}\nsink \"blackhole\" \"out\" { from = source.g }\n",
		"p.yaml": "pipeline:\n  p:\n    checkpoint:\n      " + name + ": " + value + "\nsource:\n  generate:\n    g:\n      fields: { n: i }\nsink:\n  blackhole:\n    out:\n      from: source.g\n",
	} {
		p, list := load.Parse(file, []byte(text), load.Options{Registry: registry})
		if p == nil {
			t.Fatalf("%s: %v", file, list)
		}
		var said strings.Builder
		for _, d := range list {
			if d.Range.Start.Line != 3 && d.Range.Start.Line != 4 {
				t.Errorf("%s: %s: the place is %v", file, field, d.Range)
			}
			said.WriteString(d.Summary + ": " + d.Detail)
		}
		each(p, said.String())
	}
}

// TestCheckpointRefused: values of the checkpoint block that would mean nothing
// are mistakes, at their places in the text.
func TestCheckpointRefused(t *testing.T) {
	for field, want := range map[string]string{
		`every = "-1s"`:               "from 0s on",
		`timeout = "-1s"`:             "from 0s on",
		`min_pause = "-1ms"`:          "from 0s on",
		`storage = ""`:                `"file:PATH"`,
		`storage = "s3://bucket/a"`:   "nowhere else",
		`storage = "/var/lib"`:        `"file:PATH"`,
		`storage = "file:"`:           "names no directory",
		`storage = "file://"`:         "names no directory",
		`storage = "file:a\u0000b"`:   "has a NUL character",
		`storage = "file://backup/a"`: `write "file:backup/a", or "file:///backup/a"`,
	} {
		checkpoint(t, field, func(p *spec.Pipeline, said string) {
			if !p.Failed || !strings.Contains(said, want) {
				t.Errorf("%s: said %q, which should have %q", field, said, want)
			}
		})
	}
}

// TestCheckpointDirectory: the ways to write a directory.
func TestCheckpointDirectory(t *testing.T) {
	for field, want := range map[string]string{
		`every = "0s"`:                "",
		`storage = null`:              "",
		`storage = "file:a/b"`:        "a/b",
		`storage = "file:/var/a"`:     "/var/a",
		`storage = "file:///var/a"`:   "/var/a",
		`storage = "file:../with sp"`: "../with sp",
	} {
		checkpoint(t, field, func(p *spec.Pipeline, said string) {
			if got := p.Checkpoints().Directory; p.Failed || got != want {
				t.Errorf("%s: the directory is %q, and should be %q; said %q", field, got, want, said)
			}
		})
	}
}
