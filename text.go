package gpflow

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrNotFinite is the error of writing NaN or an infinity where the format has
// no way to say it.
var ErrNotFinite = errors.New("NaN and infinity cannot be written as JSON; test with x == x, as in x == x ? x : 0.0")

// AppendJSON appends v as JSON text. Timestamps are RFC 3339 in UTC with as
// many fractional digits as needed, durations as in "1h30m", bytes are
// standard base64. On an error dst is returned as it was.
func AppendJSON(dst []byte, v Value) ([]byte, error) {
	out, err := appendJSON(dst, v, false)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// appendJSON appends v as JSON text; loose writes numbers that are not finite
// as text.
func appendJSON(dst []byte, v Value, loose bool) ([]byte, error) {
	switch v.Kind() {
	case KindNull:
		return append(dst, "null"...), nil
	case KindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case KindInt:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case KindFloat:
		if f := v.Float(); !loose || f-f == 0 {
			return appendFloat(dst, f)
		}
		return AppendQuoted(dst, strconv.FormatFloat(v.Float(), 'g', -1, 64)), nil
	case KindString:
		return AppendQuoted(dst, v.Str()), nil
	case KindBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.Bytes())
		return append(dst, '"'), nil
	case KindTimestamp:
		dst = append(dst, '"')
		dst = AppendTime(dst, v.Time())
		return append(dst, '"'), nil
	case KindDuration:
		return AppendQuoted(dst, v.Span().String()), nil
	case KindList:
		var err error
		dst = append(dst, '[')
		for i, e := range v.List() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, e, loose); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case KindMap:
		var err error
		dst = append(dst, '{')
		for i, e := range v.Map() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendQuoted(dst, e.Key), ':')
			if dst, err = appendJSON(dst, e.Value, loose); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
	return dst, errors.New("a value of kind " + v.Kind().String() + " has no JSON form")
}

// appendFloat writes f as encoding/json does (ECMA-262, 7.1.12.1).
func appendFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, ErrNotFinite
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 && !(f == 0 && math.Signbit(f)) {
		return strconv.AppendInt(dst, int64(f), 10), nil
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, f, format, -1, 64)
	if n := len(dst); format == 'e' && n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst, nil
}

// AppendTime appends t in RFC 3339, UTC, with no trailing zeros.
func AppendTime(dst []byte, t Timestamp) []byte {
	return time.UnixMicro(int64(t)).UTC().AppendFormat(dst, time.RFC3339Nano)
}

// ParseTime reads a time in RFC 3339, such as 2026-01-01T00:00:00Z. What is finer
// than a microsecond is cut off.
func ParseTime(s string) (Timestamp, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time; write it as 2026-01-01T00:00:00Z", s)
	}
	return Timestamp(t.UnixMicro()), nil
}

// String returns t in RFC 3339, or a word for the ends of time.
func (t Timestamp) String() string {
	switch t {
	case MinTimestamp:
		return "-infinity"
	case MaxTimestamp:
		return "+infinity"
	}
	return string(AppendTime(nil, t))
}

// String returns d as in "1h30m", "250ms" or "0s". ParseDuration reads it.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	u := uint64(d)
	if d < 0 {
		b.WriteByte('-')
		u = -u
	}
	for _, unit := range durationUnits {
		if n := u / uint64(unit.d); n > 0 {
			b.WriteString(strconv.FormatUint(n, 10))
			b.WriteString(unit.name)
			u -= n * uint64(unit.d)
		}
	}
	return b.String()
}

var durationUnits = []struct {
	name string
	d    Duration
}{{"d", Day}, {"h", Hour}, {"m", Minute}, {"s", Second}, {"ms", Millisecond}, {"us", Microsecond}}

var (
	errDuration     = errors.New("write a duration as a number and a unit: 90s, 1h30m, 250ms; the units are d, h, m, s, ms, us")
	errLongDuration = errors.New("the duration is too long")
)

// ParseDuration reads a duration such as "90s", "1h30m", "1.5s" or "7d". The
// units are d (24 hours), h, m, s, ms and us.
func ParseDuration(s string) (Duration, error) {
	bad := errDuration
	rest, neg := s, false
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		neg, rest = rest[0] == '-', rest[1:]
	}
	if rest == "" {
		return 0, bad
	}
	var total float64
	var exact int64
	for rest != "" {
		n := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if n <= 0 {
			return 0, bad
		}
		x, err := strconv.ParseFloat(rest[:n], 64)
		if err != nil {
			return 0, bad
		}
		num := rest[:n]
		rest = rest[n:]
		n = strings.IndexFunc(rest, func(r rune) bool { return r >= '0' && r <= '9' || r == '.' })
		if n < 0 {
			n = len(rest)
		}
		unit := Duration(0)
		for _, u := range durationUnits {
			if u.name == rest[:n] || rest[:n] == "µs" && u.d == Microsecond {
				unit = u.d
			}
		}
		if unit == 0 {
			return 0, bad
		}
		rest = rest[n:]
		if i, err := strconv.ParseInt(num, 10, 64); err == nil {
			exact += i * int64(unit)
		} else {
			exact += int64(math.Round(x * float64(unit)))
		}
		total += x * float64(unit)
	}
	if total > math.MaxInt64/2 {
		return 0, errLongDuration
	}
	if neg {
		exact = -exact
	}
	return Duration(exact), nil
}

const hexDigits = "0123456789abcdef"

// plain marks the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c < 0x80 && c != '"' && c != '\\'
	}
	return t
}()

// AppendQuoted appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD, as in encoding/json. HTML is not escaped.
func AppendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, w := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && w == 1 {
				dst = append(append(dst, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += w
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// RowJSON appends row as a JSON object, dotted columns as nested objects. It
// is for messages and errors, and writes NaN and infinity as text; formats/jsonfmt
// has the fast encoder.
func RowJSON(dst []byte, s *Schema, row []Value) []byte {
	dst = append(dst, '{')
	var open []string // the records that are open
	first := true
	for i, c := range s.Columns {
		path := strings.Split(c.Name, ".")
		dirs := path[:len(path)-1]
		same := 0
		for same < len(open) && same < len(dirs) && open[same] == dirs[same] {
			same++
		}
		for range open[same:] {
			dst = append(dst, '}')
		}
		for _, d := range dirs[same:] {
			if !first {
				dst = append(dst, ',')
			}
			dst = append(AppendQuoted(dst, d), ':', '{')
			first = true
		}
		open = append(open[:same:same], dirs[same:]...)
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(AppendQuoted(dst, path[len(path)-1]), ':')
		n := len(dst)
		var err error
		if dst, err = appendJSON(dst, row[i], true); err != nil {
			dst = AppendQuoted(dst[:n], err.Error())
		}
	}
	for range open {
		dst = append(dst, '}')
	}
	return append(dst, '}')
}
