package csvfmt_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/csvfmt"
	"github.com/gpflow/gpflow/formats/csvfmt/oracle"
)

func strs(n int) *gpflow.Schema {
	s := &gpflow.Schema{}
	for i := range n {
		s.Columns = append(s.Columns, col(string(rune('a'+i)), gpflow.KindString))
	}
	return s
}

// compare reads data, given to Frame in pieces that grow by step bytes, and
// checks it against the oracle.
func compare(t rapid.TB, data []byte, delim byte, step int) {
	t.Helper()
	want, broken := oracle.Read(data, rune(delim))
	width := 1
	if len(want) > 0 {
		width = len(want[0].Fields)
	}
	s := strs(width)
	d, err := csvfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: s, CSV: formats.CSV{NoHeader: true, Delimiter: delim}})
	if err != nil {
		t.Fatal(err)
	}
	start, line, k := 0, 1, 0
	for end := min(step, len(data)); start < len(data); {
		n, rec, lines, err := d.Frame(data[start:end], end == len(data))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			if end == len(data) {
				t.Fatalf("%q: no progress at %d", data, start)
			}
			end = min(end+step, len(data))
			continue
		}
		if rec != nil {
			row := make([]gpflow.Value, width)
			err := d.Decode(rec, row)
			if k == len(want) {
				if !broken || err == nil {
					t.Fatalf("%q: record %d is %q, %v; the oracle has none", data, k, rec, err)
				}
				return
			}
			check(t, data, k, row, err, want[k], line)
			k++
		}
		start += n
		line += lines
	}
	if k != len(want) || broken {
		t.Fatalf("%q: read %d records, want %d, broken after them: %v", data, k, len(want), broken)
	}
}

func check(t rapid.TB, data []byte, k int, row []gpflow.Value, err error, want oracle.Record, line int) {
	t.Helper()
	if line != want.Line {
		t.Fatalf("%q: record %d is on line %d, want %d", data, k, line, want.Line)
	}
	if want.Refused != (err != nil) {
		t.Fatalf("%q: record %d gave %v, refused by the oracle: %v", data, k, err, want.Refused)
	}
	if err != nil {
		return
	}
	for i := range row {
		if got := strings.ReplaceAll(row[i].Str(), "\r\n", "\n"); got != want.Fields[i] {
			t.Fatalf("%q: record %d, field %d is %q, want %q", data, k, i, got, want.Fields[i])
		}
	}
}

// TestAgainstEncodingCSV compares what is accepted, and what it holds, with
// encoding/csv: over text made of the characters that matter.
func TestAgainstEncodingCSV(t *testing.T) {
	pieces := []string{",", ",", "\n", "\n", "\r\n", "\r", "\"", "\"", "\"\"", "a", "bc", " ", "é", ";", "\"x\",", "\"x\ny\"\n"}
	rapid.Check(t, func(t *rapid.T) {
		data := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 30).Draw(t, "pieces"), "")
		delim := rapid.SampledFrom([]byte{',', ';', '\t'}).Draw(t, "delimiter")
		compare(t, []byte(data), delim, rapid.IntRange(1, 40).Draw(t, "step"))
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\"a\"\"b\",\"\r\n\"\r\nx,y", "a\"b,c\n", "\"a\"b,c\n", "\"a", ",\n\n,\r", "\"\"\n\"\"", "a\r\r\n"} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		if strings.ToValidUTF8(string(data), "") != string(data) || strings.HasPrefix(string(data), "\xef\xbb\xbf") {
			t.Skip("encoding/csv reads bytes that are not text, and keeps a byte order mark")
		}
		if len(data) > 4096 {
			t.Skip("reading long records in small pieces takes the square of their length")
		}
		compare(t, data, ',', max(1, step%64))
	})
}

func drawRow(t *rapid.T, s *gpflow.Schema) []gpflow.Value {
	row := make([]gpflow.Value, s.Width())
	for i, c := range s.Columns {
		if c.Type.Optional && rapid.IntRange(0, 3).Draw(t, "null") == 0 {
			continue
		}
		switch c.Type.Kind {
		case gpflow.KindBool:
			row[i] = gpflow.Bool(rapid.Bool().Draw(t, "bool"))
		case gpflow.KindInt:
			row[i] = gpflow.Int(rapid.Int64().Draw(t, "int"))
		case gpflow.KindFloat:
			row[i] = gpflow.Float(math.Float64frombits(rapid.Uint64().Draw(t, "float")))
		case gpflow.KindString:
			row[i] = gpflow.String(rapid.StringOf(rapid.SampledFrom([]rune("a\"\",;\r\n é\t|"))).Draw(t, "string"))
		case gpflow.KindBytes:
			row[i] = gpflow.Bytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		case gpflow.KindDuration:
			row[i] = gpflow.Span(gpflow.Duration(rapid.Int64Range(-1<<62, 1<<62).Draw(t, "duration")))
		case gpflow.KindTimestamp:
			row[i] = gpflow.Time(gpflow.Timestamp(rapid.Int64Range(-62167219200e6, 253402300800e6-1).Draw(t, "timestamp")))
		}
	}
	return row
}

// TestRoundTrip writes random rows of random schemas and reads them back, whole
// and in part, and has encoding/csv count the fields.
func TestRoundTrip(t *testing.T) {
	kinds := []gpflow.Kind{
		gpflow.KindBool, gpflow.KindInt, gpflow.KindFloat, gpflow.KindString, gpflow.KindBytes,
		gpflow.KindDuration, gpflow.KindTimestamp,
	}
	names := []string{"a", "b.c", "d,e", "f\"g", "h\ni", " j", "k;l", "m|n"}
	rapid.Check(t, func(t *rapid.T) {
		s := &gpflow.Schema{}
		for _, n := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 2, -1, rapid.ID[string]).Draw(t, "names") {
			c := col(n, rapid.SampledFrom(kinds).Draw(t, "kind"))
			c.Type.Optional = rapid.Bool().Draw(t, "optional")
			if c.Type.Kind == gpflow.KindTimestamp {
				c.Type.Layout = rapid.SampledFrom([]string{"", "unix", "%Y;%j,\"%T\".%f"}).Draw(t, "layout")
			}
			s.Columns = append(s.Columns, c)
		}
		o := formats.CSV{NoHeader: rapid.Bool().Draw(t, "no header"), Delimiter: rapid.SampledFrom([]byte{0, ';', '|', '\t'}).Draw(t, "delimiter")}
		e, err := csvfmt.NewEncoder(formats.EncoderOptions{Schema: s, CSV: o})
		if err != nil {
			t.Fatal(err)
		}
		read := s.Select(func(string) bool { return rapid.IntRange(0, 3).Draw(t, "read") > 0 })
		d, err := csvfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: read, CSV: o, StrictFields: true})
		if err != nil {
			t.Fatal(err)
		}
		var rows [][]gpflow.Value
		data := e.Begin(nil)
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			rows = append(rows, drawRow(t, s))
			if data, err = e.Append(data, rows[len(rows)-1]); err != nil {
				t.Fatal(err)
			}
		}
		checkRows(t, d, s, read, data, rows)
		if recs, broken := oracle.Read(data, max(',', rune(o.Delimiter))); o.Delimiter == 0 {
			if header := len(recs) - len(rows); broken || header < 0 || header > 1 {
				t.Fatalf("encoding/csv reads %d records from %q, broken: %v", len(recs), data, broken)
			}
		}
	})
}

func checkRows(t *rapid.T, d *csvfmt.Decoder, s, read *gpflow.Schema, data []byte, rows [][]gpflow.Value) {
	for len(data) > 0 {
		n, rec, _, err := d.Frame(data, true)
		if n == 0 || err != nil {
			t.Fatalf("Frame of %q returned %d, %v", data, n, err)
		}
		data = data[n:]
		if rec == nil {
			continue
		}
		got := make([]gpflow.Value, read.Width())
		if err := d.Decode(rec, got); err != nil {
			t.Fatalf("%q: %v", rec, err)
		}
		for i, c := range read.Columns {
			if w := rows[0][s.Index(c.Name)]; !gpflow.Equal(got[i], w) {
				t.Fatalf("%q: column %s is %#v, want %#v", rec, c.Name, got[i], w)
			}
		}
		rows = rows[1:]
	}
	if len(rows) != 0 {
		t.Fatalf("%d rows are missing", len(rows))
	}
}
