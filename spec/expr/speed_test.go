package expr

import (
	"testing"

	"github.com/gpflow/gpflow"
)

// TestAllocations has closures allocate nothing per record: text is cut from
// chunks.
func TestAllocations(t *testing.T) {
	row := testRow()
	row[12], row[3] = gpflow.Int(3), gpflow.String("ascii")
	for _, src := range []string{
		`i > 5 && f < 3.0 && s == "ascii"`,
		`i + j * count - -i`,
		`f * i / 3 + 2 ** f`,
		`i % 3`,
		`oi != nil ? oi + 1 : 0`,
		`(oi ?? 0) > 1 || (os ?? "x") == "x"`,
		`s in ["a", "ascii"] && i in [1, 7] && j in -5..5`,
		`upper(s) startsWith "AS" && s contains "ci" && s endsWith lower("II")`,
		`"u" + string(i % 1000) + "/" + s`,
		`upper(s) + "!"`,
		`string(f) + string(t)`,
		`len(s) + int("12") + abs(j) + min(i, j)`,
		`day(t) < t - d && hour(t) == 5 && t > timestamp("2001-01-01")`,
		`format_time(t, "%Y-%m-%d")`,
		`hash(s) % 10 + hash(i)`,
		`tags[0] == "a" && (m.k ?? 0) > 1 && "b" in tags`,
		`let y = i * 2; y + y`,
		`s matches "^[a-z]+$"`,
		`s[1:3] == "sc"`,
		`any(tags, # == "b") && all(nums, # > 0) && none(var.eu, lower(s) contains #) && one(nums, # in [1, 9])`,
		`count(tags, # in ["a", "b"]) + (findIndex(nums, # == 2) ?? 0) + (findLast(nums, # > 1) ?? 0) + (find(nums, # > i) ?? 1)`,
		`sum(nums) + sum(nums, # * i) + len(filter(nums, # > 1)) + sum(filter(nums, # > 1), # - 1)`,
		`sum(nums, # / 2) + sum(nums, d) / duration("1s")`,
		`any(map(tags, upper(#)), # == "B") && "c" in filter(tags, # != "a") && (max(map(nums, # * 2)) ?? 0) > 1`,
		`join(filter(tags, # != "a"), "-") == "b-c"`,
		`nums[1:][0] + nums[-1] + len(tags[:2]) + count(1..9, # > i)`,
	} {
		e, err := Check(src, testEnv())
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if _, vm := e.Stats(); vm > 0 {
			t.Errorf("%s: runs on the machine", src)
		}
		p := e.Program()
		var failed error
		n := testing.AllocsPerRun(1000, func() {
			if _, err := p.Value(row); err != nil {
				failed = err
			}
		})
		if n > 0 || failed != nil {
			t.Errorf("%s: %v allocations, %v", src, n, failed)
		}
	}
}

// TestFailureAllocations has a failure that was foreseen allocate nothing.
func TestFailureAllocations(t *testing.T) {
	e, err := Check(`f / (i - 7) > 1`, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	p, row := e.Program(), testRow()
	if n := testing.AllocsPerRun(100, func() { _, _ = p.Bool(row) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestKept has a text that was made stay as it is.
func TestKept(t *testing.T) {
	e, err := Check(`upper(s) + string(i)`, testEnv())
	if err != nil {
		t.Fatal(err)
	}
	p, row := e.Program(), testRow()
	row[3] = gpflow.String("abc")
	var kept []gpflow.Value
	for i := range 5000 {
		row[0] = gpflow.Int(int64(i))
		v, err := p.Value(row)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, v)
	}
	for i, v := range kept {
		if want := "ABC" + string(appendFloat(nil, float64(i))); v.Str() != want {
			t.Fatalf("text %d is %q, want %q", i, v.Str(), want)
		}
	}
}

func bench(b *testing.B, src string, machine bool) {
	e, err := check(src, testEnv(), machine)
	if err != nil {
		b.Fatal(err)
	}
	p, row := e.Program(), testRow()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Value(row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBool(b *testing.B) {
	for _, src := range []string{
		`i > 5`,
		`f > 1.0 && s == "Žluť" && j < 50`,
		`s in ["CZ", "SK", "PL", "DE", "Žluť"]`,
		`any(tags, # == "b")`,
		`none(var.eu, lower(s) contains #)`,
		`sum(nums, # * i) == 42`,
	} {
		b.Run(src, func(b *testing.B) {
			e, err := Check(src, testEnv())
			if err != nil {
				b.Fatal(err)
			}
			p, row := e.Program(), testRow()
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := p.Bool(row); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
	b.Run("machine any", func(b *testing.B) { bench(b, `any(tags, # == "b")`, true) })
	b.Run("machine", func(b *testing.B) { bench(b, `f > 1.0 && s == "Žluť" && j < 50`, true) })
}

func BenchmarkArith(b *testing.B) {
	for _, src := range []string{`f * i + 1.5`, `(i + j * 2) % 7`, `"u" + string(i % 1000)`, `(oi ?? 0) + i`} {
		b.Run(src, func(b *testing.B) { bench(b, src, false) })
	}
	b.Run("machine", func(b *testing.B) { bench(b, `f * i + 1.5`, true) })
}
