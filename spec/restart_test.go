package spec_test

import (
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/load"
)

// TestRestart: what the block says, in both languages, and what holds without
// one.
func TestRestart(t *testing.T) {
	registry, err := gpflow.NewRegistry(operators.Builtin()...)
	if err != nil {
		t.Fatal(err)
	}
	minutes := func(n gpflow.Duration) gpflow.Duration { return n * 60 * gpflow.Second }
	const ends, endless = "count = 5", "# no count"
	hcl := func(block, count string) (string, string) {
		return "p.hcl", "pipeline \"p\" {\n" + block + "\n}\nsource \"generate\" \"g\" {\n" + count + "\nfields = { n = \"i\" }\n}\nsink \"blackhole\" \"out\" { from = source.g }\n"
	}
	yaml := func(block, count string) (string, string) {
		return "p.yaml", "pipeline:\n  p:\n    " + block + "\nsource:\n  generate:\n    g:\n      " + count + "\n      fields: { n: i }\nsink:\n  blackhole:\n    out:\n      from: source.g\n"
	}
	for _, c := range []struct {
		hcl, yaml string
		bounded   bool
		want      spec.Restart
	}{
		{"", "parallelism: 1", false, spec.Restart{Attempts: 10, Within: minutes(10)}},
		{"", "parallelism: 1", true, spec.Restart{Attempts: 0, Within: minutes(10)}},
		{"restart {}", "restart: {}", true, spec.Restart{Attempts: 10, Within: minutes(10)}},
		{"restart { attempts = 0 }", "restart: { attempts: 0 }", false, spec.Restart{Attempts: 0, Within: minutes(10)}},
		{"restart {\nattempts = 3\nwithin = \"1h\"\n}", "restart: { attempts: 3, within: 1h }", true, spec.Restart{Attempts: 3, Within: minutes(60)}},
	} {
		for language, source := range map[string]func(string, string) (string, string){c.hcl: hcl, c.yaml: yaml} {
			count := endless
			if c.bounded {
				count = ends
			}
			name, text := source(language, count)
			if c.bounded && name == "p.yaml" {
				name, text = source(language, "count: 5")
			}
			p, list := load.Parse(name, []byte(text), load.Options{Registry: registry})
			if p == nil || p.Failed {
				t.Fatalf("%s: %v\n%s", name, list, text)
			}
			if got := p.Restart(); got != c.want {
				t.Errorf("%s %q, bounded: %t: %+v, and should be %+v", name, language, c.bounded, got, c.want)
			}
		}
	}
}
