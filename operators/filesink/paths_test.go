package filesink

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// eventSchema is that of rows with values of all kinds that paths are made of.
var eventSchema = gpflow.NewSchema(
	gpflow.Column{Name: "s", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)},
	gpflow.Column{Name: "os", Type: gpflow.T(gpflow.KindString).Opt()},
	gpflow.Column{Name: "t", Type: gpflow.T(gpflow.KindTimestamp)},
	gpflow.Column{Name: "a-b", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "1st's @", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "home.city", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "x", Type: gpflow.T(gpflow.KindFloat)},
	gpflow.Column{Name: "any", Type: gpflow.T(gpflow.KindAny)},
	gpflow.Column{Name: "tags", Type: gpflow.ListOf(gpflow.T(gpflow.KindString))},
)

var eventConstants = gpflow.Constants{
	"var.site":   {Type: gpflow.T(gpflow.KindString), Value: gpflow.String("Delft/2")},
	"local.step": {Type: gpflow.T(gpflow.KindInt), Value: gpflow.Int(10)},
}

func event(s string, n int64) []gpflow.Value {
	return []gpflow.Value{
		gpflow.String(s), gpflow.Int(n), gpflow.Null, gpflow.Time(gpflow.Timestamp(n) * gpflow.Timestamp(gpflow.Minute)), gpflow.String("a-b"),
		gpflow.String("1st"), gpflow.String("Pardubice"), gpflow.Float(1), gpflow.Int(n), gpflow.List([]gpflow.Value{gpflow.String(s)}),
	}
}

func bound(tb testing.TB, path string) *paths {
	tb.Helper()
	t, wrong := parseTemplate(path)
	if wrong != nil {
		tb.Fatalf("%s: %v", path, wrong)
	}
	p, err := t.bind(eventSchema, eventConstants)
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return p
}

func TestPaths(t *testing.T) {
	row := event("Ab/c", 125)
	for path, want := range map[string]string{
		"{s}":                            "Ab%2Fc",
		"x={lower(s)}/":                  "x=ab%2Fc/",
		"{n / local.step > 12.0}":        "true",
		"{n - n % local.step}-{n}":       "120-125",
		"{os}/{os ?? ''}/{upper(s)[:2]}": "__null__/__empty__/AB",
		"{'__null__'}/{'..'}/{'.x'}":     "%5F_null__/%2E./%2Ex",
		"{var.site}":                     "Delft%2F2",
		"{truncate(t, duration('1h'))}":  "1970-01-01T02%3A00%3A00Z",
		"{t - day(t)}":                   "2h5m",
		"{format_time(t, '%Y/%m')}":      "1970%2F01",
		"{a-b}/{home.city}/{event.n}":    "a-b/Pardubice/125",
		"{s}{1st's @}{ n }":              "Ab%2Fc1st125",
		"{n > 5 ? nil : s}":              "__null__",
		"{any(tags, # == 'Ab/c')}":       "true",
		"{any(tags, {# == s})}":          "true",
		"{b'\\xff'}":                     "%FF",
		"{int(any) + 1}":                 "126",
		"{let y = n * 2; y}":             "250",
	} {
		got, err := bound(t, path).append(nil, row)
		if err != nil || string(got) != want {
			t.Errorf("%s is %q, %v, want %q", path, got, err, want)
		}
	}
}

// What an expression has no result for is the record's failure, which says where
// in the path the expression stands. The others are written.
func TestPathsFail(t *testing.T) {
	for path, want := range map[string]string{ // the place in the path
		"out/{100 % n}/":                "100 % n",
		"out/{s}/{ s + string(9 % n) }": "9 % n",
		"out/{tags[n + 1]}":             "tags[n + 1]",
		"out/{s}/{upper(any)}":          "upper(any)",
	} {
		_, err := bound(t, path).append(nil, event("a", 0))
		var r *gpflow.RecordError
		var e *expr.Error
		if !errors.As(err, &r) || r.Code != "expression" || r.Field != "path" || !errors.As(err, &e) {
			t.Errorf("%s: %#v", path, err)
			continue
		}
		if at := path[e.From:e.To]; at != want {
			t.Errorf("%s fails at %q (%v), want %q", path, at, err, want)
		}
	}
	long := "x/{s + s}/y"
	_, err := bound(t, long).append(nil, event(strings.Repeat("a", 128), 0))
	var e *expr.Error
	if !errors.As(err, &e) || long[e.From:e.To] != "s + s" || gpflow.ErrorCode(err) != "path" || !strings.Contains(err.Error(), "256 bytes") {
		t.Errorf("a name of 256 bytes: %v", err)
	}
}

func TestRecordsWithoutAPath(t *testing.T) {
	dir := t.TempDir()
	s, err := at(partsIn(dir+"/{12 / (item - 1) > 0.0}-{12 % (item - 3)}", nil), "ab", 1, alone)
	s = must(t, s, err)
	b := gpflow.NewBuilder(itemSchema)
	for i := range 6 {
		b.Row(0)[0] = gpflow.Int(int64(i))
	}
	var failed []string
	err = s.Write(context.Background(), b.Take(), func(row int, err error) error {
		failed = append(failed, fmt.Sprintf("%d %s", row, gpflow.ErrorCode(err)))
		return nil
	})
	if want := []string{"1 expression", "3 expression"}; err != nil || !slices.Equal(failed, want) {
		t.Errorf("failed are %q, %v, want %q", failed, err, want)
	}
	commitAll(t, s, prepared(t, s, true))
	var dirs []string
	for _, name := range tree(dir) {
		dirs = append(dirs, filepath.Dir(name))
	}
	if want := []string{"false-0", "true-0"}; !slices.Equal(dirs, want) {
		t.Errorf("there are %q, want %q", dirs, want)
	}
}

func keyOf(tb testing.TB, path string) gpflow.RowKey {
	tb.Helper()
	key, err := newKey(&gpflow.KeyContext{Config: gpflow.NewConfig(fields, vals{"mode": modeParts, "path": path}), Constants: eventConstants, In: eventSchema})
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func TestPathKeys(t *testing.T) {
	for path, want := range map[string][]string{
		"out/":                          nil,
		"out/{s}/{n}-{s}":               {"s", "n"},
		"out/{ a-b }":                   {"a-b"},
		"out/{lower(s)}/{n}/{lower(s)}": {"lower(s)", "n"},
	} {
		got := traits(gpflow.NewConfig(fields, vals{"mode": modeParts, "path": path}))
		if !slices.Equal(got.Key, want) || (got.KeyField == "path") != (want != nil) {
			t.Errorf("the key of %s is %q of %q, want %q", path, got.Key, got.KeyField, want)
		}
		if computed := strings.Contains(path, "("); (keyOf(t, path) != nil) != computed {
			t.Errorf("the key of %s is computed: %t", path, !computed)
		}
	}
	if _, err := newKey(&gpflow.KeyContext{Config: gpflow.NewConfig(fields, vals{"mode": modeParts, "path": "{nope}"}), In: eventSchema}); err == nil {
		t.Error("a path of unknown columns makes keys")
	}
}

// Rows of one path have one key, by whatever values they come there, and those
// without a path have one too. The paths are worked out by hand.
func TestOnePathOneKey(t *testing.T) {
	key := keyOf(t, "out/{lower(s)}{100 % n}/")
	rapid.Check(t, func(t *rapid.T) {
		seen := make(map[string]string)
		for range 30 {
			s, n := rapid.SampledFrom([]string{"a", "A", "a1", "A10", "b/", ""}).Draw(t, "s"), rapid.Int64Range(0, 12).Draw(t, "n")
			got, path := string(key([]byte("kept"), event(s, n))), "none"
			if n > 0 {
				path = strings.ReplaceAll(strings.ToLower(s), "/", "%2F")
				if path == "" {
					path = "__empty__"
				}
				path += strconv.FormatInt(100%n, 10)
			}
			if !strings.HasPrefix(got, "kept") {
				t.Fatalf("the key %q does not stand behind what was there", got)
			}
			if before, ok := seen[path]; ok && before != got {
				t.Fatalf("the path %s has the keys %q and %q", path, before, got)
			}
			for other, k := range seen {
				if other != path && k == got {
					t.Fatalf("the paths %s and %s have one key", path, other)
				}
			}
			seen[path] = got
		}
	})
}

func inferPath(path string, more vals) (gpflow.Inferred, []gpflow.Problem) {
	v := vals{"mode": modeParts, "format": "csv", "path": path}
	for k, x := range more {
		v[k] = x
	}
	var problems []gpflow.Problem
	schema := eventSchema.Select(func(c string) bool { return c != "any" && c != "tags" && c != "home.city" })
	out := Descriptor.Infer(&gpflow.Inference{
		Config: gpflow.NewConfig(fields, v), In: []*gpflow.Schema{schema}, Constants: eventConstants,
		Report: func(p gpflow.Problem) { problems = append(problems, p) },
	})
	return out, problems
}

func TestPathInfer(t *testing.T) {
	out, problems := inferPath("out/{s}/{lower(s) + var.site}-{n / local.step > 1.0}/{s}{lower(s) + var.site}", nil)
	if problems != nil {
		t.Fatal(problems)
	}
	var got []string
	for _, x := range out.Exprs {
		got = append(got, x.Path+": "+x.Text+" is "+x.Type.String())
	}
	if want := []string{"path: lower(s) + var.site is string", "path: n / local.step > 1.0 is bool"}; !slices.Equal(got, want) {
		t.Errorf("the expressions are %q, want %q", got, want)
	}
	if want := []string{"var.site", "local.step"}; !slices.Equal(out.Constants, want) {
		t.Errorf("the constants are %q, want %q", out.Constants, want)
	}
	if out, problems = inferPath("out/{s}.csv", vals{"mode": modeSingle}); problems != nil || out.Exprs != nil {
		t.Errorf("a file with braces in its name: %v, %v", out.Exprs, problems)
	}
}

func TestPathMistakes(t *testing.T) {
	for path, want := range map[string][]string{
		"out/{x}/":                     {"x: The column x is float, which no path can be made of"},
		"out/{x * 2}/{n / 2}":          {"x * 2: This is float, which no path can be made of", "n / 2: This is float, which no path can be made of"},
		"out/{ [s] }/{x}":              {"[s]: This is list(string), which no path can be made of", "x: The column x is float, which no path can be made of"},
		"out/{nope}/{nope}/{nope + 1}": {"nope: Unknown name nope", "nope: Unknown name nope"},
		"out/{lowr(s) + upper(n)}/":    {"lowr: Unknown function lowr", "n: n is int; upper takes string"},
		"out/{s + os}/":                {"os: os may be null"},
		"out/{var.nope}":               {"var.nope: Unknown name var.nope"},
		"out/{s n}":                    {"n: Unexpected n"},
		"out/{nil}":                    {"nil: The result is always null"},
		"out/{len(s}/{nope}/":          {"(: The ( is not closed", "nope: Unknown name nope"},
		"out/{s)}/":                    {"): Unexpected )"},
		"out/{s @ n}/{s}":              {"@: Unexpected @"},
		"out/{s}/{'abc}":               {"}: The text has no closing quote"},
	} {
		_, problems := inferPath(path, nil)
		var got []string
		for _, p := range problems {
			got = append(got, path[p.From:p.To]+": "+p.Summary)
			if p.Path != "path" || !slices.Equal(p.Needs, []string{"mode"}) {
				t.Errorf("%s: %+v", path, p)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", path, got, want)
		}
	}
}

func TestPathsOfExpressionsAllocateNothing(t *testing.T) {
	p, key := bound(t, "x={n % 7}/{s == 'a' ? 'b' : s}/{n > 5}"), keyOf(t, "x={n % 7}/{s == 'a' ? 'b' : s}/{n > 5}")
	row := event("abc", 12)
	var dst []byte
	n := testing.AllocsPerRun(100, func() {
		dst, _ = p.append(dst[:0], row)
		dst = key(dst[:0], row)
	})
	if n > 0 {
		t.Errorf("a path and a key allocate %v times", n)
	}
}
