package timefmt

import (
	"math"
	"strconv"

	"github.com/gpflow/gpflow"
)

// parseNumber reads a decimal number since the epoch exactly. Numbers with an
// exponent go through a float.
func (l *Layout) parseNumber(s string) (gpflow.Timestamp, error) {
	i, neg := 0, false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		i, neg = 1, s[0] == '-'
	}
	start := i
	var whole int64
	for ; i < len(s) && s[i]-'0' < 10; i++ {
		digit := int64(s[i] - '0')
		if whole > (math.MaxInt64-digit)/10 {
			return 0, errRange
		}
		whole = whole*10 + digit
	}
	digits := i - start
	if digits == 0 {
		return 0, errNumber
	}
	var frac, scale int64 = 0, 1e6
	rest := false
	if i < len(s) && s[i] == '.' {
		i++
		start = i
		for ; i < len(s) && s[i]-'0' < 10; i++ {
			if scale > 1 {
				scale /= 10
				frac += int64(s[i]-'0') * scale
			} else if s[i] != '0' {
				rest = true
			}
		}
		if i == start {
			return 0, errNumber
		}
	}
	if i < len(s) {
		return l.parseExponent(s, i)
	}
	return l.fromParts(whole, frac, rest, neg)
}

func (l *Layout) parseExponent(s string, i int) (gpflow.Timestamp, error) {
	if s[i]|0x20 != 'e' {
		return 0, errNumber
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, errNumber
	}
	return l.FromFloat(f)
}

// fromParts returns the instant of whole units, frac millionths of one, and
// something smaller where rest is set.
func (l *Layout) fromParts(whole, frac int64, rest, neg bool) (gpflow.Timestamp, error) {
	if frac == 0 && !rest || l.units == 1e6 {
		rest = rest || frac != 0
		if neg {
			whole = -whole
		}
		t, err := l.FromInt(whole)
		if neg && rest {
			t--
		}
		return t, err
	}
	if l.units > 1e6 {
		// A fraction of a nanosecond matters on the way down only.
		if neg {
			whole = -whole - 1
		}
		return l.FromInt(whole)
	}
	t, err := l.FromInt(whole)
	if err != nil {
		return 0, err
	}
	us := frac / l.units // frac is in millionths of a unit
	rest = rest || frac%l.units != 0
	if int64(t) > math.MaxInt64-us {
		return 0, errRange
	}
	t += gpflow.Timestamp(us)
	if neg {
		t = -t
		if rest {
			t--
		}
	}
	return t, nil
}

func (l *Layout) appendNumber(dst []byte, t gpflow.Timestamp) []byte {
	if l.units > 1e6 {
		return strconv.AppendInt(dst, int64(t)*(l.units/1e6), 10)
	}
	per := uint64(1e6 / l.units)
	u := uint64(t)
	if t < 0 {
		dst = append(dst, '-')
		u = -u
	}
	dst = strconv.AppendUint(dst, u/per, 10)
	return appendFraction(dst, u%per, per)
}

// appendFraction appends "." and the digits of n/per, per being a power of
// ten, without trailing zeros; nothing where n is 0.
func appendFraction(dst []byte, n, per uint64) []byte {
	if n == 0 {
		return dst
	}
	dst = append(dst, '.')
	for n != 0 {
		per /= 10
		dst = append(dst, byte('0'+n/per))
		n %= per
	}
	return dst
}
