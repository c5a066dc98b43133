package timefmt

import (
	"time"

	"github.com/gpflow/gpflow"
)

// clock is a civil time, with an offset where zoned.
type clock struct {
	year, month, day, hour, min, sec int
	micro                            int
	offset                           int // seconds east of UTC
	zoned                            bool
}

var (
	daysBefore = [...]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}
	errMonth   = rangeError("month", "01 to 12")
	errDay     = rangeError("day", "01 to the last of the month")
	errHour    = rangeError("hour", "00 to 23")
	errMinute  = rangeError("minute", "00 to 59")
	errSecond  = rangeError("second", "00 to 59")
	errOffset  = rangeError("offset", "-23:59 to +23:59")
)

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysIn(year, month int) int {
	if month == 2 && leap(year) {
		return 29
	}
	return daysBefore[month] - daysBefore[month-1]
}

// days returns the days from 1970-01-01 to the given date, year being 0 to
// 9999.
func days(year, month, day int) int64 {
	y := year
	if month <= 2 {
		y--
	}
	if y < 0 {
		y += 400 // the calendar repeats after 146097 days
		return days400(y, month, day) - 146097
	}
	return days400(y, month, day)
}

func days400(y, month, day int) int64 {
	era := y / 400
	yoe := y % 400
	doy := (153*((month+9)%12)+2)/5 + day - 1
	return int64(era*146097+yoe*365+yoe/4-yoe/100+doy) - 719468
}

// instant checks c and returns the instant that it names.
func (c *clock) instant(zone *time.Location) (gpflow.Timestamp, error) {
	switch {
	case c.month < 1 || c.month > 12:
		return 0, errMonth
	case c.day < 1 || c.day > daysIn(c.year, c.month):
		return 0, errDay
	case c.hour > 23:
		return 0, errHour
	case c.min > 59:
		return 0, errMinute
	case c.sec > 59:
		return 0, errSecond
	}
	if !c.zoned && zone != nil && zone != time.UTC {
		t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.min, c.sec, c.micro*1000, zone)
		return gpflow.Timestamp(t.UnixMicro()), nil
	}
	s := days(c.year, c.month, c.day)*86400 + int64(c.hour*3600+c.min*60+c.sec-c.offset)
	return gpflow.Timestamp(s*1e6 + int64(c.micro)), nil
}

// two returns the number of the two digits at s[i], or a negative number.
func two(s string, i int) int {
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return -1 << 20
	}
	return int(a)*10 + int(b)
}

// parseRFC3339 reads RFC 3339, also with a space for the T, and without an
// offset.
func parseRFC3339(s string, zone *time.Location) (gpflow.Timestamp, error) {
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':' ||
		s[10]|0x20 != 't' && s[10] != ' ' {
		return 0, errRFC3339
	}
	c := clock{
		year: two(s, 0)*100 + two(s, 2), month: two(s, 5), day: two(s, 8),
		hour: two(s, 11), min: two(s, 14), sec: two(s, 17),
	}
	if c.year < 0 || c.month < 0 || c.day < 0 || c.hour < 0 || c.min < 0 || c.sec < 0 {
		return 0, errRFC3339
	}
	i := 19
	if i < len(s) && s[i] == '.' {
		n, micro := fraction(s[i+1:])
		if n == 0 {
			return 0, errRFC3339
		}
		c.micro = micro
		i += 1 + n
	}
	if i < len(s) {
		n, err := c.zone(s[i:], true)
		if err != nil {
			return 0, err
		}
		if i+n < len(s) {
			return 0, errTrailing
		}
	}
	return c.instant(zone)
}

// fraction reads the digits that s begins with as a fraction of a second, in
// microseconds.
func fraction(s string) (n, micro int) {
	scale := 100_000
	for n < len(s) && s[n]-'0' < 10 {
		micro += int(s[n]-'0') * scale
		scale /= 10
		n++
	}
	return n, micro
}

// zone reads the offset that s begins with: Z, +01:00, or, where colon is not
// asked for, +0100.
func (c *clock) zone(s string, colon bool) (n int, err error) {
	if s != "" && s[0]|0x20 == 'z' {
		c.zoned = true
		return 1, nil
	}
	bad := errRFC3339
	if !colon {
		bad = errOffset
	}
	if len(s) < 5 || s[0] != '+' && s[0] != '-' {
		return 0, bad
	}
	n, m := 5, 3
	if s[3] == ':' {
		n, m = 6, 4
	} else if colon {
		return 0, bad
	}
	if len(s) < n {
		return 0, bad
	}
	hour, minute := two(s, 1), two(s, m)
	if hour < 0 || minute < 0 {
		return 0, bad
	}
	if hour > 23 || minute > 59 {
		return 0, errOffset
	}
	c.zoned, c.offset = true, hour*3600+minute*60
	if s[0] == '-' {
		c.offset = -c.offset
	}
	return n, nil
}

// civil returns the civil time of t in UTC.
func civil(t gpflow.Timestamp) (c clock) {
	s := floorDiv(int64(t), 1e6)
	c.micro = int(int64(t) - s*1e6)
	d := floorDiv(s, 86400)
	r := int(s - d*86400)
	c.hour, c.min, c.sec = r/3600, r/60%60, r%60
	z := d + 719468
	era := floorDiv(z, 146097)
	doe := int(z - era*146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	c.day = doy - (153*mp+2)/5 + 1
	c.month = mp + 3
	c.year = yoe + int(era)*400
	if mp >= 10 {
		c.month -= 12
		c.year++
	}
	return c
}

func append2(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10%10), byte('0'+n%10))
}

func append4(dst []byte, n int) []byte { return append2(append2(dst, n/100), n%100) }

func appendRFC3339(dst []byte, t gpflow.Timestamp) []byte {
	c := civil(t)
	dst = append(append4(dst, c.year), '-')
	dst = append(append2(dst, c.month), '-')
	dst = append(append2(dst, c.day), 'T')
	dst = append(append2(dst, c.hour), ':')
	dst = append(append2(dst, c.min), ':')
	dst = append2(dst, c.sec)
	return append(appendFraction(dst, uint64(c.micro), 1e6), 'Z')
}
