package csvfmt_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/csvfmt"
)

func col(n string, k gpflow.Kind) gpflow.Column { return gpflow.Column{Name: n, Type: gpflow.T(k)} }
func opt(n string, k gpflow.Kind) gpflow.Column {
	return gpflow.Column{Name: n, Type: gpflow.T(k).Opt()}
}

func decoder(t testing.TB, o formats.DecoderOptions) *csvfmt.Decoder {
	t.Helper()
	if o.Read == nil {
		o.Read = o.Declared
	}
	d, err := csvfmt.NewDecoder(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// read returns the rows of data as text, with the line on which each begins;
// errors stand in their place.
func read(t testing.TB, d *csvfmt.Decoder, s *gpflow.Schema, data string) []string {
	t.Helper()
	var out []string
	line := 1
	for rest := []byte(data); len(rest) > 0; {
		n, rec, lines, err := d.Frame(rest, true)
		if err != nil {
			return append(out, err.Error())
		}
		if n == 0 {
			t.Fatalf("Frame makes no progress at %q", rest)
		}
		if rec != nil {
			row := make([]gpflow.Value, s.Width())
			if err := d.Decode(rec, row); err != nil {
				out = append(out, fmt.Sprintf("%d: %s: %v", line, gpflow.ErrorCode(err), err))
			} else {
				out = append(out, fmt.Sprintf("%d: %s", line, gpflow.RowJSON(nil, s, row)))
			}
		}
		line += lines
		rest = rest[n:]
	}
	return out
}

func TestDecode(t *testing.T) {
	s := gpflow.NewSchema(col("user", gpflow.KindString), opt("n", gpflow.KindInt))
	for _, tc := range []struct {
		name, data string
		o          formats.DecoderOptions
		want       []string
	}{
		{"header, any order, extra columns", "\xef\xbb\xbfn,x,user\r\n1,,ada\r\n\r\n,y,bob", formats.DecoderOptions{}, []string{
			`2: {"user":"ada","n":1}`, `4: {"user":"bob","n":null}`,
		}},
		{"quotes, line ends within", "user,n\n\"a\n\"\"b\"\"\r\nc,\",2\nd,\"3\"\n", formats.DecoderOptions{}, []string{
			`2: {"user":"a\n\"b\"\r\nc,","n":2}`, `5: {"user":"d","n":3}`,
		}},
		{"empty", "user,n\n,1\n\"\",\"\"\n", formats.DecoderOptions{}, []string{
			`2: {"user":"","n":1}`, `3: {"user":"","n":null}`,
		}},
		{"numbers", "user,n\na,1e3\nb,1.5\nc,x\nd,9223372036854775808\ne,007\nf,+5\n", formats.DecoderOptions{}, []string{
			`2: {"user":"a","n":1000}`,
			`3: decode: column 3: field n: found "1.5", want a whole number (int)`,
			`4: decode: column 3: field n: found "x", want a whole number (int)`,
			`5: decode: column 3: field n: "9223372036854775808" is beyond the 64 bits of an int; declare float or string`,
			`6: {"user":"e","n":7}`, `7: {"user":"f","n":5}`,
		}},
		{"counts of fields", "user,n\na\na,x,2\nb,1\n", formats.DecoderOptions{}, []string{
			`2: decode: the record has 1 field, and each of this input has 2`, `3: decode: the record has 3 fields, and each of this input has 2`, `4: {"user":"b","n":1}`,
		}},
		{"quotes out of place", "user,n\na\"b,1\n\"a\"b,1\n\"a,1\nx", formats.DecoderOptions{}, []string{
			`2: decode: column 2: there is a quote inside a field that does not begin with one; put the field in quotes and write the quote twice`,
			`3: decode: column 4: there is something after the closing quote of a field; a quote inside a field in quotes is written twice`,
			`4: decode: column 1: the quote that opens the field is never closed`,
		}},
		{"no header, delimiter", "a;1\n;\n", formats.DecoderOptions{CSV: formats.CSV{NoHeader: true, Delimiter: ';'}}, []string{
			`1: {"user":"a","n":1}`, `2: {"user":"","n":null}`,
		}},
		{"no UTF-8", "user,n\n\xff,1\n", formats.DecoderOptions{}, []string{
			`2: decode: column 1: field user: the text is not valid UTF-8`,
		}},
		{"missing column", "user,m\na,1\n", formats.DecoderOptions{}, []string{
			`the header of the CSV input does not name the column n; it has ["user" "m"]; correct the schema, or set header = false`,
		}},
		{"column twice", "user,n,n\na,1,1\n", formats.DecoderOptions{}, []string{
			`the header of the CSV input names the column "n" twice`,
		}},
		{"strict", "user,n,m\na,1,1\n", formats.DecoderOptions{StrictFields: true}, []string{
			`the header of the CSV input names a column "m" that the schema does not declare; declare it, or set unknown_fields = "ignore"`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.o.Declared = s
			got := read(t, decoder(t, tc.o), s, tc.data)
			if strings.Join(got, "\n") != strings.Join(tc.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

func TestTypes(t *testing.T) {
	s := gpflow.NewSchema(opt("b", gpflow.KindBool), opt("f", gpflow.KindFloat), opt("raw", gpflow.KindBytes),
		gpflow.Column{Name: "at", Type: gpflow.Type{Kind: gpflow.KindTimestamp, Layout: "%Y/%m/%d %H:%M", Optional: true}},
		opt("d", gpflow.KindDuration), opt("s", gpflow.KindString))
	zone := time.FixedZone("east", 3600)
	d := decoder(t, formats.DecoderOptions{Declared: s, CSV: formats.CSV{NoHeader: true}, Zone: zone})
	got := read(t, d, s, strings.Join([]string{
		`TRUE,1.5e3,aGk=,2001/01/14 21:55,1h30m,x`,
		`,,,,,`,
		`"",,"",,,""`,
		`yes,,,,,`, `,0x1p3,,,,`, `,,!,,,`, `,,,2001/02/30 00:00,,`, `,,,,5,`, `,1e999,,,,`,
	}, "\n"))
	want := []string{
		`1: {"b":true,"f":1500,"raw":"aGk=","at":"2001-01-14T20:55:00Z","d":"1h30m","s":"x"}`,
		`2: {"b":null,"f":null,"raw":null,"at":null,"d":null,"s":null}`,
		`3: {"b":null,"f":null,"raw":"","at":null,"d":null,"s":""}`,
		`4: decode: column 1: field b: found "yes", want true or false`,
		`5: decode: column 2: field f: found "0x1p3", want a number (float)`,
		`6: decode: column 3: field raw: found "!", want base64 (bytes); illegal base64 data at input byte 0`,
		`7: decode: column 4: field at: found "2001/02/30 00:00", want a timestamp; the day is out of range: 01 to the last of the month`,
		`8: decode: column 5: field d: found "5", want a duration; write a duration as a number and a unit: 90s, 1h30m, 250ms; the units are d, h, m, s, ms, us`,
		`9: decode: column 2: field f: "1e999" is beyond the range of a float; declare string`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEncoder(t *testing.T) {
	s := gpflow.NewSchema(opt("a,b", gpflow.KindString), opt("f", gpflow.KindFloat))
	e, err := csvfmt.NewEncoder(formats.EncoderOptions{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	dst := e.Begin(nil)
	for _, row := range [][]gpflow.Value{
		{gpflow.String("x\"y\""), gpflow.Float(1)},
		{gpflow.Null, gpflow.Float(math.Inf(-1))},
		{gpflow.String(""), gpflow.Float(math.NaN())},
		{gpflow.String(" a"), gpflow.Null},
		{gpflow.String("a\r\nb"), gpflow.Float(0.25)},
		{gpflow.String("a b\tc"), gpflow.Null},
	} {
		if dst, err = e.Append(dst, row); err != nil {
			t.Fatal(err)
		}
	}
	want := "\"a,b\",f\n\"x\"\"y\"\"\",1\n,-Inf\n\"\",NaN\n\" a\",\n\"a\r\nb\",0.25\na b\tc,\n"
	if string(dst) != want {
		t.Errorf("got  %q\nwant %q", dst, want)
	}
}

func TestOnlyColumn(t *testing.T) {
	for _, k := range []gpflow.Kind{gpflow.KindInt, gpflow.KindString} {
		s := gpflow.NewSchema(opt("a", k))
		e, err := csvfmt.NewEncoder(formats.EncoderOptions{Schema: s})
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Append(nil, []gpflow.Value{gpflow.Null})
		if k == gpflow.KindInt && (string(got) != "\"\"\n" || err != nil) {
			t.Errorf("a null int gave %q, %v", got, err)
		}
		if k == gpflow.KindString && (len(got) != 0 || gpflow.ErrorCode(err) != "encode") {
			t.Errorf("a null string gave %q, %v", got, err)
		}
	}
}

func TestCheck(t *testing.T) {
	list := gpflow.NewSchema(gpflow.Column{Name: "tags", Type: gpflow.ListOf(gpflow.T(gpflow.KindString))})
	err := csvfmt.Check(list)
	want := "column tags: comma-separated values cannot hold values of type list(string); select what is in it, or use another format such as json"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, c := range []byte{'"', '\n', 'e', 'E', '7', '-', 0xff} {
		o := formats.EncoderOptions{Schema: gpflow.NewSchema(col("a", gpflow.KindInt)), CSV: formats.CSV{Delimiter: c}}
		if _, err := csvfmt.NewEncoder(o); err == nil {
			t.Errorf("the delimiter %q was accepted", c)
		}
	}
}

func TestNeedsHeader(t *testing.T) {
	s := gpflow.NewSchema(col("a", gpflow.KindInt), col("b", gpflow.KindInt))
	d := decoder(t, formats.DecoderOptions{Declared: s})
	data := "\nb,a\n1,2\n"
	for data != "" && d.NeedsHeader() {
		n, _, _, err := d.Frame([]byte(data), true)
		if err != nil {
			t.Fatal(err)
		}
		data = data[n:]
	}
	if got := read(t, d, s, data); len(got) != 1 || got[0] != `1: {"a":2,"b":1}` {
		t.Errorf("got %q", got)
	}
}
