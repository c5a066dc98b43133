package timefmt_test

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/timefmt"
)

func compile(t rapid.TB, layout string) *timefmt.Layout {
	t.Helper()
	l, err := timefmt.Compile(layout)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const (
	minText = -62167219200e6
	maxText = 253402300800e6 - 1
)

// TestRFC3339 compares reading and writing with the time package, and damaged
// text too.
func TestRFC3339(t *testing.T) {
	l := compile(t, "")
	rapid.Check(t, func(t *rapid.T) {
		us := rapid.Int64Range(minText, maxText).Draw(t, "time")
		if rapid.Bool().Draw(t, "whole") {
			us -= us % 1e6
		}
		at := time.UnixMicro(us)
		want := at.UTC().Format(time.RFC3339Nano)
		if got := string(l.Append(nil, gpflow.Timestamp(us))); got != want {
			t.Fatalf("%d is written %s, want %s", us, got, want)
		}
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60-59, 23*60+59).Draw(t, "offset"))
		text := at.Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "ns"))).In(zone).Format(time.RFC3339Nano)
		if text[0] != '-' && text[4] == '-' { // the offset may lead out of the years 0 to 9999
			agree(t, l, text)
			damaged := []byte(text)
			damaged[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("0123456789-:.T Z+x")).Draw(t, "byte")
			agree(t, l, string(damaged))
			agree(t, l, text[:rapid.IntRange(0, len(text)).Draw(t, "cut")])
		}
	})
}

// The form of what is read, and the numbers of an offset. The time package is
// more lenient in both.
var form = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)?$`)

// agree checks that text of the right form is read as the time package reads
// it, and that other text is refused.
func agree(t rapid.TB, l *timefmt.Layout, text string) {
	t.Helper()
	got, err := l.Parse(text, nil)
	if !form.MatchString(text) {
		if err == nil {
			t.Fatalf("%q was read as %s", text, got)
		}
		return
	}
	std := text[:10] + "T" + strings.Replace(text[11:], "z", "Z", 1)
	layout := time.RFC3339Nano
	if !strings.ContainsAny(std[19:], "Z+-") {
		layout = "2006-01-02T15:04:05.999999999"
	}
	want, werr := time.Parse(layout, std)
	if (err == nil) != (werr == nil) {
		t.Fatalf("%q gave %v; the time package says %v", text, err, werr)
	}
	if err == nil && int64(got) != want.UnixMicro() {
		t.Fatalf("%q is %s, want %s", text, got, want)
	}
}

func FuzzRFC3339(f *testing.F) {
	for _, s := range []string{
		"2001-01-01T00:00:00Z", "2001-01-01 00:00:00", "2004-02-29t23:59:59.123456789z", "1999-12-31T23:59:59.5-08:00",
		"2001-02-29T00:00:00Z", "0000-01-01T00:00:00+23:59", "2001-01-01T00:00:60Z", "2001-01-01T00:00:00.Z",
	} {
		f.Add(s)
	}
	l := compile(f, "")
	f.Fuzz(func(t *testing.T, s string) { agree(t, l, s) })
}

// FuzzPattern reads any text in any pattern. What was read and written once is
// read and written the same ever after.
func FuzzPattern(f *testing.F) {
	for _, p := range layouts {
		f.Add(p.pattern, time.UnixMicro(1700000000123456).UTC().Format(p.std))
	}
	f.Add("%y%j %f", "01366 1")
	f.Fuzz(func(t *testing.T, layout, text string) {
		l, err := timefmt.Compile(layout)
		if err != nil {
			return
		}
		at, err := l.Parse(text, nil)
		for range 2 {
			if err != nil || !l.Fits(at) {
				return
			}
			before := at
			text = string(l.Append(nil, at))
			if at, err = l.Parse(text, nil); err != nil {
				t.Fatalf("%s is written %q in %q and not read: %v", before, text, layout, err)
			}
		}
		if got := string(l.Append(nil, at)); got != text {
			t.Fatalf("%q of %q is read as %s and written %q", text, layout, at, got)
		}
	})
}

// layouts are patterns and the same for the time package.
var layouts = []struct{ pattern, std string }{
	{"%Y-%m-%d %H:%M:%S.%f", "2006-01-02 15:04:05.000000"},
	{"%F %T,%f", "2006-01-02 15:04:05,000000"},
	{"%Y/%j %I:%M:%S.%f %p", "2006/002 03:04:05.000000 PM"},
	{"%e %b %Y %H:%M:%S.%f%z", "_2 Jan 2006 15:04:05.000000-0700"},
	{"%B %d, %Y %%%T.%f", "January 02, 2006 %15:04:05.000000"},
	{"%Y%m%d%H%M%S.%f", "20060102150405.000000"},
}

func TestPatterns(t *testing.T) {
	for _, p := range layouts {
		l := compile(t, p.pattern)
		rapid.Check(t, func(t *rapid.T) {
			us := rapid.Int64Range(minText, maxText).Draw(t, "time")
			want := time.UnixMicro(us).UTC().Format(p.std)
			text := string(l.Append(nil, gpflow.Timestamp(us)))
			if text != want {
				t.Fatalf("%d is written %q, want %q", us, text, want)
			}
			if got, err := l.Parse(text, nil); err != nil || int64(got) != us {
				t.Fatalf("%q is read as %d, %v, want %d", text, got, err, us)
			}
		})
	}
}

func TestParse(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("there are no time zones here: ", err)
	}
	for _, tc := range []struct {
		layout, text string
		zone         *time.Location
		want         string // RFC 3339, or a part of the error
	}{
		{"", "2001-01-01 00:00:00", nil, "2001-01-01T00:00:00Z"},
		{"", "2001-07-01T00:00:00.25", berlin, "2001-06-30T22:00:00.25Z"},
		{"", "2001-07-01T00:00:00Z", berlin, "2001-07-01T00:00:00Z"},
		{"", "1969-12-31T23:59:59.9999999Z", nil, "1969-12-31T23:59:59.999999Z"},
		{"", "2001-13-01T00:00:00Z", nil, "month is out of range"},
		{"", "2001-02-29T00:00:00Z", nil, "day is out of range"},
		{"", "1900-02-29T00:00:00Z", nil, "day is out of range"},
		{"", "2001-02-28T24:00:00Z", nil, "hour is out of range"},
		{"", "2001-02-28T00:60:00Z", nil, "minute is out of range"},
		{"", "2001-02-28T00:00:00+24:00", nil, "offset is out of range"},
		{"", "2001-02-28T00:00:00Zx", nil, "after the end"},
		{"", "1700000000", nil, `timestamp("unix_ms")`},
		{"%Y/%m/%d %H:%M", "2001/01/14 21:55", nil, "2001-01-14T21:55:00Z"},
		{"%Y/%m/%d %H:%M", "2001/7/4 1:05", berlin, "2001-07-03T23:05:00Z"},
		{"%Y/%m/%d %H:%M", "2001/01/14", nil, "does not match"},
		{"%Y/%m/%d", "2001/02/31", nil, "day is out of range"},
		{"%Y/%m/%d", "01/02/03", nil, "a number is wanted"},
		{"%y-%m", "69-02", nil, "1969-02-01T00:00:00Z"},
		{"%y", "68", nil, "2068-01-01T00:00:00Z"},
		{"%Y %j", "2004 366", nil, "2004-12-31T00:00:00Z"},
		{"%Y %j", "2001 366", nil, "day of the year is out of range"},
		{"%Y %j", "2001 000", nil, "day of the year is out of range"},
		{"%d %b %Y", "4 JUL 2001", nil, "2001-07-04T00:00:00Z"},
		{"%d %B %Y", "4 Jul 2001", nil, "name of a month"},
		{"%F %I%p", "2001-01-01 12am", nil, "2001-01-01T00:00:00Z"},
		{"%F %I%p", "2001-01-01 12PM", nil, "2001-01-01T12:00:00Z"},
		{"%F %I%p", "2001-01-01 13PM", nil, "01 to 12"},
		{"%FT%T%z", "2001-01-01T00:00:00+05:30", berlin, "2000-12-31T18:30:00Z"},
		{"%FT%T%z", "2001-01-01T00:00:00Z", berlin, "2001-01-01T00:00:00Z"},
		{"%F %e", "", nil, "twice"},
		{"%H:%M", "", nil, "needs a year"},
		{"%Y %Q", "", nil, "unknown directive %Q"},
		{"%Y %", "", nil, "at the end"},
		{"%Y %j %d", "", nil, "exclude each other"},
		{"%F %I", "", nil, "go together"},
		{"%F %S", "", nil, "needs a minute"},
		{"%T.%f%Y", "", nil, "cannot follow %f"},
		{"unix", "1700000000.5", nil, "2023-11-14T22:13:20.5Z"},
		{"unix", "-0.0000001", nil, "1969-12-31T23:59:59.999999Z"},
		{"unix", "1.7e9", nil, "2023-11-14T22:13:20Z"},
		{"unix", "x", nil, "number since the epoch"},
		{"unix", "1e300", nil, "out of range"},
		{"unix", "9223372036855", nil, "out of range"},
		{"unix_ms", "1700000000123.4567", nil, "2023-11-14T22:13:20.123456Z"},
		{"unix_us", "-1.5", nil, "1969-12-31T23:59:59.999998Z"},
		{"unix_ns", "-1500", nil, "1969-12-31T23:59:59.999998Z"},
		{"unix_ns", "1999.9", nil, "1970-01-01T00:00:00.000001Z"},
	} {
		var got string
		l, err := timefmt.Compile(tc.layout)
		var at gpflow.Timestamp
		if err == nil {
			at, err = l.Parse(tc.text, tc.zone)
		}
		if got = at.String(); err != nil {
			got = err.Error()
		}
		if (err == nil || !strings.Contains(got, tc.want)) && got != tc.want {
			t.Errorf("%q of %q is %s, want %s", tc.layout, tc.text, got, tc.want)
		}
	}
}

// TestNumbers compares numbers as text with rational arithmetic, and writes
// and reads them back.
func TestNumbers(t *testing.T) {
	units := map[string]int64{"unix": 1, "unix_ms": 1e3, "unix_us": 1e6, "unix_ns": 1e9}
	rapid.Check(t, func(t *rapid.T) {
		layout := rapid.SampledFrom([]string{"unix", "unix_ms", "unix_us", "unix_ns"}).Draw(t, "layout")
		l := compile(t, layout)
		text := rapid.StringMatching(`-?[0-9]{1,13}(\.[0-9]{1,12})?`).Draw(t, "number")
		x, _ := new(big.Rat).SetString(text)
		x.Mul(x, big.NewRat(1e6, units[layout]))
		want := new(big.Int).Div(x.Num(), x.Denom()) // Euclidean: floor, the denominator being positive
		got, err := l.Parse(text, nil)
		if !want.IsInt64() {
			if err == nil {
				t.Fatalf("%s of %s was read as %d", layout, text, got)
			}
		} else if err != nil || int64(got) != want.Int64() {
			t.Fatalf("%s of %s is %d, %v, want %s", layout, text, got, err, want)
		}
		at := gpflow.Timestamp(rapid.Int64Range(math.MinInt64+1, math.MaxInt64).Draw(t, "time"))
		if !l.Fits(at) {
			return
		}
		text = string(l.Append(nil, at))
		if got, err := l.Parse(text, nil); err != nil || got != at {
			t.Fatalf("%d is written %s in %s and read as %d, %v", at, text, layout, got, err)
		}
	})
}

func TestFromNumber(t *testing.T) {
	l := compile(t, "unix")
	if got, err := l.FromInt(-1); got != -1e6 || err != nil {
		t.Error(got, err)
	}
	if got, err := l.FromFloat(1.25); got != 1250000 || err != nil {
		t.Error(got, err)
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), 1e18} {
		if got, err := l.FromFloat(f); err == nil {
			t.Errorf("%g became %d", f, got)
		}
	}
	if _, err := l.FromInt(math.MaxInt64); err == nil {
		t.Error("an instant beyond the end of time was accepted")
	}
	text := compile(t, "")
	if _, err := text.FromInt(1); err == nil {
		t.Error("a number was accepted where the layout is text")
	}
	if _, err := text.FromFloat(1); err == nil {
		t.Error("a number was accepted where the layout is text")
	}
}

func TestFits(t *testing.T) {
	for layout, ends := range map[string][2]string{
		"":   {"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"},
		"%Y": {"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"},
		"%y": {"1969-01-01T00:00:00Z", "2068-12-31T23:59:59.999999Z"},
	} {
		l, rfc := compile(t, layout), compile(t, "")
		first, err := rfc.Parse(ends[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		last, err := rfc.Parse(ends[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		if !l.Fits(first) || l.Fits(first-1) || !l.Fits(last) || l.Fits(last+1) {
			t.Errorf("%q does not fit from %s to %s", layout, ends[0], ends[1])
		}
	}
}

func TestDuration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := gpflow.Duration(rapid.Int64().Draw(t, "duration"))
		if got := string(timefmt.AppendDuration(nil, d)); got != d.String() {
			t.Fatalf("%d is %s, want %s", int64(d), got, d)
		}
	})
}

func TestAllocations(t *testing.T) {
	zone := time.FixedZone("x", 3600)
	dst := make([]byte, 0, 64)
	for _, tc := range [][2]string{
		{"", "2001-01-01T00:00:00.123Z"},
		{"", "2001-01-01 00:00:00"},
		{"unix", "1700000000.5"},
		{"%d %b %Y %I:%M %p", "04 Jul 2001 01:02 PM"},
	} {
		l := compile(t, tc[0])
		if n := testing.AllocsPerRun(100, func() {
			at, err := l.Parse(tc[1], zone)
			if err != nil {
				t.Fatal(err)
			}
			dst = l.Append(dst[:0], at)
		}); n != 0 {
			t.Errorf("%q: %v allocations", tc[0], n)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for name, tc := range map[string][2]string{
		"rfc3339": {"", "2023-11-14T22:15:23.456Z"}, "unix_ms": {"unix_ms", "1700000123456"},
		"pattern": {"%Y/%m/%d %H:%M", "2001/01/14 21:55"},
	} {
		b.Run(name, func(b *testing.B) {
			l := compile(b, tc[0])
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Parse(tc[1], nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
