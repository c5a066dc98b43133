package number_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/formats/internal/number"
)

func drawNumber(t *rapid.T) []byte {
	switch rapid.IntRange(0, 3).Draw(t, "form") {
	case 0:
		return []byte(rapid.StringMatching(`-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number"))
	case 1:
		return strconv.AppendFloat(nil, rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "float"), 'g', -1, 64)
	case 2:
		return strconv.AppendInt(nil, rapid.Int64().Draw(t, "int"), 10)
	}
	return []byte(rapid.StringMatching(`-?[1-9][0-9]{0,5}0{0,15}(\.0{0,9})?([eE]-?[0-9]{1,2})?`).Draw(t, "round"))
}

// TestScan compares what a number is with encoding/json.
func TestScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(rapid.StringMatching(`-?[0-9]{0,3}[.0-9eE+-]{0,6}`).Draw(t, "text"))
		end, integer, ok := number.Scan(b, 0)
		valid := json.Valid(b)
		if whole := ok && end == len(b); whole != valid {
			t.Fatalf("%q: valid is %v, Scan returned %d, %v", b, valid, end, ok)
		}
		if ok && !json.Valid(b[:end]) {
			t.Fatalf("%q: %q is not a number", b, b[:end])
		}
		if _, err := strconv.ParseInt(string(b[:end]), 10, 64); ok && integer != (err == nil) {
			t.Fatalf("%q: integer is %v", b[:end], integer)
		}
	})
}

func TestFloat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawNumber(t)
		if !json.Valid(b) {
			return
		}
		want, err := strconv.ParseFloat(string(b), 64)
		got, status := number.Float(b)
		if (err != nil) != (status == number.Overflow) {
			t.Fatalf("%s: status %d, strconv: %v", b, status, err)
		}
		if err == nil && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s is %g, want %g", b, got, want)
		}
	})
}

func TestWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawNumber(t)
		if !json.Valid(b) {
			return
		}
		want, _ := new(big.Rat).SetString(string(b))
		got, status := number.Whole(b)
		switch {
		case !want.IsInt():
			if status != number.Fraction {
				t.Fatalf("%s: status %d, want a fraction", b, status)
			}
		case !want.Num().IsInt64():
			if status != number.Overflow {
				t.Fatalf("%s: status %d, want an overflow", b, status)
			}
		case status != number.OK || got != want.Num().Int64():
			t.Fatalf("%s is %d, status %d", b, got, status)
		}
		if _, integer, _ := number.Scan(b, 0); integer {
			if n, s := number.Int(b); n != got || s != status {
				t.Fatalf("%s: Int returned %d, %d; Whole %d, %d", b, n, s, got, status)
			}
		}
	})
}

// TestWholeHuge has exponents beyond what an int holds.
func TestWholeHuge(t *testing.T) {
	for text, want := range map[string]number.Status{
		"1e99999999999999999999": number.Overflow, "1e-99999999999999999999": number.Fraction,
		"0e99999999999999999999": number.OK, "-0.0e-99999999999999999999": number.OK,
	} {
		if n, status := number.Whole([]byte(text)); status != want || n != 0 {
			t.Errorf("%s: %d, status %d, want %d", text, n, status, want)
		}
	}
	if f, status := number.Float([]byte("0e99999999999999999999")); f != 0 || status != number.OK {
		t.Errorf("0e99999999999999999999 is %g, status %d", f, status)
	}
}
