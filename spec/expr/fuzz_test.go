package expr

import (
	"testing"

	"github.com/gpflow/gpflow"
)

// FuzzCheck has any text end in a checked tree or an error with a range, and
// what runs end in a value of its type or a record error.
func FuzzCheck(f *testing.F) {
	for _, src := range []string{
		`i > 5 && f < 3.0`, `event.s == var.name`, `let y = i * 2; y + y`, `any(tags, # == "b")`, `oi ?? 3`, `om?.k`, `s[1:]`,
		`tags[-1]`, `if b { i } else { j }`, `sum(nums, # * 2)`, `timestamp("2001-01-01") < t`, `"žluť" + s`, `{"a": 1}`, `i in 1..9`,
		`nums | filter(# > 1) | sum()`, `1 < i < 8`, `${x}`, `a.b.c?.d["e"]`, `(((`, `)`, `#`, `.x`, `s.upper()`, `-(-i)`, `b"\xff"`, "`raw`",
		`i /* c */ + // d`, `not not b`, `tags[1:2][0:1]`, `x?.[0]`, `b ?: i`, `::len(s)`, `count()`, `sum(i) / count()`,
	} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		inside := func(err *Error) {
			if err.From < 0 || err.From > err.To || err.To > len(src) || err.Summary == "" {
				t.Fatalf("%q: %+v", src, err)
			}
		}
		if a, err := CheckAggregate(src, testEnv(), testGroup); err != nil {
			inside(err)
		} else if a.Result == nil {
			t.Fatalf("%q: no result", src)
		}
		e, err := Check(src, testEnv())
		if err != nil {
			inside(err)
			return
		}
		v, rerr := e.Program().Value(testRow())
		if rerr != nil {
			inside(rerr.(*gpflow.RecordError).Err.(*Error))
			return
		}
		if typ := e.Type(); v.Kind() != typ.Kind && typ.Kind != gpflow.KindAny && !(v.IsNull() && typ.Optional) {
			t.Fatalf("%q is %s, not %s", src, show(v), typ)
		}
	})
}
