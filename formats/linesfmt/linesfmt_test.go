package linesfmt_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/linesfmt"
)

func schema(k gpflow.Kind) *gpflow.Schema {
	return gpflow.NewSchema(gpflow.Column{Name: "line", Type: gpflow.T(k)})
}

// TestRoundTrip writes lines and reads the same; what would not come back is
// refused.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]gpflow.Kind{gpflow.KindString, gpflow.KindBytes}).Draw(t, "kind")
		s := schema(kind)
		e, err := linesfmt.NewEncoder(formats.EncoderOptions{Schema: s})
		if err != nil {
			t.Fatal(err)
		}
		d, err := linesfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: s})
		if err != nil {
			t.Fatal(err)
		}
		data := e.Begin(nil)
		var want []string
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"a", "é", "\n", "\r", " "})).Draw(t, "text"), "")
			v := gpflow.String(text)
			if kind == gpflow.KindBytes {
				v = gpflow.Bytes([]byte(text))
			}
			n := len(data)
			data, err = e.Append(data, []gpflow.Value{v})
			if bad := strings.Contains(text, "\n") || strings.HasSuffix(text, "\r"); bad != (err != nil) {
				t.Fatalf("%q gave %v", text, err)
			}
			if err == nil {
				want = append(want, text)
			} else if len(data) != n || gpflow.ErrorCode(err) != "encode" {
				t.Fatalf("%q left %q, %v", text, data[n:], err)
			}
		}
		for len(data) > 0 {
			n, rec, lines, err := d.Frame(data, true)
			if n == 0 || rec == nil || lines != 1 || err != nil {
				t.Fatalf("Frame of %q returned %d, %q, %d, %v", data, n, rec, lines, err)
			}
			row := make([]gpflow.Value, 1)
			if err := d.Decode(rec, row); err != nil {
				t.Fatal(err)
			}
			if row[0].Kind() != kind || string(row[0].Bytes()) != want[0] {
				t.Fatalf("got %s %q, want %q", row[0].Kind(), row[0].Bytes(), want[0])
			}
			data, want = data[n:], want[1:]
		}
		if len(want) != 0 {
			t.Fatalf("%q are missing", want)
		}
	})
}

func TestDecode(t *testing.T) {
	s := schema(gpflow.KindString)
	d, err := linesfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: s})
	if err != nil {
		t.Fatal(err)
	}
	row := make([]gpflow.Value, 1)
	err = d.Decode([]byte("é\xff"), row)
	want := "column 3: the line is not valid UTF-8; declare the column as bytes to read it all the same"
	if gpflow.ErrorCode(err) != "decode" || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	rec := []byte("a line")
	if n := testing.AllocsPerRun(100, func() {
		if d.Decode(rec, row) != nil {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
	none, err := linesfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: &gpflow.Schema{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := none.Decode([]byte("a line"), nil); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	for want, s := range map[string]*gpflow.Schema{
		"and the schema has 0":   {},
		"and the schema has 2":   gpflow.NewSchema(append(schema(gpflow.KindInt).Columns, gpflow.Column{Name: "x"})...),
		"column line is int":     schema(gpflow.KindInt),
		"make a string of it":    schema(gpflow.KindAny),
		"null cannot be written": nil,
	} {
		if s == nil {
			e, err := linesfmt.NewEncoder(formats.EncoderOptions{Schema: schema(gpflow.KindString)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = e.Append(nil, make([]gpflow.Value, 1)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			continue
		}
		if err := linesfmt.Check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
