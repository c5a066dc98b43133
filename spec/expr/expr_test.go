package expr

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

var testSchema = gpflow.NewSchema(
	gpflow.Column{Name: "i", Type: tInt},
	gpflow.Column{Name: "j", Type: tInt},
	gpflow.Column{Name: "f", Type: tFloat},
	gpflow.Column{Name: "s", Type: tString},
	gpflow.Column{Name: "b", Type: tBool},
	gpflow.Column{Name: "t", Type: tTime},
	gpflow.Column{Name: "d", Type: tDuration},
	gpflow.Column{Name: "raw", Type: tBytes},
	gpflow.Column{Name: "tags", Type: gpflow.ListOf(tString)},
	gpflow.Column{Name: "nums", Type: gpflow.ListOf(tInt)},
	gpflow.Column{Name: "m", Type: gpflow.MapOf(tInt)},
	gpflow.Column{Name: "x", Type: tAny},
	gpflow.Column{Name: "oi", Type: tInt.Opt()},
	gpflow.Column{Name: "of", Type: tFloat.Opt()},
	gpflow.Column{Name: "os", Type: tString.Opt()},
	gpflow.Column{Name: "om", Type: gpflow.MapOf(tInt).Opt()},
	gpflow.Column{Name: "address", Type: gpflow.Type{Kind: gpflow.KindRecord, Fields: []gpflow.Column{
		{Name: "street", Type: tString},
		{Name: "zip", Type: tInt.Opt()},
	}}},
	gpflow.Column{Name: "count", Type: tInt},
)

func at(s string) gpflow.Value {
	v, err := toTime(nil, []gpflow.Value{gpflow.String(s)})
	if err != nil {
		panic(err)
	}
	return v
}

func strs(ss ...string) gpflow.Value {
	var vs []gpflow.Value
	for _, s := range ss {
		vs = append(vs, gpflow.String(s))
	}
	return gpflow.List(vs)
}

func ints(is ...int64) gpflow.Value {
	var vs []gpflow.Value
	for _, i := range is {
		vs = append(vs, gpflow.Int(i))
	}
	return gpflow.List(vs)
}

func testRow() []gpflow.Value {
	return []gpflow.Value{
		gpflow.Int(7), gpflow.Int(-3), gpflow.Float(2.5), gpflow.String("Žluť"), gpflow.Bool(true),
		at("2001-03-04T05:06:07.5Z"), gpflow.Span(90 * gpflow.Second), gpflow.Bytes([]byte("raw")),
		strs("a", "b", "c"), ints(3, 1, 2), gpflow.Map([]gpflow.Entry{{Key: "k", Value: gpflow.Int(5)}}), gpflow.Int(4),
		gpflow.Null, gpflow.Float(1.5), gpflow.Null, gpflow.Null,
		gpflow.String("Main"), gpflow.Null, gpflow.Int(11),
	}
}

var testConstants = gpflow.Constants{
	"var.min":      {Type: tInt, Value: gpflow.Int(5)},
	"var.name":     {Type: tString, Value: gpflow.String(`x" || true || "`)},
	"var.eu":       {Type: gpflow.ListOf(tString), Value: strs("CZ", "SK")},
	"local.k":      {Type: tFloat, Value: gpflow.Float(2.5)},
	"local.limits": {Type: gpflow.Type{Kind: gpflow.KindRecord, Fields: []gpflow.Column{{Name: "max", Type: tInt}}}, Value: gpflow.Map([]gpflow.Entry{{Key: "max", Value: gpflow.Int(9)}})},
	"local.from":   {Type: tTime, Value: gpflow.Time(0)},
}

func testEnv() Env { return Env{Schema: testSchema, Constants: testConstants} }

// Short names for the table.
var I, F, S, B = gpflow.Int, gpflow.Float, gpflow.String, gpflow.Bool

// values has every operator, builtin and type, on testRow.
var values = []struct {
	src  string
	typ  string
	want gpflow.Value
}{
	{`i + 1`, "int", I(8)},
	{`1 + i`, "int", I(8)},
	{`i - j`, "int", I(10)},
	{`i * j`, "int", I(-21)},
	{`-i`, "int", I(-7)},
	{`+i`, "int", I(7)},
	{`i / 2`, "float", F(3.5)},
	{`i % 4`, "int", I(3)},
	{`j % 2`, "int", I(-1)},
	{`i % -1`, "int", I(0)},
	{`i ** 2`, "float", F(49)},
	{`i ^ 2`, "float", F(49)},
	{`i + f`, "float", F(9.5)},
	{`f * i - 1`, "float", F(16.5)},
	{`f / 2`, "float", F(1.25)},
	{`-f`, "float", F(-2.5)},
	{`s + "!"`, "string", S("Žluť!")},
	{`"a" + s + "b" + s + "c" + s + "d" + s + "e" + s`, "string", S("aŽluťbŽluťcŽluťdŽluťeŽluť")},
	{`t - t`, "duration", gpflow.Span(0)},
	{`t + d`, "timestamp", at("2001-03-04T05:07:37.5Z")},
	{`d + t`, "timestamp", at("2001-03-04T05:07:37.5Z")},
	{`t - d > t`, "bool", B(false)},
	{`d * 2`, "duration", gpflow.Span(180 * gpflow.Second)},
	{`0.5 * d`, "duration", gpflow.Span(45 * gpflow.Second)},
	{`d / 2`, "duration", gpflow.Span(45 * gpflow.Second)},
	{`d / duration("1m")`, "float", F(1.5)},
	{`-d < d`, "bool", B(true)},
	{`d + d == duration("3m")`, "bool", B(true)},
	{`i > 5 && f < 3`, "bool", B(true)},
	{`i > 7 || j == -3`, "bool", B(true)},
	{`not b or !b`, "bool", B(false)},
	{`i == 7.0`, "bool", B(true)},
	{`f == 2.5`, "bool", B(true)},
	{`i >= f`, "bool", B(true)},
	{`1 < i < 8`, "bool", B(true)},
	{`s == "Žluť"`, "bool", B(true)},
	{`"a" < s`, "bool", B(true)},
	{`b == true`, "bool", B(true)},
	{`raw == b"raw"`, "bool", B(true)},
	{`tags == ["a", "b", "c"]`, "bool", B(true)},
	{`nums == [3, 1.0, 2]`, "bool", B(true)},
	{`i in [1, 7]`, "bool", B(true)},
	{`i in [1, 7.0]`, "bool", B(true)},
	{`i not in [1, 7]`, "bool", B(false)},
	{`i in 1..7`, "bool", B(true)},
	{`f in 1..7`, "bool", B(false)},
	{`s in ["x", "Žluť"]`, "bool", B(true)},
	{`"b" in tags`, "bool", B(true)},
	{`"k" in m`, "bool", B(true)},
	{`"CZ" in var.eu`, "bool", B(true)},
	{`s contains "lu"`, "bool", B(true)},
	{`s startsWith "Ž"`, "bool", B(true)},
	{`s endsWith "x"`, "bool", B(false)},
	{`s not contains "x"`, "bool", B(true)},
	{"s matches `^Ž.*ť$`", "bool", B(true)},
	{`oi ?? 3`, "int", I(3)},
	{`of ?? 3`, "float", F(1.5)},
	{`oi ?? 3.5`, "float", F(3.5)},
	{`oi ?? of`, "optional(float)", F(1.5)},
	{`oi ?? nil`, "optional(int)", gpflow.Null},
	{`os ?? s`, "string", S("Žluť")},
	{`oi == nil`, "bool", B(true)},
	{`nil != oi`, "bool", B(false)},
	{`of != nil && of > 1`, "bool", B(true)},
	{`of == nil || of > 1`, "bool", B(true)},
	{`of != nil ? of : 0`, "float", F(1.5)},
	{`oi == nil ? 0 : oi + 1`, "int", I(0)},
	{`!(oi == nil) && oi > 1`, "bool", B(false)},
	{`if oi != nil { oi } else { i }`, "int", I(7)},
	{`b ? i : nil`, "optional(int)", I(7)},
	{`b ? i : f`, "float", F(7)},
	{`b ? "x" : s`, "string", S("x")},
	{`b ? t : t`, "timestamp", at("2001-03-04T05:06:07.5Z")},
	{`m["k"]`, "optional(int)", I(5)},
	{`m.k ?? 0`, "int", I(5)},
	{`m.nope ?? 0`, "int", I(0)},
	{`m.k != nil && m.k > 4`, "bool", B(true)},
	{`om?.k ?? 9`, "int", I(9)},
	{`om?.k`, "optional(int)", gpflow.Null},
	{`tags[0]`, "string", S("a")},
	{`tags[-1]`, "string", S("c")},
	{`nums[i - 6]`, "int", I(1)},
	{`tags[1:]`, "list(string)", strs("b", "c")},
	{`s[0:1] + s[2:]`, "string", S("Žuť")},
	{`s[-1:]`, "string", S("ť")},
	{`address.street`, "string", S("Main")},
	{`event.address.street`, "string", S("Main")},
	{`address?.zip ?? 0`, "int", I(0)},
	{`event.i + count`, "int", I(18)},
	{`event["count"]`, "int", I(11)},
	{`count(tags, # == "a")`, "int", I(1)},
	{`let y = i * 2; y + y`, "int", I(28)},
	{`let y = oi; y != nil ? y : 1`, "int", I(1)},
	{`any(tags, # == "b")`, "bool", B(true)},
	{`all(nums, # > 1)`, "bool", B(false)},
	{`none(nums, # > 5) and one(nums, # == 1)`, "bool", B(true)},
	{`filter(nums, # > 1)`, "list(int)", ints(3, 2)},
	{`map(nums, # * 2 + i)`, "list(int)", ints(13, 9, 11)},
	{`map(tags, upper(#) + s)`, "list(string)", strs("AŽluť", "BŽluť", "CŽluť")},
	{`find(nums, # < 3)`, "optional(int)", I(1)},
	{`findIndex(nums, # == 2)`, "optional(int)", I(2)},
	{`findIndex(nums, # == 9)`, "optional(int)", gpflow.Null},
	{`sortBy(nums, -#)`, "list(int)", ints(3, 2, 1)},
	{`sortBy(nums, #, "desc")`, "list(int)", ints(3, 2, 1)},
	{`sum(nums)`, "int", I(6)},
	{`sum(nums, # * 2)`, "int", I(12)},
	{`sum(nums, # / 2)`, "float", F(3)},
	{`sum(filter(nums, # > 100), # / 2)`, "float", F(0)},
	{`nums | filter(# > 1) | sum()`, "int", I(5)},
	{`let k = i; filter(nums, # < k - 4)`, "list(int)", ints(1, 2)},
	{`1..3`, "list(int)", ints(1, 2, 3)},
	{`map(1..3, # * i)`, "list(int)", ints(7, 14, 21)},
	{`x + 1`, "any", I(5)},
	{`x * f`, "any", F(10)},
	{`x > 3`, "bool", B(true)},
	{`x == 4.0`, "bool", B(true)},
	{`int(x) + i`, "int", I(11)},
	{`x in [4]`, "bool", B(true)},
	{`len(s)`, "int", I(4)},
	{`len(raw) + len(tags) + len(m)`, "int", I(7)},
	{`upper(s)`, "string", S("ŽLUŤ")},
	{`lower("ABC" + s)`, "string", S("abcžluť")},
	{`trim("  x ")`, "string", S("x")},
	{`trim("--x-", "-")`, "string", S("x")},
	{`trimPrefix(address.street, "M")`, "string", S("ain")},
	{`indexOf(s, "ť")`, "int", I(3)},
	{`indexOf(s, "q")`, "int", I(-1)},
	{`lastIndexOf("aba", "a")`, "int", I(2)},
	{`split("a,b", ",")`, "list(string)", strs("a", "b")},
	{`join(tags, "-")`, "string", S("a-b-c")},
	{`replace(s, "lu", "--")`, "string", S("Ž--ť")},
	{`hasPrefix(s, "Ž") && hasSuffix(s, "ť")`, "bool", B(true)},
	{`string(i) + string(f) + string(b) + string(d)`, "string", S("72.5true1m30s")},
	{`string(t)`, "string", S("2001-03-04T05:06:07.5Z")},
	{`string(raw)`, "string", S("raw")},
	{`string(tags)`, "string", S(`["a","b","c"]`)},
	{`toJSON(oi)`, "string", S("null")},
	{`fromBase64(toBase64(raw)) == raw`, "bool", B(true)},
	{`int("12") + int(f) + int(-2.9)`, "int", I(12)},
	{`float("1.5") + float(i)`, "float", F(8.5)},
	{`abs(j) + abs(i)`, "int", I(10)},
	{`abs(-f)`, "float", F(2.5)},
	{`ceil(f) + floor(f) + round(f)`, "float", F(8)},
	{`min(i, j)`, "int", I(-3)},
	{`max(i, f, 1)`, "float", F(7)},
	{`max(nums)`, "optional(int)", I(3)},
	{`min(t, t + d)`, "timestamp", at("2001-03-04T05:06:07.5Z")},
	{`first(tags)`, "optional(string)", S("a")},
	{`last(tags) ?? ""`, "string", S("c")},
	{`get(tags, 5)`, "optional(string)", gpflow.Null},
	{`get(m, "k")`, "optional(int)", I(5)},
	{`take(tags, 2)`, "list(string)", strs("a", "b")},
	{`reverse(sort(nums))`, "list(int)", ints(3, 2, 1)},
	{`uniq(concat(nums, nums))`, "list(int)", ints(3, 1, 2)},
	{`keys(m)`, "list(string)", strs("k")},
	{`values(m)`, "list(int)", ints(5)},
	{`mean(nums)`, "optional(float)", F(2)},
	{`median([1, 2, 3, 4.0])`, "optional(float)", F(2.5)},
	{`day(t)`, "timestamp", at("2001-03-04")},
	{`year(t) * 10000 + month(t) * 100 + day_of_month(t)`, "int", I(20010304)},
	{`hour(t) * 100 + minute(t)`, "int", I(506)},
	{`weekday(t)`, "int", I(0)},
	{`truncate(t, duration("1h"))`, "timestamp", at("2001-03-04T05:00:00Z")},
	{`unix(t)`, "int", I(983682367)},
	{`timestamp(unix(t))`, "timestamp", at("2001-03-04T05:06:07Z")},
	{`timestamp("2001-01-01T00:00:00Z") < t`, "bool", B(true)},
	{`t > local.from`, "bool", B(true)},
	{`format_time(t, "%Y-%m-%d %H:%M:%S.%L %a %j")`, "string", S("2001-03-04 05:06:07.500 Sun 063")},
	{`hash(i) == hash(7) && hash(i) >= 0 && hash(i) != hash(j)`, "bool", B(true)},
	{`random(i) >= 0 && random(i) < 1`, "bool", B(true)},
	{`type(x)`, "string", S("int")},
	{`i > var.min`, "bool", B(true)},
	{`f * local.k`, "float", F(6.25)},
	{`i < local.limits.max`, "bool", B(true)},
	{`s == var.name`, "bool", B(false)},
	{`len({"a": 1, "b": 2})`, "int", I(2)},
	{`map(tags, ({"n": #}))[0]["n"]`, "optional(string)", S("a")},
	{`{"a": 1}["a"]`, "optional(int)", I(1)},
	{`"u" + string(i % 1000)`, "string", S("u7")},
}

func TestValues(t *testing.T) {
	for _, c := range values {
		for _, machine := range []bool{false, true} {
			e, err := check(c.src, testEnv(), machine)
			if err != nil {
				t.Errorf("%s: %v", c.src, err)
				break
			}
			if e.Type().String() != c.typ {
				t.Errorf("%s: type %s, want %s", c.src, e.Type(), c.typ)
			}
			got, rerr := e.Program().Value(testRow())
			if rerr != nil || !gpflow.Equal(got, c.want) {
				t.Errorf("%s (machine %t): %s, %v; want %s", c.src, machine, show(got), rerr, show(c.want))
			}
			again, err := Check(e.String(), testEnv())
			if err != nil || again.String() != e.String() {
				t.Errorf("%s: canonical text %s: %v %v", c.src, e, again, err)
			}
		}
	}
}

func show(v gpflow.Value) string {
	if v.Kind() == gpflow.KindFloat && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)) {
		return string(appendFloat(nil, v.Float()))
	}
	b, _ := gpflow.AppendJSON(nil, v)
	return v.Kind().String() + " " + string(b)
}

func TestRecordErrors(t *testing.T) {
	row := testRow()
	row[0] = gpflow.Int(math.MaxInt64)
	for _, c := range []struct{ src, at, summary string }{
		{`1 + (i + 1) * 2`, `i + 1`, "integer overflow"},
		{`(i - 1) * (1 + 1)`, `(i - 1) * (1 + 1)`, "integer overflow"},
		{`i - j`, `i - j`, "integer overflow"},
		{`2 * i`, `2 * i`, "integer overflow"},
		{`-(-i - 1) > 0`, `-(-i - 1)`, "integer overflow"},
		{`f / (j + 3)`, `f / (j + 3)`, "divide by zero"},
		{`i % (j + 3)`, `i % (j + 3)`, "divide by zero"},
		{`b && int(s) > 1`, `int(s)`, `"Žluť" is not an int`},
		{`s == "Žluť" ? float(s) : 1`, `float(s)`, `"Žluť" is not a float`},
		{`tags[7]`, `tags[7]`, "there is no element 7 in a list of 3"},
		{`t + duration("1d") * (i / 1000)`, `duration("1d") * (i / 1000)`, "timestamp or duration out of range"},
		{`map(nums, # * i)`, `# * i`, "integer overflow"},
		{`sum(map(nums, # / 0.0)) > 1`, `# / 0.0`, "divide by zero"},
		{`x + "a"`, `x + "a"`, "int + string is not defined"},
		{`timestamp(s) > t`, `timestamp(s)`, `"Žluť" is not a timestamp; write it as 2001-01-01T00:00:00Z`},
		{`truncate(t, d - d)`, `truncate(t, d - d)`, "the duration to truncate to must be more than 0"},
		{`int(f * 1e300)`, `int(f * 1e300)`, "2.5e+300 is not an int"},
		{`upper(x)`, `upper(x)`, "upper takes string, not int"},
	} {
		for _, machine := range []bool{false, true} {
			e, err := check(c.src, testEnv(), machine)
			if err != nil {
				t.Errorf("%s: %v", c.src, err)
				break
			}
			_, rerr := e.Program().Value(row)
			var re *gpflow.RecordError
			var ee *Error
			if !errors.As(rerr, &re) || !errors.As(rerr, &ee) || re.Code != "expression" {
				t.Errorf("%s (machine %t): %v", c.src, machine, rerr)
				continue
			}
			if got := c.src[ee.From:ee.To]; got != c.at || ee.Summary != c.summary {
				t.Errorf("%s (machine %t): %q at %q, want %q at %q", c.src, machine, ee.Summary, got, c.summary, c.at)
			}
		}
	}
}

func TestBool(t *testing.T) {
	for _, c := range []struct {
		src  string
		want bool
		err  string
	}{
		{`i > 1`, true, ""},
		{`x`, false, "not bool"},
		{`oi == nil ? nil : b`, false, "not bool"},
		{`i / 0.0 > 1 || b`, false, "divide"},
	} {
		e, cerr := Check(c.src, testEnv())
		if cerr != nil {
			if c.err == "" || !strings.Contains(cerr.Error(), c.err) {
				t.Errorf("%s: %v", c.src, cerr)
			}
			continue
		}
		got, err := e.Program().Bool(testRow())
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %t, %v", c.src, got, err)
		}
	}
}
