package spec

import (
	"math"
	"math/big"
	"testing"

	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"
)

// TestNumberText compares the short way from a number to its text with the long
// one.
func TestNumberText(t *testing.T) {
	same := func(t interface{ Errorf(string, ...any) }, x *big.Float) bool {
		want := x.Text('f', -1)
		s, ok := shortText(x)
		if ok && s != want {
			t.Errorf("%s at %d bits has the text %s", want, x.Prec(), s)
		}
		m := &meter{source: math.MaxInt}
		if got, good := m.text(cty.NumberVal(x)); !good || got != want {
			t.Errorf("%s at %d bits becomes %q", want, x.Prec(), got)
		}
		for _, whole := range []bool{true, false} {
			y := m.light(cty.NumberVal(x), whole).AsBigFloat()
			if got := y.Text('f', -1); got != want || whole && x.Cmp(y) != 0 {
				t.Errorf("%s at %d bits is made %s", want, x.Prec(), got)
			}
		}
		return ok
	}
	for text, short := range map[string]bool{
		"0": true, "1": true, "-7": true, "9223372036854775807": true, "-9223372036854775808": true, "0.1": true, "-1.5e10": true,
		"1e100": true, "123456.789": true, "0.12345678901234567890123": false, "9223372036854775809": false, "1e-400": false,
	} {
		x, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven)
		if err != nil {
			t.Fatal(err)
		}
		if same(t, x) != short {
			t.Errorf("%s is short: %t", text, !short)
		}
	}
	same(t, new(big.Float).Neg(new(big.Float)))
	same(t, new(big.Float).SetInf(true))
	rapid.Check(t, func(t *rapid.T) {
		prec := rapid.SampledFrom([]uint{24, 53, 64, 65, 512}).Draw(t, "bits")
		x := new(big.Float).SetPrec(prec)
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0:
			x.SetInt64(rapid.Int64().Draw(t, "whole"))
		case 1:
			x.SetFloat64(rapid.Float64().Draw(t, "float"))
		case 2:
			text := rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,20})?(e-?[0-9]{1,2})?`).Draw(t, "decimal")
			if _, _, err := x.Parse(text, 10); err != nil {
				t.Fatal(err)
			}
		case 3:
			x.Quo(x.SetInt64(rapid.Int64Range(1, 1000).Draw(t, "a")), new(big.Float).SetPrec(prec).SetInt64(rapid.Int64Range(1, 1000).Draw(t, "b")))
		}
		same(t, x)
	})
}
