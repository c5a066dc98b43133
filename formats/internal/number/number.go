// Package number reads numbers in the grammar of JSON.
package number

import (
	"math"
	"strconv"
	"unsafe"
)

// Scan returns the end of the number that begins at b[i], and whether it has
// neither fraction nor exponent. ok is false where no number begins at i, or
// where its text is cut short; end is then the place of the fault.
func Scan(b []byte, i int) (end int, integer, ok bool) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	start := i
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	if i == start {
		return i, false, false
	}
	if b[start] == '0' && i > start+1 {
		return start + 1, false, false
	}
	if i == len(b) || b[i] != '.' && b[i]|0x20 != 'e' {
		return i, true, true
	}
	if b[i] == '.' {
		i++
		start = i
		for i < len(b) && b[i]-'0' < 10 {
			i++
		}
		if i == start {
			return i, false, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start = i
		for i < len(b) && b[i]-'0' < 10 {
			i++
		}
		if i == start {
			return i, false, false
		}
	}
	return i, false, true
}

// Status says what became of a number.
type Status uint8

// The states.
const (
	OK       Status = iota
	Overflow        // beyond the type
	Fraction        // not whole, where an int is wanted
)

// Int returns the value of the integer text b, as Scan found it.
func Int(b []byte) (int64, Status) {
	neg := b[0] == '-'
	if neg {
		b = b[1:]
	}
	var u uint64
	if len(b) > 19 {
		return 0, Overflow
	}
	for _, c := range b {
		u = u*10 + uint64(c-'0')
	}
	return signed(u, neg)
}

func signed(u uint64, neg bool) (int64, Status) {
	if neg {
		if u > 1<<63 {
			return 0, Overflow
		}
		return -int64(u), OK
	}
	if u > math.MaxInt64 {
		return 0, Overflow
	}
	return int64(u), OK
}

// decimal is a number as digits times a power of ten.
type decimal struct {
	m    uint64 // the first digits, without trailing zeros
	exp  int
	neg  bool
	long bool // there are more digits than m holds
}

func parse(b []byte) (d decimal) {
	i := 0
	if b[0] == '-' {
		d.neg, i = true, 1
	}
	zeros, point := 0, false
	for ; i < len(b); i++ {
		c := b[i]
		if c == '.' {
			point = true
			continue
		}
		if c-'0' > 9 {
			break
		}
		if point {
			d.exp--
		}
		if c == '0' {
			zeros++
			continue
		}
		for ; zeros >= 0; zeros-- {
			digit := uint64(0)
			if zeros == 0 {
				digit = uint64(c - '0')
			}
			if d.m > (math.MaxUint64-9)/10 {
				d.long = true
				break
			}
			d.m = d.m*10 + digit
		}
		zeros = 0
	}
	d.exp += zeros
	if i < len(b) {
		d.exp += exponent(b[i+1:])
	}
	return d
}

// exponent returns the value of "+12", held where it is beyond every type.
func exponent(b []byte) int {
	neg := b[0] == '-'
	if neg || b[0] == '+' {
		b = b[1:]
	}
	e := 0
	for _, c := range b {
		if e < 1<<30 {
			e = e*10 + int(c-'0')
		}
	}
	if neg {
		return -e
	}
	return e
}

// Whole returns the value of the number text b, exactly, where it is whole.
func Whole(b []byte) (int64, Status) {
	d := parse(b)
	switch {
	case d.long && d.exp < 0:
		return 0, Fraction
	case d.m == 0:
		return 0, OK
	case d.exp < 0:
		return 0, Fraction
	case d.long || d.exp > 19:
		return 0, Overflow
	}
	for ; d.exp > 0; d.exp-- {
		if d.m > math.MaxUint64/10 {
			return 0, Overflow
		}
		d.m *= 10
	}
	return signed(d.m, d.neg)
}

var tens = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// Float returns the float nearest to the number text b. Where 53 bits hold the
// digits and the power of ten is exact, one operation rounds correctly; the
// rest goes to strconv.
func Float(b []byte) (float64, Status) {
	d := parse(b)
	if !d.long && d.m < 1<<53 && d.exp >= -22 && d.exp <= 22 {
		f := float64(d.m)
		if d.exp < 0 {
			f /= tens[-d.exp]
		} else {
			f *= tens[d.exp]
		}
		if d.neg {
			f = -f
		}
		return f, OK
	}
	f, err := strconv.ParseFloat(unsafe.String(&b[0], len(b)), 64)
	if err != nil {
		return 0, Overflow
	}
	return f, OK
}
