package hclspec

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/spectest"
)

// every is a source with one field of every kind of plain value.
func every(t *testing.T) *gpflow.Registry {
	fields := []gpflow.Field{}
	for name, kind := range map[string]gpflow.FieldKind{
		"s": gpflow.FieldString, "i": gpflow.FieldInt, "f": gpflow.FieldFloat, "b": gpflow.FieldBool, "d": gpflow.FieldDuration,
		"z": gpflow.FieldSize, "l": gpflow.FieldList, "m": gpflow.FieldMap, "c": gpflow.FieldColumns, "o": gpflow.FieldColumn, "h": gpflow.FieldSchema,
	} {
		fields = append(fields, gpflow.Field{Name: name, Kind: kind})
	}
	r, err := gpflow.NewRegistry(&gpflow.Descriptor{
		Block: "source", Fields: fields,
		Infer:     func(*gpflow.Inference) gpflow.Inferred { return gpflow.Inferred{} },
		NewSource: func(*gpflow.SourceContext) (gpflow.Source, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestValues(t *testing.T) {
	r := every(t)
	for _, c := range []struct{ field, text, want string }{
		{"s", `"a${1 + 1}"`, `"a2"`},
		{"s", `5`, `"5"`},
		{"s", `true`, `"true"`},
		{"s", `null`, ""},
		{"s", `["a"]`, "GPF-0027"},
		{"s", `local.no`, "GPF-0031"},
		{"s", "<<-E\n  a\n   b\n  E", `"a\n b\n"`},
		{"o", `"user"`, `"user"`},
		{"i", `7`, `7`},
		{"i", `"7"`, `7`},
		{"i", `14 / 2`, `7`},
		{"i", `9223372036854775807`, `9223372036854775807`},
		{"i", `9223372036854775808`, "GPF-0027"},
		{"i", `1.5`, "GPF-0027"},
		{"i", `"x"`, "GPF-0027"},
		{"f", `1.5`, `1.5`},
		{"f", `1e400`, "GPF-0027"},
		{"b", `1 == 1`, `true`},
		{"b", `"false"`, `false`},
		{"b", `1`, "GPF-0027"},
		{"d", `"1h30m"`, `5400000000`},
		{"d", `"${2 * 3}s"`, `6000000`},
		{"d", `5`, "GPF-0027"},
		{"d", `["5s"]`, "GPF-0027"},
		{"d", `""`, "GPF-0027"},
		{"z", `"64MiB"`, `67108864`},
		{"z", `"1.5 KiB"`, `1536`},
		{"z", `"2MB"`, `2000000`},
		{"z", `100`, `100`},
		{"z", `"0.3B"`, "GPF-0027"},
		{"z", `-1`, "GPF-0027"},
		{"z", `"9999999999TiB"`, "GPF-0027"},
		{"z", `"MiB"`, "GPF-0027"},
		{"l", `["a", 1, true]`, `["a","1","true"]`},
		{"l", `concat(["a"], [for x in range(2) : upper("k${x}")])`, `["a","K0","K1"]`},
		{"l", `[]`, `[]`},
		{"l", `{ a = "b" }`, "GPF-0027"},
		{"l", `[null]`, "GPF-0027"},
		{"l", `[["a"]]`, "GPF-0027"},
		{"c", `"a"`, `["a"]`},
		{"l", `"a"`, `["a"]`},
		{"l", `5`, "GPF-0027"},
		{"m", `{ b = "x", "a" = 1, "${"c"}" = true }`, `[{"key":"b","value":"x"},{"key":"a","value":"1"},{"key":"c","value":"true"}]`},
		{"m", `merge({ b = "x" }, { a = "y" })`, `[{"key":"a","value":"y"},{"key":"b","value":"x"}]`},
		{"m", `{ a = null }`, "GPF-0024"},
		{"m", `{ a = ["x"] }`, "GPF-0027"},
		{"m", `merge({ a = ["x"] })`, "GPF-0027"},
		{"m", `merge({ a = null }, { b = "x" })`, "GPF-0027"},
		{"m", `["a"]`, "GPF-0027"},
		{"h", `{ a = optional(list(record({ x = int, y = timestamp("%Y") }))), "@b" = map(any) }`, `{"columns":[{"name":"a","type":"optional(list(record({x = int, y = timestamp(\"%Y\")})))"},{"name":"@b","type":"map(any)"}]}`},
		{"h", `{ a = optional({ b = bytes, c = duration }), d = decimal(5) }`, `{"columns":[{"name":"a.b","type":"optional(bytes)"},{"name":"a.c","type":"optional(duration)"},{"name":"d","type":"decimal(5, 0)"}]}`},
		{"h", `{}`, "GPF-0035"},
		{"h", `schema.x.y`, "GPF-0027"},
	} {
		src := fmt.Sprintf("pipeline \"p\" {}\nsource \"a\" {\n  %s = %s\n}\n", c.field, c.text)
		p, ds := Parse("t", []byte(src), Options{Registry: r})
		spectest.CheckWords(t, ds)
		if strings.HasPrefix(c.want, "GPF-") {
			if len(ds) != 1 || ds[0].Code != c.want || len(p.Nodes[0].Wrong) != 1 || ds[0].Range.Start.Line != 3 {
				t.Errorf("%s = %s: want %s:\n%s", c.field, c.text, c.want, spectest.Show(ds, nil))
			}
			continue
		}
		got := ""
		if v := p.Nodes[0].Config.Get(c.field); v != nil {
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			got = string(raw)
		}
		if got != c.want || len(ds) > 0 || len(p.Nodes[0].Wrong) > 0 {
			t.Errorf("%s = %s: got %s, want %s\n%s", c.field, c.text, got, c.want, spectest.Show(ds, nil))
		}
	}
}

func TestConstants(t *testing.T) {
	for text, want := range map[string]string{
		`5`:                            `int 5`,
		`5.5`:                          `float 5.5`,
		`"x"`:                          `string "x"`,
		`1e30`:                         `float 1e+30`,
		`true`:                         `bool true`,
		`[1, 2]`:                       `list(int) [1,2]`,
		`[1, 2.5]`:                     `list(float) [1,2.5]`,
		`[1, null]`:                    `list(optional(int)) [1,null]`,
		`[1, "x"]`:                     `list(any) [1,"x"]`,
		`[]`:                           `list(any) []`,
		`[[1], [2.5]]`:                 `list(any) [[1],[2.5]]`,
		`[{ a = 1 }, { a = 2 }]`:       `list(map(int)) [{"a":1},{"a":2}]`,
		`tomap({ b = 1, a = 2 })`:      `map(int) {"a":2,"b":1}`,
		`tomap({ b = "x", a = "y" })`:  `map(string) {"a":"y","b":"x"}`,
		`null`:                         `optional(any) null`,
		`[for x in ["a"] : upper(x)]`:  `list(string) ["A"]`,
		`split(",", "a,b")`:            `list(string) ["a","b"]`,
		`{ a = { b = [true] } }.a.b`:   `list(bool) [true]`,
		`jsondecode("[1, {\"a\":2}]")`: `list(any) [1,{"a":2}]`,
	} {
		p, ds := Parse("t", []byte("pipeline \"p\" {}\nlocals {\n  x = "+text+"\n}\n"), Options{Registry: spectest.Registry(t)})
		if len(ds) > 0 {
			t.Errorf("%s: %s", text, spectest.Show(ds, nil))
			continue
		}
		c := p.Constants["local.x"]
		v, err := gpflow.AppendJSON(nil, c.Value)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Type.String() + " " + string(v); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// The types of variables that are wrong are named, each once.
func TestVariableTypes(t *testing.T) {
	for text, good := range map[string]bool{
		"string": true, "number": true, "int": true, "float": true, "bool": true, "any": true, "list(int)": true, "map(list(string))": true,
		"object({ a = int, b = optional(list(string)) })": true, "{ a = int }": true,
		"list": false, "list(int, int)": false, "list(in)": false, "object(int)": false, "object({ a = in })": false, "timestamp": false,
		"object({ a = int, a = int })": false, `object({ "a b" = int })`: false, "5": false, "optional(int)": false, "var.x": false, "set(string)": false,
	} {
		_, ds := Parse("t", []byte("pipeline \"p\" {}\nvariable \"x\" {\n  type = "+text+"\n  default = null\n}\n"), Options{Registry: spectest.Registry(t)})
		spectest.CheckWords(t, ds)
		if good != (len(ds) == 0) || !good && (len(ds) != 1 || ds[0].Code != diag.CodeType && ds[0].Code != diag.CodeDuplicate) {
			t.Errorf("%s:\n%s", text, spectest.Show(ds, nil))
		}
	}
}
