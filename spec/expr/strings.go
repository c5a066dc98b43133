package expr

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/gpflow/gpflow"
)

// argument returns the text of args[i], or def where it was not given.
func argument(args []gpflow.Value, i int, def string) string {
	if i < len(args) {
		return args[i].Str()
	}
	return def
}

// ofText makes a function of one string and optional ones.
func ofText(f func(s, t string) string, def string) func(*frame, []gpflow.Value) (gpflow.Value, error) {
	return func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
		return gpflow.String(f(args[0].Str(), argument(args, 1, def))), nil
	}
}

var stringFunctions = []*function{
	{
		name: "upper", params: []kinds{aString}, result: is(tString), example: "upper(s)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			s, err := fr.upper(args[0].Str())
			return gpflow.String(s), err
		},
	},
	{
		name: "lower", params: []kinds{aString}, result: is(tString), example: "lower(s)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			s, err := fr.lower(args[0].Str())
			return gpflow.String(s), err
		},
	},
	{name: "trim", params: []kinds{aString, aString}, optional: 1, result: is(tString), eval: ofText(trim, ""), example: "trim(s)"},
	{name: "trimPrefix", params: []kinds{aString, aString}, optional: 1, result: is(tString), eval: ofText(strings.TrimPrefix, " "), example: "trimPrefix(s, '/')"},
	{name: "trimSuffix", params: []kinds{aString, aString}, optional: 1, result: is(tString), eval: ofText(strings.TrimSuffix, " "), example: "trimSuffix(s, '/')"},
	{
		name: "hasPrefix", params: []kinds{aString, aString}, result: is(tBool), example: "hasPrefix(s, '/api')",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			return gpflow.Bool(strings.HasPrefix(args[0].Str(), args[1].Str())), nil
		},
	},
	{
		name: "hasSuffix", params: []kinds{aString, aString}, result: is(tBool), example: "hasSuffix(s, '.html')",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			return gpflow.Bool(strings.HasSuffix(args[0].Str(), args[1].Str())), nil
		},
	},
	{
		name: "indexOf", params: []kinds{aString, aString}, result: is(tInt), example: "indexOf(s, '@')",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			return gpflow.Int(characters(args[0].Str(), strings.Index(args[0].Str(), args[1].Str()))), nil
		},
	},
	{
		name: "lastIndexOf", params: []kinds{aString, aString}, result: is(tInt), example: "lastIndexOf(s, '.')",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			return gpflow.Int(characters(args[0].Str(), strings.LastIndex(args[0].Str(), args[1].Str()))), nil
		},
	},
	{name: "split", params: []kinds{aString, aString}, result: is(gpflow.ListOf(tString)), eval: split, example: "split(s, ',')"},
	{name: "replace", params: []kinds{aString, aString, aString}, result: is(tString), eval: replace, example: "replace(s, 'a', 'b')"},
	{name: "slice", params: []kinds{aString | aList, anInt, anInt}, optional: 1, result: same, eval: slice, example: "slice(s, 0, 3)"},
	{name: "string", params: []kinds{printable}, result: is(tString), eval: toText, example: "string(x)"},
	{
		name: "toJSON", params: []kinds{anything}, nullable: true, result: is(tString), example: "toJSON(x)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) { return fr.json(args[0]) },
	},
	{
		name: "toBase64", params: []kinds{aText}, result: is(tString), example: "toBase64(s)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			fr.scratch = base64.StdEncoding.AppendEncode(fr.scratch[:0], args[0].Bytes())
			s, err := fr.text(fr.scratch)
			return gpflow.String(s), err
		},
	},
	{
		name: "fromBase64", params: []kinds{aString}, result: is(tBytes), example: "fromBase64(s)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			b, err := base64.StdEncoding.DecodeString(args[0].Str())
			if err != nil {
				return gpflow.Null, errors.New("the text is not base64")
			}
			return gpflow.Bytes(b), fr.grow(len(b))
		},
	},
}

// trim removes what is in cutset from both ends, white space if it is empty.
func trim(s, cutset string) string {
	if cutset == "" {
		return strings.TrimSpace(s)
	}
	return strings.Trim(s, cutset)
}

// characters returns the characters in the first n bytes of s, or -1.
func characters(s string, n int) int64 {
	if n < 0 {
		return -1
	}
	return int64(utf8.RuneCountInString(s[:n]))
}

// upper returns s in capitals.
func (fr *frame) upper(s string) (string, error) {
	if first := letter(s, 'a', 'z'); first >= 0 {
		return fr.swapped(s, first, 'a', 'z')
	} else if first == noLetter {
		return s, nil
	}
	return strings.ToUpper(s), fr.grow(len(s))
}

// lower returns s in small letters.
func (fr *frame) lower(s string) (string, error) {
	if first := letter(s, 'A', 'Z'); first >= 0 {
		return fr.swapped(s, first, 'A', 'Z')
	} else if first == noLetter {
		return s, nil
	}
	return strings.ToLower(s), fr.grow(len(s))
}

// What letter returns where there is no place to return.
const (
	noLetter = -1
	notASCII = -2
)

// letter returns the place of the first letter from lo to hi in s.
func letter(s string, lo, hi byte) int {
	first := noLetter
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return notASCII
		}
		if first < 0 && s[i] >= lo && s[i] <= hi {
			first = i
		}
	}
	return first
}

// swapped returns s with the letters from lo to hi in the other case.
func (fr *frame) swapped(s string, first int, lo, hi byte) (string, error) {
	if err := fr.grow(len(s)); err != nil {
		return "", err
	}
	out := fr.alloc(len(s))
	copy(out, s)
	for i := first; i < len(out); i++ {
		if out[i] >= lo && out[i] <= hi {
			out[i] ^= 0x20
		}
	}
	return unsafe.String(&out[0], len(out)), nil
}

func split(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
	parts := strings.Split(args[0].Str(), args[1].Str())
	if err := fr.step(len(parts)); err != nil {
		return gpflow.Null, err
	}
	list := make([]gpflow.Value, len(parts))
	for i, p := range parts {
		list[i] = gpflow.String(p)
	}
	return gpflow.List(list), nil
}

func replace(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
	s, old, with := args[0].Str(), args[1].Str(), args[2].Str()
	n := strings.Count(s, old)
	if n == 0 || old == with {
		return args[0], nil
	}
	if err := fr.grow(len(s) + n*max(len(with)-len(old), 0)); err != nil {
		return gpflow.Null, err
	}
	return gpflow.String(strings.ReplaceAll(s, old, with)), nil
}

// slice computes s[a:b] and list[a:b]. Places before the start and behind the
// end are held at them.
func slice(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
	from, to := args[1].Int(), int64(math.MaxInt64)
	if len(args) > 2 {
		to = args[2].Int()
	}
	if args[0].Kind() == gpflow.KindList {
		list := args[0].List()
		a, b := bounds(from, to, len(list))
		return gpflow.List(list[a:b:b]), nil
	}
	s := args[0].Str()
	n := utf8.RuneCountInString(s)
	a, b := bounds(from, to, n)
	if n != len(s) {
		end := place(s, b)
		a, b = place(s[:end], a), end
	}
	return gpflow.String(s[a:b]), nil
}

func bounds(from, to int64, n int) (a, b int) {
	hold := func(i int64) int {
		if i < 0 {
			i += int64(n)
		}
		return int(min(max(i, 0), int64(n)))
	}
	a, b = hold(from), hold(to)
	return min(a, b), b
}

// place returns the byte at which character n of s starts.
func place(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// toText computes string(x).
func toText(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
	v := args[0]
	b := fr.scratch[:0]
	switch v.Kind() {
	case gpflow.KindString:
		return v, nil
	case gpflow.KindBytes:
		if utf8.ValidString(v.Str()) {
			return gpflow.String(v.Str()), nil
		}
		return gpflow.String(strings.ToValidUTF8(v.Str(), "\ufffd")), fr.grow(len(v.Str()))
	case gpflow.KindBool:
		if v.Bool() {
			return gpflow.String("true"), nil
		}
		return gpflow.String("false"), nil
	case gpflow.KindInt:
		b = strconv.AppendInt(b, v.Int(), 10)
	case gpflow.KindFloat:
		b = appendFloat(b, v.Float())
	case gpflow.KindTimestamp:
		if t := v.Time(); t == gpflow.MinTimestamp || t == gpflow.MaxTimestamp {
			return gpflow.String(t.String()), nil
		}
		b = gpflow.AppendTime(b, v.Time())
	case gpflow.KindDuration:
		b = append(b, v.Span().String()...)
	default:
		return fr.json(v)
	}
	fr.scratch = b
	s, err := fr.text(b)
	return gpflow.String(s), err
}

// appendFloat appends f as JSON has it, or NaN, +Inf or -Inf.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.AppendFloat(b, f, 'g', -1, 64)
	}
	b, _ = gpflow.AppendJSON(b, gpflow.Float(f))
	return b
}

func (fr *frame) json(v gpflow.Value) (gpflow.Value, error) {
	var err error
	if fr.scratch, err = gpflow.AppendJSON(fr.scratch[:0], v); err != nil {
		return gpflow.Null, err
	}
	s, err := fr.text(fr.scratch)
	return gpflow.String(s), err
}

// quoted returns s for a message.
func quoted(s string) string {
	if len(s) > 40 {
		s = s[:place(s, min(40, utf8.RuneCountInString(s)))] + "..."
	}
	return fmt.Sprintf("%q", s)
}
