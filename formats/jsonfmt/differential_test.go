package jsonfmt_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/jsonfmt"
	"github.com/gpflow/gpflow/formats/jsonfmt/oracle"
)

var anyNames = []string{"a", "b", "née", "long_name_1", "q\"", ""}

// decoders returns one that reads every name as any, and one that reads none.
func decoders(t testing.TB) (all, none *jsonfmt.Decoder) {
	s := &gpflow.Schema{}
	for _, n := range anyNames {
		s.Columns = append(s.Columns, gpflow.Column{Name: n, Type: gpflow.T(gpflow.KindAny).Opt()})
	}
	all, err := jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: s})
	if err != nil {
		t.Fatal(err)
	}
	none, err = jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: &gpflow.Schema{}})
	if err != nil {
		t.Fatal(err)
	}
	return all, none
}

// plain returns v as the oracle gives it.
func plain(v gpflow.Value) any {
	switch v.Kind() {
	case gpflow.KindBool:
		return v.Bool()
	case gpflow.KindInt:
		return v.Int()
	case gpflow.KindFloat:
		return v.Float()
	case gpflow.KindString:
		return v.Str()
	case gpflow.KindList:
		out := []any{}
		for _, e := range v.List() {
			out = append(out, plain(e))
		}
		return out
	case gpflow.KindMap:
		out := map[string]any{}
		for _, e := range v.Map() {
			out[e.Key] = plain(e.Value)
		}
		return out
	}
	return nil
}

func same(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			w, ok := b[k]
			if !ok || !same(v, w) {
				return false
			}
		}
		return true
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	}
	return a == b
}

// compare checks what all and none make of line against the oracle.
func compare(t rapid.TB, all, none *jsonfmt.Decoder, line []byte) {
	t.Helper()
	valid := oracle.Valid(line, 64)
	errNone := none.Decode(line, nil)
	if (errNone == nil) != valid {
		t.Fatalf("%q: valid is %v, passing over it gave %v", line, valid, errNone)
	}
	row := make([]gpflow.Value, len(anyNames))
	err := all.Decode(line, row)
	if !valid {
		if err == nil {
			t.Fatalf("%q is not valid and was decoded", line)
		}
		if code := gpflow.ErrorCode(err); code != "decode" {
			t.Fatalf("the error's code is %q", code)
		}
		return
	}
	want, ok := oracle.Record(line)
	if !ok {
		if err != nil && !strings.Contains(err.Error(), "beyond the range of a float") {
			t.Fatalf("%q: %v", line, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("%q is valid and was refused: %v", line, err)
	}
	for i, n := range anyNames {
		if got := plain(row[i]); !same(got, want[n]) {
			t.Fatalf("%q: field %q is %#v, want %#v", line, n, got, want[n])
		}
	}
}

// jsonText draws JSON text as people and programs write it, and as nobody does.
type jsonText struct{ b []byte }

var numbers = []string{
	"0", "-0", "-0.0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
	"1e3", "1E+2", "1.0", "0.1", "1e-400", "1e400", "5e-324", "1.7976931348623157e308", "2.2250738585072014e-308",
	"123456789012345678901234567890", "0.1234567890123456789012345", "9007199254740993", "1e22", "1e23", "8.5e22",
	"7205759403792793200001e-5", "18446744073709551615", "18446744073709551616", "100000000000000000000e-20",
}

var pieces = []string{
	`a`, `é`, `日本`, `😀`, `\n`, `\"`, `\\`, `\/`, `\b\f\r\t`, `\u00e9`, `\uD83D\uDE00`, `\ud83d`, `\ude00`,
	`\ud83d\u0041`, `\u0000`, `plain ascii text of some length`, ` `, `{`, `]`, `,`, "\u2028", "\x7f",
}

func (j *jsonText) space(t *rapid.T) {
	j.b = append(j.b, rapid.SampledFrom([]string{"", "", "", " ", "\t", "\r", "\n", "  "}).Draw(t, "space")...)
}

func (j *jsonText) text(t *rapid.T) {
	j.b = append(j.b, '"')
	for range rapid.IntRange(0, 4).Draw(t, "pieces") {
		j.b = append(j.b, rapid.SampledFrom(pieces).Draw(t, "piece")...)
	}
	j.b = append(j.b, '"')
}

func (j *jsonText) object(t *rapid.T, depth int) {
	j.b = append(j.b, '{')
	j.space(t)
	n := rapid.IntRange(0, 4).Draw(t, "fields")
	for i := range n {
		if i > 0 {
			j.b = append(j.b, ',')
			j.space(t)
		}
		switch rapid.IntRange(0, 4).Draw(t, "name") {
		case 0:
			j.text(t)
		case 1:
			j.b = append(j.b, `"\u0061"`...)
		default:
			name, _ := json.Marshal(rapid.SampledFrom(anyNames).Draw(t, "known"))
			j.b = append(j.b, name...)
		}
		j.space(t)
		j.b = append(j.b, ':')
		j.space(t)
		j.value(t, depth)
		j.space(t)
	}
	j.b = append(j.b, '}')
}

func (j *jsonText) value(t *rapid.T, depth int) {
	most := 6
	if depth > 3 {
		most = 4
	}
	switch rapid.IntRange(0, most).Draw(t, "kind") {
	case 0:
		j.b = append(j.b, rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "literal")...)
	case 1:
		j.b = append(j.b, rapid.SampledFrom(numbers).Draw(t, "number")...)
	case 2:
		n, _ := json.Marshal(rapid.Float64().Draw(t, "float"))
		j.b = append(j.b, n...)
	case 3, 4:
		j.text(t)
	case 5:
		j.object(t, depth+1)
	case 6:
		j.b = append(j.b, '[')
		j.space(t)
		for i := range rapid.IntRange(0, 3).Draw(t, "elements") {
			if i > 0 {
				j.b = append(j.b, ',')
			}
			j.space(t)
			j.value(t, depth+1)
			j.space(t)
		}
		j.b = append(j.b, ']')
	}
}

// TestAgainstEncodingJSON compares what is accepted, and what it holds, with
// encoding/json: for well-formed lines, and for lines with damaged bytes.
func TestAgainstEncodingJSON(t *testing.T) {
	all, none := decoders(t)
	rapid.Check(t, func(t *rapid.T) {
		var j jsonText
		j.space(t)
		j.object(t, 0)
		j.space(t)
		compare(t, all, none, j.b)
		for range rapid.IntRange(0, 8).Draw(t, "damages") {
			line := append([]byte(nil), j.b...)
			at := rapid.IntRange(0, len(line)-1).Draw(t, "at")
			c := rapid.SampledFrom([]byte("{}[]:,\"\\ntfu0129eE+-. \x00\x1f\x80\xff\xc3\n")).Draw(t, "byte")
			switch rapid.IntRange(0, 3).Draw(t, "how") {
			case 0:
				line[at] = c
			case 1:
				line = append(line[:at], line[at+1:]...)
			case 2:
				line = append(line[:at], append([]byte{c}, line[at:]...)...)
			case 3:
				line = line[:at]
			}
			if len(line) > 0 {
				compare(t, all, none, line)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range append(numbers, `"x"`, `{}`, `[1,[2,{"b":null}]]`, `"\ud83d\ude00\u00e9"`, "\"\xff\"") {
		f.Add([]byte(`{"a":` + s + `,"x":` + s + `}`))
	}
	f.Add([]byte(`{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`))
	f.Add([]byte(`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`))
	f.Add([]byte(`{"n\u00e9e":1,"a":1,"a":{"a":2,"a":3}}`))
	all, none := decoders(f)
	f.Fuzz(func(t *testing.T, line []byte) {
		if len(line) > 0 {
			compare(t, all, none, line)
		}
	})
}
