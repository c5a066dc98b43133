package expr

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gpflow/gpflow"
)

// part makes a function of a timestamp's UTC calendar.
func part(name string, f func(time.Time) int) *function {
	return &function{
		name: name, params: []kinds{aTime}, result: is(tInt), example: name + "(t)",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			return gpflow.Int(int64(f(goTime(args[0].Time())))), nil
		},
	}
}

func goTime(t gpflow.Timestamp) time.Time { return time.UnixMicro(int64(t)).UTC() }

var timeFunctions = []*function{
	part("year", time.Time.Year),
	part("month", func(t time.Time) int { return int(t.Month()) }),
	part("day_of_month", time.Time.Day),
	part("day_of_year", time.Time.YearDay),
	part("hour", time.Time.Hour),
	part("minute", time.Time.Minute),
	part("second", time.Time.Second),
	part("weekday", func(t time.Time) int { return int(t.Weekday()) }),
	{
		name: "day", params: []kinds{aTime}, result: is(tTime), example: "day(t)",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			t, err := floorTime(args[0].Time(), gpflow.Day)
			return gpflow.Time(t), err
		},
	},
	{
		name: "truncate", params: []kinds{aTime, aDuration}, result: is(tTime), example: "truncate(t, duration('1h'))",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			t, err := floorTime(args[0].Time(), args[1].Span())
			return gpflow.Time(t), err
		},
	},
	{
		name: "unix", params: []kinds{aTime}, result: is(tInt), example: "unix(t)",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			return gpflow.Int(floorDiv(args[0].Int(), int64(gpflow.Second))), nil
		},
	},
	{name: "timestamp", params: []kinds{aString | anInt | aTime}, result: is(tTime), eval: toTime, example: "timestamp('2001-01-01T00:00:00Z')"},
	{name: "duration", params: []kinds{aString | aDuration}, result: is(tDuration), eval: toDuration, example: "duration('90s')"},
	{name: "format_time", params: []kinds{aTime, aString}, result: is(tString), eval: formatTime, example: "format_time(t, '%Y-%m-%d')"},
}

// floorDiv returns a/b towards minus infinity; b is positive.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// floorTime returns the last multiple of d since the epoch that is not after t.
func floorTime(t gpflow.Timestamp, d gpflow.Duration) (gpflow.Timestamp, error) {
	if d <= 0 {
		return 0, errors.New("the duration to truncate to must be more than 0")
	}
	r, ok := mulInt(floorDiv(int64(t), int64(d)), int64(d))
	if !ok {
		return 0, errTime
	}
	return gpflow.Timestamp(r), nil
}

var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"}

// toTime computes timestamp(x): a text in RFC 3339, in UTC where it names no
// zone, or seconds since the epoch.
func toTime(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
	v := args[0]
	switch v.Kind() {
	case gpflow.KindTimestamp:
		return v, nil
	case gpflow.KindInt:
		us, ok := mulInt(v.Int(), int64(gpflow.Second))
		if !ok {
			return gpflow.Null, errTime
		}
		return gpflow.Time(gpflow.Timestamp(us)), nil
	}
	for _, layout := range timeLayouts {
		if len(v.Str()) < len("2006-01-02") {
			break
		}
		if t, err := time.Parse(layout, v.Str()); err == nil {
			return gpflow.Time(gpflow.Timestamp(t.UnixMicro())), nil
		}
	}
	return gpflow.Null, fmt.Errorf("%s is not a timestamp; write it as 2001-01-01T00:00:00Z", quoted(v.Str()))
}

// toDuration computes duration(x).
func toDuration(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
	if args[0].Kind() == gpflow.KindDuration {
		return args[0], nil
	}
	d, err := gpflow.ParseDuration(args[0].Str())
	if err != nil {
		return gpflow.Null, fmt.Errorf("%s is not a duration; %w", quoted(args[0].Str()), err)
	}
	return gpflow.Span(d), nil
}

// formatTime computes format_time(t, layout).
func formatTime(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
	b, err := appendTime(fr.scratch[:0], goTime(args[0].Time()), args[1].Str())
	fr.scratch = b
	if err != nil {
		return gpflow.Null, err
	}
	s, err := fr.text(b)
	return gpflow.String(s), err
}

// appendTime appends t in a layout of strftime. The verbs are Y m d H M S y j
// e b B a A p I f L F T s z Z and %.
func appendTime(b []byte, t time.Time, layout string) ([]byte, error) {
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' {
			b = append(b, layout[i])
			continue
		}
		i++
		if i == len(layout) {
			return b, errors.New("the layout ends in %; write %% for a percent sign")
		}
		var ok bool
		if b, ok = appendVerb(b, t, layout[i]); !ok {
			return b, fmt.Errorf("the layout has %%%c; the verbs are Y m d H M S y j e b B a A p I f L F T s z Z and %%", layout[i])
		}
	}
	return b, nil
}

func appendVerb(b []byte, t time.Time, verb byte) ([]byte, bool) {
	switch verb {
	case 'Y':
		return strconv.AppendInt(b, int64(t.Year()), 10), true
	case 'm':
		return padded(b, int(t.Month()), 2), true
	case 'd':
		return padded(b, t.Day(), 2), true
	case 'H':
		return padded(b, t.Hour(), 2), true
	case 'M':
		return padded(b, t.Minute(), 2), true
	case 'S':
		return padded(b, t.Second(), 2), true
	case 'y':
		return padded(b, ((t.Year()%100)+100)%100, 2), true
	case 'j':
		return padded(b, t.YearDay(), 3), true
	case 'f':
		return padded(b, t.Nanosecond()/1e3, 6), true
	case 'L':
		return padded(b, t.Nanosecond()/1e6, 3), true
	case 's':
		return strconv.AppendInt(b, t.Unix(), 10), true
	case '%':
		return append(b, '%'), true
	}
	layout, ok := goVerbs[verb]
	if !ok {
		return b, false
	}
	return t.AppendFormat(b, layout), true
}

// goVerbs are the verbs that are layouts of package time.
var goVerbs = map[byte]string{
	'e': "_2", 'b': "Jan", 'B': "January", 'a': "Mon", 'A': "Monday", 'p': "PM", 'I': "03",
	'F': "2006-01-02", 'T': "15:04:05", 'z': "-0700", 'Z': "MST",
}

// padded appends n, not negative, with zeros in front up to width.
func padded(b []byte, n, width int) []byte {
	limit := 1
	for range width - 1 {
		limit *= 10
	}
	for ; n < limit && limit > 1; limit /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, int64(n), 10)
}
