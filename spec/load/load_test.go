package load

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/spectest"
)

// parse parses a text that has no mistakes.
func parse(t *testing.T, src string, o Options) *spec.Pipeline {
	t.Helper()
	o.Registry = spectest.Registry(t)
	p, ds := Parse("t.gp.hcl", []byte(src), o)
	if len(ds) > 0 {
		t.Fatal(spectest.Show(ds, map[string][]byte{"t.gp.hcl": []byte(src)}))
	}
	return p
}

// dir makes a directory of files.
func dir(t *testing.T, files map[string]string) string {
	t.Helper()
	d := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(d, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func codes(ds diag.List) (cs []string) {
	for _, d := range ds {
		cs = append(cs, d.Code)
	}
	return cs
}

func TestLoadDirectory(t *testing.T) {
	d := dir(t, map[string]string{
		"b.gp.hcl":     "filter \"f\" {\n  from = source.a\n  where = \"x > local.n\"\n}\n",
		"a.gp.hcl":     "pipeline \"p\" {}\r\nlocals {\r\n  n = var.n\r\n}\r\nsource \"file\" \"a\" {\r\n  path = \"x\"\r\n  schema = schema.s\r\n}\r\n",
		"c.gp.hcl":     "\xef\xbb\xbfvariable \"n\" {\n  default = 3\n}\nschema \"s\" {\n  x = int\n}\n",
		"other.hcl":    "nonsense",
		"pipeline.hcl": "nonsense",
	})
	p, ds := Load([]string{d, filepath.Join(d, "a.gp.hcl")}, Options{Registry: spectest.Registry(t)})
	if len(ds) > 0 {
		t.Fatal(spectest.Show(ds, nil))
	}
	var addresses []string
	for _, n := range p.Nodes {
		addresses = append(addresses, n.Address())
	}
	if !slices.Equal(addresses, []string{"source.a", "filter.f"}) || p.Constants["local.n"].Value.Int() != 3 {
		t.Errorf("nodes %v, constants %v", addresses, p.Constants)
	}
	if at := p.Node("filter.f").Place("where", 4, 11).String(); at != filepath.Join(d, "b.gp.hcl")+":3,16" {
		t.Error(at)
	}
	if at := p.ConstantRanges["var.n"].String(); at != filepath.Join(d, "c.gp.hcl")+":1,1" {
		t.Error(at)
	}
	d = dir(t, map[string]string{"pipeline.hcl": "pipeline \"q\" {}\n", "x.hcl": "nonsense"})
	if p, ds := Load([]string{d}, Options{Registry: spectest.Registry(t)}); len(ds) > 0 || p.Name != "q" {
		t.Error(spectest.Show(ds, nil))
	}
}

// The files of a directory are one pipeline, whatever their languages.
func TestLoadMixed(t *testing.T) {
	d := dir(t, map[string]string{
		"a.gp.yaml":     "pipeline: { p: { parallelism: \"${var.n}\" } }\r\nlocals: { n: \"${var.n}\" }\r\n",
		"b.gp.hcl":      "variable \"n\" {\n  default = 3\n}\nsource \"file\" \"a\" {\n  path = \"x\"\n  schema = schema.s\n}\n",
		"c.gp.yaml":     "\ufeffschema: { s: { x: int } }\nfilter:\n  f: { from: source.a, where: x > local.n }\n",
		"other.yaml":    "nonsense",
		"pipeline.yaml": "nonsense",
	})
	p, ds := Load([]string{d}, Options{Registry: spectest.Registry(t)})
	if len(ds) > 0 {
		t.Fatal(spectest.Show(ds, p.Sources))
	}
	if p.Name != "p" || p.Settings.Int("parallelism") != 3 || len(p.Nodes) != 2 || p.Node("filter.f").Inputs[0].Refs[0].Address != "source.a" {
		t.Errorf("%+v", p)
	}
	if at := p.Node("filter.f").Place("where", 4, 11).String(); at != filepath.Join(d, "c.gp.yaml")+":3,35" {
		t.Error(at)
	}
	d = dir(t, map[string]string{"pipeline.yaml": "pipeline: { q: {} }\n", "pipeline.hcl": "locals {\n  x = 1\n}\n", "x.yaml": "nonsense"})
	if p, ds := Load([]string{d}, Options{Registry: spectest.Registry(t)}); len(ds) > 0 || p.Name != "q" || p.Constants["local.x"].Value.Int() != 1 {
		t.Error(spectest.Show(ds, nil))
	}
	d = dir(t, map[string]string{"a.gp.yaml": "pipeline: {\n", "b.gp.hcl": "pipeline {\n"})
	p, ds = Load([]string{d}, Options{Registry: spectest.Registry(t)})
	if p != nil || len(ds) != 2 || len(Sources(ds)) != 2 {
		t.Errorf("mistakes in two languages are reported at once, and not\n%s", spectest.Show(ds, nil))
	}
}

func TestLoadUnreadable(t *testing.T) {
	d := dir(t, map[string]string{
		"good.gp.hcl": "pipeline \"p\" {}\n", "empty.gp.hcl": " \n", "latin.gp.hcl": "# caf\xe9\n", "wide.gp.hcl": "\xff\xfep\x00",
		"secret.gp.hcl": "x", "syntax.gp.hcl": "a = \n", "odd.gp.hcl": "a = \x00\n",
	})
	if err := os.Chmod(filepath.Join(d, "secret.gp.hcl"), 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(d, "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, code, says string }{
		{"god.gp.hcl", diag.CodeNoFile, "good.gp.hcl"},
		{"empty.gp.hcl", diag.CodeNothingToDo, "empty"},
		{"latin.gp.hcl", diag.CodeEncoding, "0xe9 at offset 5"},
		{"wide.gp.hcl", diag.CodeEncoding, "UTF-16"},
		{"none", diag.CodeNothingToDo, "pipeline.hcl"},
		{"secret.gp.hcl", diag.CodeNoFile, "permission"},
		{"good.gp.hcl/x", diag.CodeNoFile, "cannot be read"},
		{"syntax.gp.hcl", diag.CodeSyntax, "syntax.gp.hcl:1,5"},
		{"odd.gp.hcl", diag.CodeSyntax, ""},
	} {
		if c.file == "secret.gp.hcl" && os.Getuid() == 0 {
			continue // the superuser may read everything
		}
		p, ds := Load([]string{filepath.Join(d, c.file)}, Options{Registry: spectest.Registry(t)})
		if p != nil || len(ds) != 1 || ds[0].Code != c.code || !strings.Contains(spectest.Show(ds, nil), c.says) {
			t.Errorf("%s: pipeline %v, diagnostics\n%s", c.file, p, spectest.Show(ds, nil))
		}
		spectest.CheckWords(t, ds)
	}
	_, ds := Load([]string{d}, Options{Registry: spectest.Registry(t)})
	if len(ds) < 5 {
		t.Errorf("all the files are reported at once, and not\n%s", spectest.Show(ds, nil))
	}
	if _, ds := Load(nil, Options{Registry: spectest.Registry(t)}); len(ds) != 1 {
		t.Errorf("no paths:\n%s", spectest.Show(ds, nil))
	}
	if src := Sources(diag.List{{Range: diag.Range{File: filepath.Join(d, "syntax.gp.hcl")}}}); len(src) != 1 {
		t.Error("the source of a file with a syntax error is not found")
	}
}

const withVariables = `pipeline "p" {}
variable "n" {
  type    = int
  default = 1
}
variable "s" {
  default = "default"
}
variable "l" {
  type    = list(string)
  default = []
}
variable "o" {
  type    = object({ a = int, b = optional(string) })
  default = { a = 1 }
}
variable "f" {
  type    = float
  default = null
}
variable "m" {
  type    = map(number)
  default = {}
}
variable "any" {
  default = [1, "x"]
}
`

func TestPrecedence(t *testing.T) {
	d := dir(t, map[string]string{
		"a.gpvars": "n = 3\ns = \"file\"\nl = [\"x\", \"y\"]\n",
		"b.json":   `{"n": 4, "o": {"a": 7, "b": "z"}, "m": {"k": 1, "j": 2.5}}`,
	})
	a, b := filepath.Join(d, "a.gpvars"), filepath.Join(d, "b.json")
	env := []string{"GPFLOW_VAR_n=2", "GPFLOW_VAR_s=env", "GPFLOW_VAR_unknown=1", "HOME=/", "GPFLOW_VAR_l=[\"e\"]"}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, `n=1 s="default" l=[] a=1 b=null f=null m={} any=[1,"x"]`},
		{Options{Env: env}, `n=2 s="env" l=["e"] a=1 b=null f=null m={} any=[1,"x"]`},
		{Options{Env: env, VarFiles: []string{a}}, `n=3 s="file" l=["x","y"] a=1 b=null f=null m={} any=[1,"x"]`},
		{Options{Env: env, VarFiles: []string{a, b}}, `n=4 s="file" l=["x","y"] a=7 b="z" f=null m={"j":2.5,"k":1} any=[1,"x"]`},
		{
			Options{Env: env, VarFiles: []string{b, a}, Vars: []string{"n=5", "s=a=b", "n=6", "f=2", "o={a = 2}", `l=["é"]`, "any=true"}},
			`n=6 s="a=b" l=["é"] a=2 b=null f=2 m={"j":2.5,"k":1} any=true`,
		},
	} {
		p := parse(t, withVariables, c.o)
		var got []string
		for _, name := range []string{"n", "s", "l", "o.a", "o.b", "f", "m", "any"} {
			v, err := gpflow.AppendJSON(nil, p.Constants["var."+name].Value)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, name[strings.Index(name, ".")+1:]+"="+string(v))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("got  %s\nwant %s", s, c.want)
		}
		types := ""
		for _, name := range []string{"n", "f", "o.b", "m", "any", "l"} {
			types += p.Constants["var."+name].Type.String() + " "
		}
		if !strings.HasPrefix(types, "int ") || !strings.Contains(types, "float") {
			t.Error(types)
		}
	}
	p := parse(t, withVariables, Options{})
	for name, want := range map[string]string{
		"n": "int", "f": "optional(float)", "o.b": "optional(string)", "m": "map(float)", "any": "list(any)", "l": "list(string)",
	} {
		if got := p.Constants["var."+name].Type.String(); got != want {
			t.Errorf("%s has type %s, want %s", name, got, want)
		}
	}
}

func TestWrongValues(t *testing.T) {
	d := dir(t, map[string]string{
		"bad.gpvars":     "n = \"x\"\nl = [null]\nnn = 2\n",
		"syntax.gpvars":  "n = \n",
		"syntax.json":    "{\n  \"n\": }\n",
		"array.json":     "[1]",
		"variables.hcl":  "n = var.s\n",
		"blocks.gpvars":  "n = 2\nvariable \"x\" {}\n",
		"twice.gpvars":   "n = 2\nn = 3\n",
		"template.json":  `{"s": "${var.x}"}`,
		"fraction.json":  `{"o": {"a": 1.5}}`,
		"twice.json":     `{"n": 1, "n": 2}`,
		"fraction2.json": `{"o": {"b": 1}}`,
	})
	for _, c := range []struct {
		o    Options
		want string // codes
		says string
	}{
		{Options{Vars: []string{"n=abc"}}, diag.CodeVariableValue, "--var n=abc"},
		{Options{Vars: []string{"n=1.5"}}, diag.CodeVariableValue, "whole number"},
		{Options{Vars: []string{"l=[1"}}, diag.CodeVariableValue, "cannot be read"},
		{Options{Vars: []string{"m={x = \"a\"}"}}, diag.CodeVariableValue, "map of numbers"},
		{Options{Env: []string{"GPFLOW_VAR_n="}}, diag.CodeVariableValue, "GPFLOW_VAR_n in the environment"},
		{Options{Vars: []string{"nn=1"}}, diag.CodeUnknownVariable, `Did you mean "n"?`},
		{Options{Vars: []string{"xyz=1"}}, diag.CodeUnknownVariable, "The variables are any, f, l, m, n, o and s."},
		{Options{Vars: []string{"n", "=1"}}, diag.CodeVariableFlag + " " + diag.CodeVariableFlag, "--var name=value"},
		{Options{VarFiles: []string{"bad.gpvars"}}, diag.CodeVariableValue + " " + diag.CodeUnknownVariable, "bad.gpvars:1,5"},
		{Options{VarFiles: []string{"syntax.gpvars"}}, diag.CodeSyntax, "syntax.gpvars:1,5"},
		{Options{VarFiles: []string{"syntax.json"}}, diag.CodeSyntax, "syntax.json:2,8"},
		{Options{VarFiles: []string{"array.json"}}, diag.CodeSyntax, "not a JSON object"},
		{Options{VarFiles: []string{"variables.hcl"}}, diag.CodeEvaluate, "plain values"},
		{Options{VarFiles: []string{"blocks.gpvars"}}, diag.CodeBlockForm, "blocks.gpvars:2,1"},
		{Options{VarFiles: []string{"twice.gpvars"}}, diag.CodeDuplicate, "twice.gpvars:2,1"},
		{Options{VarFiles: []string{"twice.json"}}, diag.CodeDuplicate, "twice.json:1,10"},
		{Options{VarFiles: []string{"nope.gpvars"}}, diag.CodeNoFile, "nope.gpvars"},
		{Options{VarFiles: []string{"fraction.json"}}, diag.CodeVariableValue, "Its element a is 1.5."},
		{Options{VarFiles: []string{"fraction2.json"}}, diag.CodeVariableValue, "fraction2.json:1,7"},
	} {
		o := c.o
		o.Registry = spectest.Registry(t)
		o.VarFiles = nil
		for _, f := range c.o.VarFiles {
			o.VarFiles = append(o.VarFiles, filepath.Join(d, f))
		}
		_, ds := Parse("t.gp.hcl", []byte(withVariables), o)
		if got := strings.Join(codes(ds), " "); got != c.want || !strings.Contains(strings.Join(strings.Fields(spectest.Show(ds, nil)), " "), c.says) {
			t.Errorf("%v: got %s, want %s and %q\n%s", c.o, got, c.want, c.says, spectest.Show(ds, nil))
		}
		spectest.CheckWords(t, ds)
	}
	if p := parse(t, withVariables, Options{VarFiles: []string{filepath.Join(d, "template.json")}}); p.Constants["var.s"].Value.Str() != "${var.x}" {
		t.Error("text in JSON stands for itself")
	}
}

// The validation of a value that was given says who gave it.
func TestValidationNamesTheOrigin(t *testing.T) {
	src := "pipeline \"p\" {}\nvariable \"n\" {\n  default = 1\n  validation {\n    condition = var.n < 5\n    error_message = \"n is ${var.n}\"\n  }\n}\n"
	_, ds := Parse("t", []byte(src), Options{Registry: spectest.Registry(t), Vars: []string{"n=7"}})
	if text := spectest.Show(ds, nil); len(ds) != 1 || ds[0].Code != diag.CodeValidation || !strings.Contains(text, "n is 7") || !strings.Contains(text, "--var n=7") {
		t.Error(text)
	}
}

// Text that would take the parser down is refused, in both languages, and what
// people write is not.
func TestNesting(t *testing.T) {
	for _, open := range []string{"(", "[", "-", "!", "{a=", "1+", "1?1:", "f(", "\"${", "a[", "%{ if true }", "[for x in "} {
		for _, n := range []int{50, 1 << 13} {
			expr := strings.Repeat(open, n)
			want := "the text is nested too deeply"
			quoted := strings.HasPrefix(open, "%")
			if quoted {
				expr = "\"" + expr
			}
			_, hcl := Parse("a.hcl", []byte("pipeline \"p\" {}\nlocals {\n  a = "+expr+"\n}\n"), Options{Registry: spectest.Registry(t)})
			if !quoted {
				expr = "${" + expr
			}
			_, yaml := Parse("a.yaml", []byte("pipeline: {p: {}}\nlocals:\n  a: |\n    "+expr+"\n"), Options{Registry: spectest.Registry(t)})
			for _, ds := range []diag.List{hcl, yaml} {
				deep := len(ds) == 1 && ds[0].Code == diag.CodeTooBig && strings.EqualFold(ds[0].Summary, want)
				if len(ds) == 0 || deep != (n > 50) {
					t.Errorf("%d times %q:\n%.1000s", n, open, spectest.Show(ds, nil))
				}
			}
		}
	}
	if _, ds := Parse("a.hcl", []byte("pipeline \"p\" {}\nlocals {\n  a = "+strings.Repeat("(", 1<<20)), Options{Registry: spectest.Registry(t)}); len(ds) != 1 || ds[0].Code != diag.CodeTooBig {
		t.Errorf("%.1000s", spectest.Show(ds, nil))
	}
	long := "[" + strings.Repeat("\"${1 + 2 * 3}\", ", 5000) + "]"
	if _, ds := Parse("a.hcl", []byte("pipeline \"p\" {}\nlocals {\n  a = "+long+"\n}\n"), Options{Registry: spectest.Registry(t)}); len(ds) > 0 {
		t.Error(spectest.Show(ds, nil))
	}
	_, ds := Parse("t.gp.hcl", []byte(withVariables), Options{Registry: spectest.Registry(t), Vars: []string{"l=" + strings.Repeat("[", 1<<20)}})
	if len(ds) != 1 || ds[0].Code != diag.CodeVariableValue {
		t.Errorf("%.1000s", spectest.Show(ds, nil))
	}
}
