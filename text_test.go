package gpflow_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
	"pgregory.net/rapid"
)

func TestAppendQuotedReadsAsTheString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		text := gpflow.AppendQuoted([]byte("x"), s)
		theirs, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var got, want string
		if err := json.Unmarshal(text[1:], &got); err != nil {
			t.Fatalf("%s is not JSON: %v", text[1:], err)
		}
		if err := json.Unmarshal(theirs, &want); err != nil || got != want {
			t.Fatalf("%q is written as %s, which reads %q, not %q", s, text[1:], got, want)
		}
	})
}

// plainJSON returns what encoding/json makes of v's content.
func plainJSON(v gpflow.Value) any {
	switch v.Kind() {
	case gpflow.KindBool:
		return v.Bool()
	case gpflow.KindInt:
		return v.Int()
	case gpflow.KindFloat:
		return v.Float()
	case gpflow.KindString:
		return v.Str()
	case gpflow.KindBytes:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	case gpflow.KindTimestamp:
		return time.UnixMicro(int64(v.Time())).UTC().Format(time.RFC3339Nano)
	case gpflow.KindDuration:
		return v.Span().String()
	case gpflow.KindList:
		list := []any{}
		for _, e := range v.List() {
			list = append(list, plainJSON(e))
		}
		return list
	case gpflow.KindMap:
		m := map[string]any{}
		for _, e := range v.Map() {
			m[e.Key] = plainJSON(e.Value)
		}
		return m
	}
	return nil
}

// canonicalJSON reads JSON text and writes it again, numbers as they stand.
func canonicalJSON(t *rapid.T, text []byte) string {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		t.Fatalf("%s is not a JSON value: %v", text, err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestAppendJSONIsWhatEncodingJSONWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(3).Draw(t, "value")
		text, err := gpflow.AppendJSON([]byte("before"), v)
		theirs, theirErr := json.Marshal(plainJSON(v))
		if (err != nil) != (theirErr != nil) {
			t.Fatalf("ours says %v, theirs %v", err, theirErr)
		}
		if err != nil {
			if string(text) != "before" {
				t.Fatalf("a value that failed left %q", text)
			}
			return
		}
		if got, want := canonicalJSON(t, text[len("before"):]), canonicalJSON(t, theirs); got != want {
			t.Fatalf("%s\nwant %s", got, want)
		}
	})
}

func TestAppendJSONFloats(t *testing.T) {
	for _, f := range []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 1e6, 123456789, 1e15, 1e15 - 1, 1e15 + 2, 1e20, 1e21, -1e21, 1e22, 1e-6, 1e-7, 9.5e-7,
		1e-10, 1e100, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Pi, 1 << 53, 1<<53 + 2,
	} {
		got, err := gpflow.AppendJSON(nil, gpflow.Float(f))
		want, _ := json.Marshal(f)
		if err != nil || string(got) != string(want) {
			t.Errorf("%g is written as %s (%v), want %s", f, got, err, want)
		}
	}
}

func TestRowJSON(t *testing.T) {
	typ := gpflow.T(gpflow.KindAny)
	s := gpflow.NewSchema(
		gpflow.Column{Name: "a", Type: typ},
		gpflow.Column{Name: "b.c", Type: typ},
		gpflow.Column{Name: "b.d.e", Type: typ},
		gpflow.Column{Name: "b.d.f", Type: typ},
		gpflow.Column{Name: "b.g", Type: typ},
		gpflow.Column{Name: "h.i", Type: typ},
		gpflow.Column{Name: "j", Type: typ},
	)
	row := []gpflow.Value{
		gpflow.Int(1), gpflow.String("x\n"), gpflow.Null, gpflow.Bool(true), gpflow.Float(math.NaN()),
		gpflow.List([]gpflow.Value{gpflow.Float(1.5), gpflow.Float(math.Inf(-1))}), gpflow.Span(90 * gpflow.Minute),
	}
	want := `{"a":1,"b":{"c":"x\n","d":{"e":null,"f":true},"g":"NaN"},"h":{"i":[1.5,"-Inf"]},"j":"1h30m"}`
	if got := string(gpflow.RowJSON(nil, s, row)); got != want || !json.Valid([]byte(got)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(gpflow.RowJSON(nil, gpflow.NewSchema(), nil)); got != "{}" {
		t.Errorf("a row of nothing is %s", got)
	}
	if got := gpflow.RowJSON(nil, s, make([]gpflow.Value, 7)); !json.Valid(got) {
		t.Errorf("a row of nulls is %s", got)
	}
}

// TestRowJSONIsAlwaysJSON over records of any nesting.
func TestRowJSONIsAlwaysJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := gpflow.NewSchema(columns(t, 3)...)
		row := make([]gpflow.Value, s.Width())
		for i := range row {
			row[i] = anyValue(2).Draw(t, "slot")
		}
		if text := gpflow.RowJSON(nil, s, row); !json.Valid(text) {
			t.Fatalf("%s: %s is not JSON", s, text)
		}
	})
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Durations of up to 146,000 years can be read.
		d := gpflow.Duration(rapid.OneOf(
			rapid.Int64Range(-1<<62+1e9, 1<<62-1e9), rapid.Int64Range(-1e12, 1e12),
		).Draw(t, "d"))
		got, err := gpflow.ParseDuration(d.String())
		if err != nil || got != d {
			t.Fatalf("%d is written as %s, which reads as %d, %v", d, d, got, err)
		}
	})
}

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]gpflow.Duration{
		"0s": 0, "90s": 90 * gpflow.Second, "1h30m": 90 * gpflow.Minute, "1.5s": 1500 * gpflow.Millisecond, "7d": 7 * gpflow.Day,
		"-2h": -2 * gpflow.Hour, "+2h": 2 * gpflow.Hour, "250ms": 250 * gpflow.Millisecond, "5us": 5, "5µs": 5, ".5m": 30 * gpflow.Second,
		"9007199254740993us": 9007199254740993,
	} {
		if got, err := gpflow.ParseDuration(s); err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", "-", "5", "s", "5x", "1h-30m", "1..5s", "1e3s", " 1s", "1s ", "1 s", "--1s", "1S", "292471209d", "9223372036854775807d",
		"99999999999999999999s", "-99999999999999999999s", ".s",
	} {
		if got, err := gpflow.ParseDuration(s); err == nil {
			t.Errorf("%q is read as %d", s, got)
		}
	}
}

func TestTimestampString(t *testing.T) {
	for at, want := range map[gpflow.Timestamp]string{
		0:                   "1970-01-01T00:00:00Z",
		978310020000000:     "2001-01-01T00:47:00Z",
		978310020120000:     "2001-01-01T00:47:00.12Z",
		-1:                  "1969-12-31T23:59:59.999999Z",
		gpflow.MinTimestamp: "-infinity",
		gpflow.MaxTimestamp: "+infinity",
	} {
		if got := at.String(); got != want {
			t.Errorf("%d is written as %s, want %s", int64(at), got, want)
		}
	}
}
