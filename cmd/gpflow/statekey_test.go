package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
)

func TestKeyFilter(t *testing.T) {
	of := func(k gpflow.Kind) *gpflow.Schema {
		return gpflow.NewSchema(gpflow.Column{Name: "user", Type: gpflow.T(k)})
	}
	one := of(gpflow.KindString)
	two := gpflow.NewSchema(gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)}, gpflow.Column{Name: "at", Type: gpflow.T(gpflow.KindTimestamp)})
	at := gpflow.Time(0)
	for _, c := range []struct {
		schema *gpflow.Schema
		wanted []string
		key    []gpflow.Value
		match  bool
	}{
		{one, nil, []gpflow.Value{gpflow.String("ann")}, true},
		{one, []string{"ann"}, []gpflow.Value{gpflow.String("ann")}, true},
		{one, []string{"user=ann"}, []gpflow.Value{gpflow.String("ann")}, true},
		{one, []string{"user=bob"}, []gpflow.Value{gpflow.String("ann")}, false},
		{one, []string{"a=b"}, []gpflow.Value{gpflow.String("a=b")}, true},
		{one, []string{"user=a=b"}, []gpflow.Value{gpflow.String("a=b")}, true},
		{one, []string{""}, []gpflow.Value{gpflow.String("")}, true},
		{of(gpflow.KindInt), []string{"5"}, []gpflow.Value{gpflow.Int(5)}, true},
		{of(gpflow.KindInt), []string{"5"}, []gpflow.Value{gpflow.Int(55)}, false},
		{of(gpflow.KindBool), []string{"true"}, []gpflow.Value{gpflow.Bool(true)}, true},
		{of(gpflow.KindTimestamp), []string{"1970-01-01T02:00:00+02:00"}, []gpflow.Value{at}, true},
		{one, []string{"null"}, []gpflow.Value{gpflow.Null}, true},
		{two, []string{"user=ann"}, []gpflow.Value{gpflow.String("ann"), at}, true},
		{two, []string{"at=1970-01-01T00:00:00Z"}, []gpflow.Value{gpflow.String("ann"), at}, true},
		{two, []string{"at=1970-01-01T00:00:00Z", "user=bob"}, []gpflow.Value{gpflow.String("ann"), at}, false},
	} {
		f, err := newKeyFilter(c.schema, c.wanted)
		if err != nil {
			t.Errorf("%q: %v", c.wanted, err)
			continue
		}
		if got := f.match(c.key); got != c.match {
			t.Errorf("%q for %v: %v", c.wanted, c.key, got)
		}
	}
	for k, text := range map[gpflow.Kind]string{
		gpflow.KindInt: "five", gpflow.KindBool: "yes", gpflow.KindTimestamp: "yesterday", gpflow.KindDuration: "5", gpflow.KindBytes: "?",
	} {
		if _, err := newKeyFilter(of(k), []string{text}); err == nil {
			t.Errorf("%q is taken for a value of kind %v", text, k)
		}
	}
	if _, err := newKeyFilter(nil, []string{"x"}); err == nil {
		t.Error("a key is looked for where there is none")
	}
}

// TestKeyCandidates: of what text means a key, the key is a candidate; and each
// candidate is meant.
func TestKeyCandidates(t *testing.T) {
	kinds := map[gpflow.Kind]*rapid.Generator[gpflow.Value]{
		gpflow.KindString:    rapid.Map(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{`"`, `a"b"`, `\`, `a\n`, "null", "5", ""})), gpflow.String),
		gpflow.KindInt:       rapid.Map(rapid.Int64(), gpflow.Int),
		gpflow.KindBool:      rapid.Map(rapid.Bool(), gpflow.Bool),
		gpflow.KindBytes:     rapid.Map(rapid.SliceOf(rapid.Byte()), gpflow.Bytes),
		gpflow.KindTimestamp: rapid.Map(rapid.Int64Range(-1<<50, 1<<50), func(n int64) gpflow.Value { return gpflow.Time(gpflow.Timestamp(n)) }),
		gpflow.KindDuration:  rapid.Map(rapid.Int64Range(-1<<50, 1<<50), func(n int64) gpflow.Value { return gpflow.Span(gpflow.Duration(n)) }),
	}
	rapid.Check(t, func(t *rapid.T) {
		schema := &gpflow.Schema{}
		var key []gpflow.Value
		var wanted []string
		for i := range rapid.IntRange(1, 3).Draw(t, "columns") {
			k := rapid.SampledFrom(slices.Sorted(maps.Keys(kinds))).Draw(t, "kind")
			v := gpflow.Null
			if rapid.IntRange(0, 9).Draw(t, "null") > 0 {
				v = kinds[k].Draw(t, "value")
			}
			text := string(valueJSON(nil, v))
			switch how := rapid.IntRange(0, 2).Draw(t, "how"); {
			case how == 0 && v.Kind() == gpflow.KindString:
				text = v.Str()
			case how == 1 && len(text) > 1 && text[0] == '"':
				text = text[1 : len(text)-1]
			}
			name := fmt.Sprintf("c%d", i)
			schema.Columns = append(schema.Columns, gpflow.Column{Name: name, Type: gpflow.T(k)})
			key, wanted = append(key, v), append(wanted, name+"="+text)
		}
		schema = gpflow.NewSchema(schema.Columns...)
		f, err := newKeyFilter(schema, wanted)
		if err != nil || !f.match(key) {
			t.Fatalf("%v is not found by %q: %v", key, wanted, err)
		}
		var canonical []byte
		for _, v := range key {
			canonical = gpflow.AppendKey(canonical, v)
		}
		keys, ok := f.candidates()
		if !ok || !slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, canonical) }) {
			t.Fatalf("%v is not among the %d candidates for %q", key, len(keys), wanted)
		}
		for _, k := range keys {
			vs, err := gpflow.DecodeKey(k, schema.Width())
			if err != nil || !f.match(vs) {
				t.Fatalf("%v is a candidate for %q: %v", vs, wanted, err)
			}
		}
		if part, _ := newKeyFilter(schema, wanted[:len(wanted)-1]); len(wanted) > 1 {
			if _, ok := part.candidates(); ok {
				t.Fatal("the candidates for a part of a key are known")
			}
		}
	})
}
