package timefmt

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gpflow/gpflow"
)

// op is one step of a pattern: a directive, or a literal byte where verb is 0.
type op struct {
	verb byte
	lit  byte
}

func rangeError(what, want string) error {
	return fmt.Errorf("the %s is out of range: %s", what, want)
}

var (
	errLiteral = errors.New("the text does not match the declared layout")
	errDigits  = errors.New("a number is wanted where the declared layout has one")
	errName    = errors.New("the name of a month is wanted, such as Jan or January")
	errHalf    = errors.New("AM or PM is wanted")
	errHour12  = rangeError("hour", "01 to 12")
	errYearDay = rangeError("day of the year", "001 to 365, or 366 in a leap year")
)

// parts says which part of a time a directive gives.
var parts = map[byte]string{
	'Y': "year", 'y': "year", 'm': "month", 'b': "month", 'B': "month", 'd': "day", 'e': "day",
	'j': "day of the year", 'H': "hour", 'I': "hour of the half day", 'p': "half day",
	'M': "minute", 'S': "second", 'f': "fraction", 'z': "offset",
}

var composed = strings.NewReplacer("%%", "%%", "%T", "%H:%M:%S", "%F", "%Y-%m-%d")

func compile(layout string) (ops []op, err error) {
	s := composed.Replace(layout)
	seen := map[string]bool{}
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			ops = append(ops, op{lit: s[i]})
			continue
		}
		i++
		if i == len(s) {
			return nil, errors.New("% at the end; write %% for a percent sign")
		}
		if s[i] == '%' {
			ops = append(ops, op{lit: '%'})
			continue
		}
		part := parts[s[i]]
		if part == "" {
			return nil, fmt.Errorf("unknown directive %%%c; there are %%Y %%y %%m %%b %%B %%d %%e %%j %%H %%I %%p %%M %%S %%f %%z %%F %%T %%%%", s[i])
		}
		if seen[part] {
			return nil, fmt.Errorf("it gives the %s twice", part)
		}
		seen[part] = true
		ops = append(ops, op{verb: s[i]})
	}
	for i := 1; i < len(ops); i++ {
		if ops[i-1].verb == 'f' && ops[i].digit() {
			return nil, errors.New("a digit cannot follow %f, which takes all digits there are")
		}
	}
	return ops, complete(seen)
}

// digit reports whether what o stands for can begin with a digit.
func (o op) digit() bool {
	if o.verb == 0 {
		return o.lit-'0' < 10
	}
	return strings.IndexByte("bBpz", o.verb) < 0
}

// complete refuses patterns that do not make an instant.
func complete(seen map[string]bool) error {
	if !seen["year"] {
		return errors.New("it needs a year, such as %Y; a number since the epoch is \"unix\", \"unix_ms\", \"unix_us\" or \"unix_ns\"")
	}
	if seen["day of the year"] && (seen["month"] || seen["day"]) {
		return errors.New("%j and a month or day exclude each other")
	}
	if seen["hour"] && seen["hour of the half day"] {
		return errors.New("%H and %I exclude each other")
	}
	if seen["half day"] != seen["hour of the half day"] {
		return errors.New("%I and %p go together")
	}
	needs := []struct{ part, of string }{
		{"month", "day"}, {"minute", "second"}, {"second", "fraction"},
	}
	for _, n := range needs {
		if seen[n.of] && !seen[n.part] {
			return fmt.Errorf("the %s needs a %s", n.of, n.part)
		}
	}
	if seen["minute"] && !seen["hour"] && !seen["hour of the half day"] {
		return errors.New("the minute needs an hour")
	}
	return nil
}

// reading is a clock and what must be known before it is one.
type reading struct {
	clock
	yearDay int // 0: none
	half    int // 0: none, 1: AM, 2: PM
	hour12  bool
}

func parsePattern(ops []op, s string, zone *time.Location) (gpflow.Timestamp, error) {
	r := reading{clock: clock{month: 1, day: 1}}
	for _, o := range ops {
		if o.verb == 0 {
			if s == "" || s[0] != o.lit {
				return 0, errLiteral
			}
			s = s[1:]
			continue
		}
		n, err := r.read(o.verb, s)
		if err != nil {
			return 0, err
		}
		s = s[n:]
	}
	if s != "" {
		return 0, errTrailing
	}
	return r.finish(zone)
}

// read takes the directive verb off s and returns its length.
func (r *reading) read(verb byte, s string) (n int, err error) {
	switch verb {
	case 'Y':
		if n = digits(s, 4, &r.year); n != 4 {
			return 0, errDigits
		}
		return n, nil
	case 'y':
		n = digits(s, 2, &r.year)
		r.year += 1900
		if r.year < 1969 {
			r.year += 100
		}
	case 'm':
		n = digits(s, 2, &r.month)
	case 'd':
		n = digits(s, 2, &r.day)
	case 'e':
		if s != "" && s[0] == ' ' {
			n = 1
		}
		d := digits(s[n:], 2-n, &r.day)
		if d == 0 {
			return 0, errDigits
		}
		n += d
	case 'j':
		n = digits(s, 3, &r.yearDay)
		if r.yearDay == 0 && n > 0 {
			return 0, errYearDay
		}
	case 'H':
		n = digits(s, 2, &r.hour)
	case 'I':
		n = digits(s, 2, &r.hour)
		if r.hour12 = true; n > 0 && (r.hour < 1 || r.hour > 12) {
			return 0, errHour12
		}
	case 'M':
		n = digits(s, 2, &r.min)
	case 'S':
		n = digits(s, 2, &r.sec)
	case 'f':
		n, r.micro = fraction(s)
	case 'b', 'B':
		return r.monthName(s, verb == 'B')
	case 'p':
		return r.halfDay(s)
	case 'z':
		return r.zone(s, false)
	}
	if n == 0 {
		return 0, errDigits
	}
	return n, nil
}

// finish turns r into an instant.
func (r *reading) finish(zone *time.Location) (gpflow.Timestamp, error) {
	if r.hour12 {
		r.hour %= 12
		if r.half == 2 {
			r.hour += 12
		}
	}
	if r.yearDay > 0 {
		d := r.yearDay
		if d > 366 || d == 366 && !leap(r.year) {
			return 0, errYearDay
		}
		r.month = 1
		for n := daysIn(r.year, 1); d > n; n = daysIn(r.year, r.month) {
			d -= n
			r.month++
		}
		r.day = d
	}
	return r.instant(zone)
}

// digits reads up to limit digits into v and returns how many there were.
func digits(s string, limit int, v *int) (n int) {
	x := 0
	for n < limit && n < len(s) && s[n]-'0' < 10 {
		x = x*10 + int(s[n]-'0')
		n++
	}
	*v = x
	return n
}

var months = [...]string{
	"January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December",
}

// monthName reads a month's name, in any case: whole, or its first three
// letters.
func (r *reading) monthName(s string, whole bool) (n int, err error) {
	for i, name := range months {
		if !whole {
			name = name[:3]
		}
		if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
			r.month = i + 1
			return len(name), nil
		}
	}
	return 0, errName
}

func (r *reading) halfDay(s string) (n int, err error) {
	if len(s) < 2 || s[1]|0x20 != 'm' {
		return 0, errHalf
	}
	switch s[0] | 0x20 {
	case 'a':
		r.half = 1
	case 'p':
		r.half = 2
	default:
		return 0, errHalf
	}
	return 2, nil
}

func appendPattern(dst []byte, ops []op, t gpflow.Timestamp) []byte {
	c := civil(t)
	for _, o := range ops {
		switch o.verb {
		case 0:
			dst = append(dst, o.lit)
		case 'Y':
			dst = append4(dst, c.year)
		case 'y':
			dst = append2(dst, c.year%100)
		case 'm':
			dst = append2(dst, c.month)
		case 'b':
			dst = append(dst, months[c.month-1][:3]...)
		case 'B':
			dst = append(dst, months[c.month-1]...)
		case 'd':
			dst = append2(dst, c.day)
		case 'e':
			if dst = append2(dst, c.day); c.day < 10 {
				dst[len(dst)-2] = ' '
			}
		case 'j':
			d := int(days(c.year, c.month, c.day)-days(c.year, 1, 1)) + 1
			dst = append2(append(dst, byte('0'+d/100)), d%100)
		case 'H':
			dst = append2(dst, c.hour)
		case 'I':
			dst = append2(dst, (c.hour+11)%12+1)
		case 'p':
			if c.hour < 12 {
				dst = append(dst, "AM"...)
			} else {
				dst = append(dst, "PM"...)
			}
		case 'M':
			dst = append2(dst, c.min)
		case 'S':
			dst = append2(dst, c.sec)
		case 'f':
			dst = append2(append4(dst, c.micro/100), c.micro%100)
		case 'z':
			dst = append(dst, "+0000"...)
		}
	}
	return dst
}
