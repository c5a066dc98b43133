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
)

var layouts = []string{"", "unix", "unix_ms", "unix_us", "unix_ns", "%Y-%m-%d %H:%M:%S.%f", "%j/%Y %I:%M:%S %p %f", "\"%d\\%b %Y\" é %T,%f"}

func drawType(t *rapid.T, depth int) gpflow.Type {
	kinds := []gpflow.Kind{
		gpflow.KindBool, gpflow.KindInt, gpflow.KindFloat, gpflow.KindString, gpflow.KindBytes,
		gpflow.KindTimestamp, gpflow.KindDuration, gpflow.KindAny, gpflow.KindList, gpflow.KindMap,
	}
	if depth > 1 {
		kinds = kinds[:8]
	}
	out := gpflow.T(rapid.SampledFrom(kinds).Draw(t, "kind"))
	switch out.Kind {
	case gpflow.KindTimestamp:
		out.Layout = rapid.SampledFrom(layouts).Draw(t, "layout")
	case gpflow.KindList, gpflow.KindMap:
		e := drawType(t, depth+1)
		out.Elem = &e
	}
	out.Optional = rapid.Bool().Draw(t, "optional")
	return out
}

func drawSchema(t *rapid.T) *gpflow.Schema {
	names := []string{"a", "b.c", "b.d", "b.e.f", "g", "b.h", "é", "i.j", "we\"ird", "k"}
	names = rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, len(names), rapid.ID[string]).Draw(t, "names")
	s := &gpflow.Schema{}
	for _, n := range names {
		s.Columns = append(s.Columns, gpflow.Column{Name: n, Type: drawType(t, 0)})
	}
	return s
}

// drawValue draws a value that the type's text holds exactly.
func drawValue(t *rapid.T, typ gpflow.Type) gpflow.Value {
	if typ.Optional && rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		return gpflow.Null
	}
	switch typ.Kind {
	case gpflow.KindBool:
		return gpflow.Bool(rapid.Bool().Draw(t, "bool"))
	case gpflow.KindInt:
		return gpflow.Int(rapid.Int64().Draw(t, "int"))
	case gpflow.KindFloat:
		return gpflow.Float(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "float"))
	case gpflow.KindString:
		return gpflow.String(rapid.String().Draw(t, "string"))
	case gpflow.KindBytes:
		return gpflow.Bytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	case gpflow.KindDuration:
		return gpflow.Span(gpflow.Duration(rapid.Int64Range(-1<<62, 1<<62).Draw(t, "duration")))
	case gpflow.KindTimestamp:
		from, to := int64(-62167219200e6), int64(253402300800e6-1)
		switch typ.Layout {
		case "unix", "unix_ms", "unix_us":
			from, to = -1<<62, 1<<62
		case "unix_ns":
			from, to = math.MinInt64/1000, math.MaxInt64/1000
		}
		return gpflow.Time(gpflow.Timestamp(rapid.Int64Range(from, to).Draw(t, "timestamp")))
	case gpflow.KindList:
		vs := []gpflow.Value{}
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			vs = append(vs, drawValue(t, *typ.Elem))
		}
		return gpflow.List(vs)
	case gpflow.KindMap:
		es := []gpflow.Entry{}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			es = append(es, gpflow.Entry{Key: rapid.String().Draw(t, "key"), Value: drawValue(t, *typ.Elem)})
		}
		return gpflow.Map(es)
	}
	kind := rapid.SampledFrom([]gpflow.Kind{gpflow.KindInt, gpflow.KindString, gpflow.KindBool}).Draw(t, "any")
	return drawValue(t, gpflow.T(kind))
}

// TestRoundTrip writes random rows of random schemas and reads them back, whole
// and in part.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSchema(t)
		e, err := jsonfmt.NewEncoder(formats.EncoderOptions{Schema: s})
		if err != nil {
			t.Fatal(err)
		}
		read := s.Select(func(string) bool { return rapid.IntRange(0, 3).Draw(t, "read") > 0 })
		d, err := jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: read, StrictFields: true})
		if err != nil {
			t.Fatal(err)
		}
		var rows [][]gpflow.Value
		data := e.Begin(nil)
		for range rapid.IntRange(1, 4).Draw(t, "rows") {
			row := make([]gpflow.Value, s.Width())
			for i, c := range s.Columns {
				row[i] = drawValue(t, c.Type)
			}
			rows = append(rows, row)
			if data, err = e.Append(data, row); err != nil {
				t.Fatal(err)
			}
		}
		checkRows(t, d, s, read, data, rows)
	})
}

func checkRows(t *rapid.T, d *jsonfmt.Decoder, s, read *gpflow.Schema, data []byte, rows [][]gpflow.Value) {
	for len(data) > 0 {
		n, rec, lines, err := d.Frame(data, false)
		if n == 0 || rec == nil || lines != 1 || err != nil {
			t.Fatalf("Frame of %q returned %d, %q, %d, %v", data, n, rec, lines, err)
		}
		if !json.Valid(rec) {
			t.Fatalf("%q is not JSON", rec)
		}
		got := make([]gpflow.Value, read.Width())
		if err := d.Decode(rec, got); err != nil {
			t.Fatalf("%q: %v", rec, err)
		}
		for i, c := range read.Columns {
			if w := rows[0][s.Index(c.Name)]; !gpflow.Equal(got[i], w) {
				t.Fatalf("%q: column %s is %s, want %s", rec, c.Name, show(got[i]), show(w))
			}
		}
		data, rows = data[n:], rows[1:]
	}
	if len(rows) != 0 {
		t.Fatalf("%d rows are missing", len(rows))
	}
}

// FuzzTyped reads anything as a record of declared types; what is accepted is
// the same when it has been written and read again.
func FuzzTyped(f *testing.F) {
	s := rich()
	for i := range s.Columns {
		s.Columns[i].Type.Optional = i%2 == 0
	}
	d, err := jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: s, StrictFields: true})
	if err != nil {
		f.Fatal(err)
	}
	e, err := jsonfmt.NewEncoder(formats.EncoderOptions{Schema: s})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(richLine))
	f.Add([]byte(`{"tags":[],"any":{"a":[{}],"b":-1.5e-7},"o":{"at":"0001/1/1 0:0"}}`))
	f.Add([]byte(`{"o":null,"tags":["\u0000"],"any":1e20,"m":{"\ud83d":1}}`))
	f.Fuzz(func(t *testing.T, rec []byte) {
		row := make([]gpflow.Value, s.Width())
		if d.Decode(rec, row) != nil {
			return
		}
		first, err := e.Append(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		again := make([]gpflow.Value, s.Width())
		if err := d.Decode(first, again); err != nil {
			t.Fatalf("%q is written %q and refused: %v", rec, first, err)
		}
		if second, err := e.Append(nil, again); err != nil || string(second) != string(first) {
			t.Fatalf("%q is written %q, then %q, %v", rec, first, second, err)
		}
	})
}

func show(v gpflow.Value) string {
	b, err := gpflow.AppendJSON(nil, v)
	if err != nil {
		return err.Error()
	}
	return v.Kind().String() + " " + string(b)
}

func TestEncoder(t *testing.T) {
	c := func(n string, k gpflow.Kind) gpflow.Column { return gpflow.Column{Name: n, Type: gpflow.T(k).Opt()} }
	s := gpflow.NewSchema(c("a.x", gpflow.KindInt), c("b", gpflow.KindFloat), c("a.y.z", gpflow.KindTimestamp), c("a.y.w", gpflow.KindString))
	e, err := jsonfmt.NewEncoder(formats.EncoderOptions{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Append([]byte("> "), []gpflow.Value{gpflow.Int(1), gpflow.Float(0.5), gpflow.Time(0), gpflow.String("<é>")})
	want := `> {"a":{"x":1,"y":{"z":"1970-01-01T00:00:00Z","w":"<é>"}},"b":0.5}` + "\n"
	if string(got) != want || err != nil {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	for _, bad := range [][]gpflow.Value{
		{gpflow.Int(1), gpflow.Float(math.NaN()), gpflow.Time(0), gpflow.Null},
		{gpflow.Int(1), gpflow.Null, gpflow.Time(gpflow.MaxTimestamp), gpflow.Null},
	} {
		got, err := e.Append([]byte("> "), bad)
		if string(got) != "> " || gpflow.ErrorCode(err) != "encode" || !strings.HasPrefix(err.Error(), "column ") {
			t.Errorf("got %q, %v", got, err)
		}
	}
}
