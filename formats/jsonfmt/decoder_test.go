package jsonfmt_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/jsonfmt"
)

func ExampleDecoder() {
	s := gpflow.NewSchema(
		gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)},
		gpflow.Column{Name: "amount", Type: gpflow.T(gpflow.KindInt)},
	)
	d, err := jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: s})
	if err != nil {
		panic(err)
	}
	for _, rec := range []string{
		`{"user": "ada", "amount": 12e2, "note": [1, {}]}`,
		`{"user": "ada", "amount": "12"}`,
		`{"user": "ada", "amount": 1.5}`,
		`{"user": "ada", "amount": 92233720368547758070}`,
		`{"user": "ada"}`,
		`{"user": null, "amount": 1}`,
		`{"user": "ada", "amount": 1`,
		`{"user": "ada", "amount": 1} x`,
	} {
		row := make([]gpflow.Value, 2)
		if err := d.Decode([]byte(rec), row); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(row[0].Str(), row[1].Int())
	}
	// Output:
	// ada 1200
	// column 27: field amount: found the string "12", want a whole number (int)
	// column 27: field amount: found the number 1.5, want a whole number (int)
	// column 27: field amount: the number 92233720368547758070 is beyond the 64 bits of an int; declare float or string
	// field amount: the record does not have it, and it is not optional; want a whole number (int)
	// column 10: field user: found null, want a string; declare it optional if it may be null
	// column 28: a comma or } is wanted; the record ends here
	// column 30: there is something after the end of the record
}

func col(n string, k gpflow.Kind) gpflow.Column { return gpflow.Column{Name: n, Type: gpflow.T(k)} }
func opt(n string, k gpflow.Kind) gpflow.Column {
	return gpflow.Column{Name: n, Type: gpflow.T(k).Opt()}
}

// rows decodes each of lines and returns it as JSON, or the error.
func rows(t *testing.T, o formats.DecoderOptions, lines ...string) []string {
	t.Helper()
	if o.Read == nil {
		o.Read = o.Declared
	}
	d, err := jsonfmt.NewDecoder(o)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, line := range lines {
		row := make([]gpflow.Value, o.Read.Width())
		if err := d.Decode([]byte(line), row); err != nil {
			if gpflow.ErrorCode(err) != "decode" {
				t.Errorf("%s: the error's code is %q", line, gpflow.ErrorCode(err))
			}
			out = append(out, err.Error())
			continue
		}
		out = append(out, string(gpflow.RowJSON(nil, o.Read, row)))
	}
	return out
}

func wantRows(t *testing.T, got []string, want ...string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("at %d, got\n%s\nwant\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestNested(t *testing.T) {
	s := gpflow.NewSchema(opt("user", gpflow.KindString), opt("address.street", gpflow.KindString), opt("address.geo.lat", gpflow.KindFloat))
	got := rows(
		t, formats.DecoderOptions{Declared: s},
		`{"user":"a","address":{"street":"s","geo":{"lat":1.5,"lon":2}}}`,
		`{"address":null}`,
		`{"address":{"street":"s","geo":null}}`,
		`{"address":{"street":"s","geo":{"lat":1}},"address":{"geo":{}}}`,
		`{"address.street":"s","ADDRESS":{"street":"s"},"User":"x"}`,
		`{"address":5}`,
		`{"address":{"geo":{"lat":"x"}}}`,
		`{"address":{"geo":{"lat":1}}`,
	)
	wantRows(
		t, got,
		`{"user":"a","address":{"street":"s","geo":{"lat":1.5}}}`,
		`{"user":null,"address":{"street":null,"geo":{"lat":null}}}`,
		`{"user":null,"address":{"street":"s","geo":{"lat":null}}}`,
		`{"user":null,"address":{"street":null,"geo":{"lat":null}}}`,
		`{"user":null,"address":{"street":null,"geo":{"lat":null}}}`,
		`column 12: field address: found the number 5, want an object`,
		`column 26: field address.geo.lat: found the string "x", want a number (float)`,
		`column 29: a comma or } is wanted; the record ends here`,
	)
}

// TestNotRead has wrong types in columns that are declared and not read.
func TestNotRead(t *testing.T) {
	s := gpflow.NewSchema(col("a", gpflow.KindInt), col("b", gpflow.KindInt), col("c.d", gpflow.KindInt))
	o := formats.DecoderOptions{Declared: s, Read: s.Select(func(n string) bool { return n == "b" })}
	got := rows(t, o, `{"a":"x","b":1,"c":[]}`, `{"b":1}`, `{"a":tru,"b":1}`)
	wantRows(t, got, `{"b":1}`, `{"b":1}`, `column 6: no JSON value begins like this`)
}

func TestStrict(t *testing.T) {
	s := gpflow.NewSchema(col("a", gpflow.KindInt), opt("b.c", gpflow.KindInt), opt("m", gpflow.KindAny))
	o := formats.DecoderOptions{Declared: s, Read: s.Select(func(n string) bool { return n == "a" }), StrictFields: true}
	got := rows(t, o, `{"a":1,"b":{"c":2},"m":{"x":1}}`, `{"a":1,"x":2}`, `{"a":1,"b":{"x":2}}`)
	const hint = ` that the schema does not declare; declare it, or set unknown_fields = "ignore"`
	wantRows(t, got, `{"a":1}`, `column 8: the record has a field "x"`+hint, `column 13: the record has a field "x"`+hint)
}

func TestTypes(t *testing.T) {
	stamp := func(n, layout string) gpflow.Column {
		return gpflow.Column{Name: n, Type: gpflow.Type{Kind: gpflow.KindTimestamp, Layout: layout, Optional: true}}
	}
	s := gpflow.NewSchema(
		opt("i", gpflow.KindInt), opt("d", gpflow.KindDuration), opt("x", gpflow.KindBytes), opt("bool", gpflow.KindBool),
		stamp("at", ""), stamp("ms", "unix_ms"), stamp("day", "%Y/%m/%d"),
		gpflow.Column{Name: "tags", Type: gpflow.ListOf(gpflow.T(gpflow.KindInt)).Opt()},
		gpflow.Column{Name: "m", Type: gpflow.MapOf(gpflow.T(gpflow.KindInt).Opt()).Opt()},
	)
	full := `{"i":-1.50e1,"d":"1h30m","x":"aGk=","bool":true,"at":"2001-01-01 01:00:00","ms":1700000000123.5,"day":"2001/02/03","tags":[1,2.0],"m":{"b":1,"a":null,"b":2}}`
	got := rows(
		t, formats.DecoderOptions{Declared: s, Zone: time.FixedZone("", 3600)}, full,
		`{"ms":"1700000000123","i":9223372036854775807.0}`,
		`{"i":9223372036854775808}`, `{"i":true}`, `{"i":1.}`, `{"i":-}`, `{"d":5}`, `{"d":"5"}`, `{"x":"?"}`, `{"bool":"true"}`,
		`{"at":1700000000}`, `{"at":"2001-02-30T00:00:00Z"}`, `{"day":20010203}`, `{"ms":1e300}`, `{"ms":[1]}`,
		`{"tags":[1,null]}`, `{"tags":{}}`, `{"tags":[1 2]}`, `{"tags":[1.5]}`, `{"m":[]}`, `{"m":{"a":"x"}}`, `{"m":{1:2}}`,
		`{"x":"`+strings.Repeat("é", 30)+`"}`, "{\"d\":\"\xff\"}", "{\"d\":\"\x01\"}", `{"d":"\x"}`, `{"d":"`, `[]`, ``, `{"i"}`, `{i:1}`, `{"i":}`, `{"i":1,}`,
	)
	const number, list = `timestamp("unix_ms")`, "column 9: field tags: "
	wantRows(
		t, got,
		`{"i":-15,"d":"1h30m","x":"aGk=","bool":true,"at":"2001-01-01T00:00:00Z","ms":"2023-11-14T22:13:20.1235Z","day":"2001-02-02T23:00:00Z","tags":[1,2],"m":{"a":null,"b":2}}`,
		`{"i":9223372036854775807,"d":null,"x":null,"bool":null,"at":null,"ms":"2023-11-14T22:13:20.123Z","day":null,"tags":null,"m":null}`,
		`column 6: field i: the number 9223372036854775808 is beyond the 64 bits of an int; declare float or string`,
		`column 6: field i: found true, want a whole number (int)`,
		`column 8: field i: the number is not well-formed`,
		`column 7: field i: the number is not well-formed`,
		`column 6: field d: found the number 5, want a string such as "1h30m" (duration)`,
		`column 6: field d: found the string "5": write a duration as a number and a unit: 90s, 1h30m, 250ms; the units are d, h, m, s, ms, us`,
		`column 6: field x: found the string "?", want a string of base64 (bytes)`,
		`column 9: field bool: found the string "true", want true or false`,
		`column 7: field at: found the number 1700000000: a timestamp as a number needs a layout that says its unit, such as `+number,
		`column 7: field at: found the string "2001-02-30T00:00:00Z": the day is out of range: 01 to the last of the month`,
		`column 8: field day: found the number 20010203: a timestamp as a number needs a layout that says its unit, such as `+number,
		`column 7: field ms: found the number 1e300: the timestamp is out of range`,
		`column 7: field ms: found an array, want a timestamp`,
		`column 12: field tags: found null, want a whole number (int); declare its elements optional if they may be null`,
		list+`found an object, want an array`,
		`column 12: field tags: a comma or ] is wanted`,
		`column 10: field tags: found the number 1.5, want a whole number (int)`,
		`column 6: field m: found an array, want an object`,
		`column 11: field m: found the string "x", want a whole number (int)`,
		`column 7: field m: a name in quotes is wanted`,
		`column 6: field x: found the string "`+strings.Repeat("é", 19)+`..., want a string of base64 (bytes)`,
		`column 7: field d: the byte 0xff is not valid UTF-8`,
		`column 7: field d: a control character in a string must be written as an escape`,
		`column 7: field d: there is no such escape in a JSON string`,
		`column 7: field d: the string has no end; the record ends here`,
		`column 1: a record is a JSON object, {...}; found an array`,
		`column 1: a record is a JSON object, {...}; found nothing; the record ends here`,
		`column 5: a colon is wanted after a field's name`,
		`column 2: a field's name in quotes is wanted`,
		`column 6: field i: found "}", want a whole number (int)`,
		`column 8: a field's name in quotes is wanted`,
	)
}

// TestOwnership keeps strings of every origin and changes what they must not
// share.
func TestOwnership(t *testing.T) {
	s := gpflow.NewSchema(col("a", gpflow.KindString))
	d, err := jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: s})
	if err != nil {
		t.Fatal(err)
	}
	var kept []gpflow.Value
	row := make([]gpflow.Value, 1)
	for i := range 2000 {
		rec := fmt.Appendf(nil, `{"a":"\u0041%d"}`, i)
		if err := d.Decode(rec, row); err != nil {
			t.Fatal(err)
		}
		clear(rec)
		kept = append(kept, row[0])
	}
	for i, v := range kept {
		if want := fmt.Sprintf("A%d", i); v.Str() != want {
			t.Fatalf("string %d has become %q", i, v.Str())
		}
	}
	rec := []byte(`{"a":"plain"}`)
	if err := d.Decode(rec, row); err != nil {
		t.Fatal(err)
	}
	if unsafe.StringData(row[0].Str()) != &rec[6] {
		t.Error("a string without escapes does not share the record")
	}
}

func TestCheck(t *testing.T) {
	rec := gpflow.Type{Kind: gpflow.KindRecord, Fields: []gpflow.Column{col("x", gpflow.KindInt)}}
	for want, s := range map[string]*gpflow.Schema{
		"column a: values of type decimal(10, 2) cannot be read or written as JSON; declare float or string":                     {Columns: []gpflow.Column{{Name: "a", Type: gpflow.Type{Kind: gpflow.KindDecimal, Precision: 10, Scale: 2}}}},
		"column a: a record inside a list or map cannot be read or written as JSON; declare it as any":                           gpflow.NewSchema(gpflow.Column{Name: "a", Type: gpflow.ListOf(rec)}),
		"column a cannot be a value and an object with columns in it; rename one":                                                gpflow.NewSchema(col("a", gpflow.KindAny), col("a.b", gpflow.KindInt)),
		"there are two columns a; rename one":                                                                                    gpflow.NewSchema(col("a", gpflow.KindInt), col("a", gpflow.KindInt)),
		`column a: timestamp layout "%Q": unknown directive %Q; there are %Y %y %m %b %B %d %e %j %H %I %p %M %S %f %z %F %T %%`: gpflow.NewSchema(gpflow.Column{Name: "a", Type: gpflow.Type{Kind: gpflow.KindTimestamp, Layout: "%Q"}}),
	} {
		if err := jsonfmt.Check(s); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestFrame(t *testing.T) {
	s := gpflow.NewSchema(col("a", gpflow.KindInt))
	d, err := jsonfmt.NewDecoder(formats.DecoderOptions{Declared: s, Read: s})
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("\xef\xbb\xbf{}\r\n\n \t\r\n{\"a\":1}")
	var got []string
	for len(data) > 0 {
		n, rec, lines, err := d.Frame(data, true)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		got = append(got, fmt.Sprintf("%d %q %v %d", n, rec, rec == nil, lines))
		data = data[n:]
	}
	wantRows(t, got, `7 "{}" false 1`, `1 "" true 1`, `4 "" true 1`, `7 "{\"a\":1}" false 0`)
}
