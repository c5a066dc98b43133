// Package timefmt reads and writes timestamps in the layouts that a schema
// declares: RFC 3339, numbers since the epoch, and strftime patterns. Reading
// and writing allocate nothing.
package timefmt

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gpflow/gpflow"
)

// Layout is a compiled layout. It is immutable and may be shared. The zero
// Layout is RFC 3339.
type Layout struct {
	text  string
	units int64 // units of the number in a second; 0: text
	ops   []op  // of a pattern; nil: RFC 3339 or a number
	short bool  // the pattern has a year of two digits
}

// Compile reads a layout, which is "" for RFC 3339, "unix", "unix_ms",
// "unix_us" or "unix_ns" for a number of seconds, milliseconds, microseconds or
// nanoseconds since 1970-01-01T00:00:00Z, or a strftime pattern made of text
// and the directives
//
//	%Y year, four digits    %m month           %d day              %j day of the year
//	%y year, two digits     %b Jan             %e day after space  %F %Y-%m-%d
//	%H hour                 %B January         %p AM, PM           %T %H:%M:%S
//	%I hour, 12 to a half   %M minute          %S second           %f fraction of a second
//	%z offset from UTC      %% percent sign
//
// A pattern has a year; what else it lacks is the earliest there is. %y means
// 1969 to 2068.
func Compile(layout string) (*Layout, error) {
	l := &Layout{text: layout}
	switch layout {
	case "":
	case "unix":
		l.units = 1
	case "unix_ms":
		l.units = 1e3
	case "unix_us":
		l.units = 1e6
	case "unix_ns":
		l.units = 1e9
	default:
		ops, err := compile(layout)
		if err != nil {
			return nil, fmt.Errorf("timestamp layout %q: %w", layout, err)
		}
		l.ops = ops
		l.short = slices.Contains(ops, op{verb: 'y'})
	}
	return l, nil
}

// Numeric reports whether the layout is a number.
func (l *Layout) Numeric() bool { return l.units != 0 }

// String returns the layout as Compile was given it.
func (l *Layout) String() string { return l.text }

// The errors of reading. They do not repeat the text that was read.
var (
	errTrailing   = errors.New("there is text after the end of the timestamp")
	errRFC3339    = errors.New("a timestamp is written as 2006-01-02T15:04:05Z; other layouts are declared as timestamp(\"%Y/%m/%d\") or timestamp(\"unix_ms\")")
	errRange      = errors.New("the timestamp is out of range")
	errNumber     = errors.New("a number since the epoch is wanted")
	errNotNumeric = errors.New("a timestamp as a number needs a layout that says its unit, such as timestamp(\"unix_ms\")")
)

// Parse returns the instant that text names. A time without an offset is one
// in zone, where nil is UTC; one that a change of clocks left out or has twice
// is resolved as time.Date does. What is finer than a microsecond is cut off,
// towards the past.
func (l *Layout) Parse(text string, zone *time.Location) (gpflow.Timestamp, error) {
	switch {
	case l.units != 0:
		return l.parseNumber(text)
	case l.ops != nil:
		return parsePattern(l.ops, text, zone)
	}
	return parseRFC3339(text, zone)
}

// FromInt returns the instant that is n units after the epoch. It is an error
// where the layout is text.
func (l *Layout) FromInt(n int64) (gpflow.Timestamp, error) {
	switch {
	case l.units == 0:
		return 0, errNotNumeric
	case l.units > 1e6:
		return gpflow.Timestamp(floorDiv(n, l.units/1e6)), nil
	}
	per := 1e6 / l.units
	if n > math.MaxInt64/per || n < math.MinInt64/per {
		return 0, errRange
	}
	return gpflow.Timestamp(n * per), nil
}

// FromFloat returns the instant that is f units after the epoch, to the
// nearest microsecond. It is an error where the layout is text.
func (l *Layout) FromFloat(f float64) (gpflow.Timestamp, error) {
	if l.units == 0 {
		return 0, errNotNumeric
	}
	us := math.Round(f * (1e6 / float64(l.units)))
	if !(us > -1<<63 && us < 1<<63) {
		return 0, errRange
	}
	return gpflow.Timestamp(us), nil
}

// Fits reports whether Append can write t so that Parse reads it back, but for
// parts that a pattern leaves out: text holds the years 0 to 9999, or 1969 to
// 2068 with %y, a number everything but MinTimestamp and, in nanoseconds, what
// 64 bits do not hold.
func (l *Layout) Fits(t gpflow.Timestamp) bool {
	switch {
	case l.short:
		return t >= minShort && t <= maxShort
	case l.units == 0:
		return t >= minText && t <= maxText
	case l.units > 1e6:
		return t >= math.MinInt64/1000 && t <= math.MaxInt64/1000
	}
	return t != gpflow.MinTimestamp
}

// The first and the last microsecond of the years 0 to 9999, and 1969 to 2068.
const (
	minText  = -62167219200 * 1e6
	maxText  = 253402300800*1e6 - 1
	minShort = -365 * 86400 * 1e6
	maxShort = 3124224000*1e6 - 1
)

// Append appends t, in UTC. A number has as many fractional digits as it
// needs, RFC 3339 likewise; %f always has six. It writes nothing sensible
// where Fits is false.
func (l *Layout) Append(dst []byte, t gpflow.Timestamp) []byte {
	switch {
	case l.units != 0:
		return l.appendNumber(dst, t)
	case l.ops != nil:
		return appendPattern(dst, l.ops, t)
	}
	return appendRFC3339(dst, t)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
