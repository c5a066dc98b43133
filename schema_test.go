package gpflow_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"pgregory.net/rapid"
)

// anyType draws a type of at most the given depth.
func anyType(depth int) *rapid.Generator[gpflow.Type] {
	return rapid.Custom(func(t *rapid.T) gpflow.Type {
		kinds := []gpflow.Kind{
			gpflow.KindBool, gpflow.KindInt, gpflow.KindFloat, gpflow.KindDecimal, gpflow.KindString,
			gpflow.KindBytes, gpflow.KindTimestamp, gpflow.KindDuration, gpflow.KindAny,
		}
		if depth > 0 {
			kinds = append(kinds, gpflow.KindList, gpflow.KindMap, gpflow.KindRecord)
		}
		typ := gpflow.T(rapid.SampledFrom(kinds).Draw(t, "kind"))
		switch typ.Kind {
		case gpflow.KindDecimal:
			typ.Precision = rapid.IntRange(1, 38).Draw(t, "precision")
			typ.Scale = rapid.IntRange(0, typ.Precision).Draw(t, "scale")
		case gpflow.KindTimestamp:
			typ.Layout = rapid.OneOf(
				rapid.SampledFrom([]string{"", "unix_ms", "%Y/%m/%d %H:%M", `a "quoted" \ one`}), rapid.String(),
			).Draw(t, "layout")
		case gpflow.KindList:
			typ = gpflow.ListOf(anyType(depth-1).Draw(t, "elem"))
		case gpflow.KindMap:
			typ = gpflow.MapOf(anyType(depth-1).Draw(t, "elem"))
		case gpflow.KindRecord:
			typ.Fields = columns(t, depth-1)
		}
		typ.Optional = rapid.Bool().Draw(t, "optional")
		return typ
	})
}

// columns draws up to four columns of distinct names.
func columns(t *rapid.T, depth int) []gpflow.Column {
	var cols []gpflow.Column
	names := rapid.OneOf(rapid.StringMatching(`[a-zA-Z_][a-zA-Z0-9_]{0,5}`), rapid.SampledFrom([]string{"user-id", "größe", "a b", `"`}))
	for _, name := range rapid.SliceOfNDistinct(names, 0, 4, rapid.ID).Draw(t, "names") {
		cols = append(cols, gpflow.Column{Name: name, Type: anyType(depth).Draw(t, "type")})
	}
	return cols
}

// sameLayouts reports whether types that are equal have equal layouts too.
func sameLayouts(a, b gpflow.Type) bool {
	if a.Layout != b.Layout {
		return false
	}
	if a.Elem != nil && !sameLayouts(*a.Elem, *b.Elem) {
		return false
	}
	for i := range a.Fields {
		if !sameLayouts(a.Fields[i].Type, b.Fields[i].Type) {
			return false
		}
	}
	return true
}

func TestTypeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := anyType(3).Draw(t, "type")
		got, err := gpflow.ParseType(typ.String())
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		if !got.Equal(typ) || !sameLayouts(got, typ) || got.String() != typ.String() {
			t.Fatalf("%s was read as %s", typ, got)
		}
	})
}

func TestParseTypeRefuses(t *testing.T) {
	for _, s := range []string{
		"", "integer", "int int", "list", "list()", "list(int", "optional", "map(int))", "decimal", "decimal(0)",
		"decimal(39)", "decimal(3, 4)", "timestamp(", "timestamp(x)", `timestamp("a"`, "record", "record()",
		"record({a})", "record({a = })", "record({a = int)", "record({= int})", "null",
	} {
		if typ, err := gpflow.ParseType(s); err == nil {
			t.Errorf("%q was read as %s", s, typ)
		} else if err.Error() == "" {
			t.Errorf("%q: an error without words", s)
		}
	}
}

func TestParseTypeNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{
			"int", "list", "map", "record", "optional", "timestamp", "decimal", "(", ")", "{", "}", "=", ",", " ", `"`, "x", "9",
		})).Draw(t, "parts")
		_, _ = gpflow.ParseType(strings.Join(parts, ""))
	})
}

func TestTypeEqualIgnoresLayoutOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyType(2).Draw(t, "a"), anyType(2).Draw(t, "b")
		if a.Equal(b) != b.Equal(a) {
			t.Fatalf("%s and %s: equal depends on the side", a, b)
		}
		a.Layout, b.Layout = "", "unix"
		if !a.Equal(a) || a.String() == b.String() && !a.Equal(b) {
			t.Fatalf("%s and %s are written alike but differ", a, b)
		}
	})
}

func TestSchemaRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := gpflow.NewSchema(columns(t, 2)...)
		s.Mode = rapid.SampledFrom([]gpflow.Mode{gpflow.Append, gpflow.Retract, gpflow.Upsert}).Draw(t, "mode")
		s.Timeless = rapid.Bool().Draw(t, "timeless")
		for _, c := range s.Columns {
			if rapid.Bool().Draw(t, "key") {
				s.Key = append(s.Key, c.Name)
			}
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		got := gpflow.NewSchema(gpflow.Column{Name: "old", Type: gpflow.T(gpflow.KindInt)})
		got.Mode, got.Key, got.Timeless = gpflow.Upsert, []string{"old"}, true
		if err := json.Unmarshal(text, got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !got.Equal(s) || got.String() != s.String() {
			t.Fatalf("%s was read as %s", s, got)
		}
		if again, _ := json.Marshal(got); string(again) != string(text) {
			t.Fatalf("%s is written again as %s", text, again)
		}
	})
}

func TestSchemaJSONRefuses(t *testing.T) {
	for _, s := range []string{
		`[]`, `{"columns":[{"name":"a","type":"integer"}]}`, `{"columns":[],"mode":"sideways"}`,
	} {
		if err := json.Unmarshal([]byte(s), new(gpflow.Schema)); err == nil {
			t.Errorf("%s was read", s)
		}
	}
}

func TestFlatten(t *testing.T) {
	str, num := gpflow.T(gpflow.KindString), gpflow.T(gpflow.KindInt)
	record := func(cols ...gpflow.Column) gpflow.Type { return gpflow.Type{Kind: gpflow.KindRecord, Fields: cols} }
	s := gpflow.NewSchema(
		gpflow.Column{Name: "id", Type: num},
		gpflow.Column{Name: "home", Type: record(
			gpflow.Column{Name: "street", Type: str},
			gpflow.Column{Name: "at", Type: record(gpflow.Column{Name: "x", Type: num}, gpflow.Column{Name: "y", Type: num.Opt()}).Opt()},
		)},
		gpflow.Column{Name: "tags", Type: gpflow.ListOf(record(gpflow.Column{Name: "x", Type: num}))},
	)
	want := "id int, home.street string, home.at.x optional(int), home.at.y optional(int), tags list(record({x = int}))"
	if s.String() != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if s.Width() != 5 || s.Index("home.at.y") != 3 || s.Index("home") != -1 || s.Index("street") != -1 {
		t.Error("columns are not found by their paths")
	}
}

func TestSelectKeepsOrderAndWholeKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := gpflow.NewSchema()
		for i := range rapid.IntRange(1, 6).Draw(t, "width") {
			s.Columns = append(s.Columns, gpflow.Column{Name: fmt.Sprint("c", i), Type: gpflow.T(gpflow.KindInt)})
		}
		s.Key, s.Timeless, s.Mode = s.Names()[:1], true, gpflow.Upsert
		kept := make(map[string]bool)
		for _, n := range s.Names() {
			kept[n] = rapid.Bool().Draw(t, n)
		}
		got := s.Select(func(name string) bool { return kept[name] })
		want := slices.DeleteFunc(s.Names(), func(n string) bool { return !kept[n] })
		if !slices.Equal(got.Names(), want) || got.Mode != s.Mode || !got.Timeless {
			t.Fatalf("selecting %v of %s gave %s", want, s, got)
		}
		if (len(got.Key) == 1) != kept["c0"] {
			t.Fatalf("the key is %v after %v were kept", got.Key, want)
		}
	})
}
