package generate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
)

type vals = map[string]any

func exprs(pairs ...string) []gpflow.NamedExpr {
	var out []gpflow.NamedExpr
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, gpflow.NamedExpr{Name: pairs[i], Expr: pairs[i+1]})
	}
	return out
}

var constants = gpflow.Constants{"var.users": {Type: gpflow.T(gpflow.KindInt), Value: gpflow.Int(3)}}

func inferred(v vals, wanted map[string]bool) (gpflow.Inferred, []gpflow.Problem) {
	var problems []gpflow.Problem
	got := Descriptor.Infer(&gpflow.Inference{
		Config: gpflow.NewConfig(fields, v), Constants: constants, Wanted: wanted,
		Report: func(p gpflow.Problem) { problems = append(problems, p) },
	})
	return got, problems
}

type failure interface{ Fatal(args ...any) }

// open makes a source with all its columns read.
func open(t failure, v vals, parallelism int) *source {
	in, problems := inferred(v, nil)
	if problems != nil {
		t.Fatal(problems)
	}
	s, err := Descriptor.NewSource(&gpflow.SourceContext{
		Address: "source.test", Config: gpflow.NewConfig(fields, v), Constants: constants, Schema: in.Ports[0], Parallelism: parallelism,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*source)
}

func discover(t failure, s *source) []gpflow.Split {
	e, _ := s.Enumerator(nil)
	splits, done, err := e.Discover(context.Background())
	if again, _, _ := e.Discover(context.Background()); err != nil || !done || again != nil || e.Close() != nil {
		t.Fatal(done, err, again)
	}
	return splits
}

func assigned(t failure, s *source, split gpflow.Split, from gpflow.Position) *reader {
	r, _ := s.Reader(&gpflow.ReaderContext{})
	if err := r.Assign(split, from); err != nil {
		t.Fatal(err)
	}
	return r.(*reader)
}

// poll returns the rows and failed records of one poll, as "position: text".
func poll(t failure, r *reader) ([]string, gpflow.Position, gpflow.Progress) {
	out := gpflow.NewReading(r.schema)
	p, err := r.Poll(context.Background(), out)
	if err != nil {
		t.Fatal(err)
	}
	b, failed, _, pos := out.TakeReading()
	var got []string
	for i := 0; b != nil && i < b.N; i++ {
		_, at, _, _ := b.Position(i)
		got = append(got, fmt.Sprintf("%d: %s", at, gpflow.RowJSON(nil, r.schema, b.Row(i))))
	}
	for _, f := range failed {
		got = append(got, fmt.Sprintf("%d: %s %s", f.Position, gpflow.ErrorCode(f.Err), f.Raw))
	}
	return got, pos, p
}

var users = vals{
	"count": int64(10), "seed": int64(7),
	"fields": exprs("user", "'u' + string((i + seed) % var.users)", "at", "timestamp('2024-01-01T00:00:00Z') + duration('1s') * i"),
}

func TestRecords(t *testing.T) {
	s := open(t, users, 2)
	splits := discover(t, s)
	if len(splits) != 2 || splits[0].ID != "generate/0" || splits[1].ID != "generate/1" {
		t.Fatal(splits)
	}
	got, _, p := poll(t, assigned(t, s, splits[1], nil))
	want := []string{
		`1: {"user":"u2","at":"2024-01-01T00:00:01Z"}`, `3: {"user":"u1","at":"2024-01-01T00:00:03Z"}`,
		`5: {"user":"u0","at":"2024-01-01T00:00:05Z"}`, `7: {"user":"u2","at":"2024-01-01T00:00:07Z"}`,
		`9: {"user":"u1","at":"2024-01-01T00:00:09Z"}`,
	}
	if !slices.Equal(got, want) || p.Ended != "generate/1" {
		t.Errorf("got %q, %+v", got, p)
	}
}

// However many splits there are, and wherever reading is taken up again, each
// number comes once.
func TestPropertyEachOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.Int64Range(0, 3000).Draw(t, "count")
		s := open(t, vals{"count": count, "fields": exprs("n", "i")}, rapid.IntRange(1, 5).Draw(t, "splits"))
		seen := make(map[string]int)
		for _, split := range discover(t, s) {
			var pos gpflow.Position
			for done := false; !done; {
				r := assigned(t, s, split, pos)
				for again := true; again && !done; again = rapid.Bool().Draw(t, "go on") {
					got, at, p := poll(t, r)
					for _, g := range got {
						seen[g]++
					}
					pos, done = at, p.Ended != ""
				}
			}
		}
		for i := range count {
			if n := seen[fmt.Sprintf(`%d: {"n":%d}`, i, i)]; n != 1 {
				t.Fatalf("the record %d came %d times", i, n)
			}
		}
		if len(seen) != int(count) {
			t.Fatalf("%d records, want %d", len(seen), count)
		}
	})
}

func TestSplitsInTurn(t *testing.T) {
	s := open(t, vals{"fields": exprs("n", "i")}, 2)
	splits := discover(t, s)
	r := assigned(t, s, splits[0], nil)
	if err := r.Assign(splits[1], nil); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"0: ", "1: ", "2048: "} {
		got, _, p := poll(t, r)
		if len(got) != gpflow.BatchRows || !strings.HasPrefix(got[0], want) || p != (gpflow.Progress{}) {
			t.Errorf("poll %d: %d rows from %s, %+v", i, len(got), got[0], p)
		}
	}
}

func TestFailedExpression(t *testing.T) {
	s := open(t, vals{"count": int64(4), "seed": int64(1), "fields": exprs("n", "100 % (i - 2)")}, 1)
	got, _, _ := poll(t, assigned(t, s, discover(t, s)[0], nil))
	want := []string{`0: {"n":0}`, `1: {"n":0}`, `3: {"n":0}`, `2: expression {"i":2,"seed":1}`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestBadPositions(t *testing.T) {
	s := open(t, users, 2)
	split := discover(t, s)[1]
	for _, pos := range []gpflow.Position{{}, {2}, {1, 1}, {0x80}} {
		r, _ := s.Reader(&gpflow.ReaderContext{})
		if err := r.Assign(split, pos); err == nil {
			t.Errorf("the position %x is accepted", []byte(pos))
		}
	}
	r, _ := s.Reader(&gpflow.ReaderContext{})
	if err := r.Assign(gpflow.Split{ID: "x", Data: []byte("{}")}, nil); err == nil {
		t.Error("a split without data is accepted")
	}
}

func TestInfer(t *testing.T) {
	got, problems := inferred(users, nil)
	if len(problems) > 0 || got.Ports[0].String() != "user string, at timestamp" || !slices.Equal(got.Constants, []string{"var.users"}) || len(got.Exprs) != 2 {
		t.Errorf("%v, %v, %+v", problems, got.Ports[0], got)
	}
	got, _ = inferred(users, map[string]bool{"at": true})
	if got.Ports[0].String() != "at timestamp" || len(got.Constants) != 0 {
		t.Errorf("pruned: %v, %q", got.Ports[0], got.Constants)
	}
	if Descriptor.TraitsOf(gpflow.NewConfig(fields, vals{})).Bounded || !Descriptor.TraitsOf(gpflow.NewConfig(fields, users)).Bounded {
		t.Error("a source is bounded where it has a count")
	}
}

func TestInferRefuses(t *testing.T) {
	for _, c := range []struct {
		fields []gpflow.NamedExpr
		path   string
		text   string // what From and To are around
		want   string
	}{
		{exprs("n", "i", "m", "1 + nope"), "fields.m", "nope", "nope"},
		{exprs("a.b", "i", "a", "i"), "fields.a", "", "exclude each other"},
		{exprs("a", "i", "a", "i"), "fields.a", "", "given twice"},
		{exprs("1a", "i"), "fields.1a", "", "is not a name"},
		{exprs("a.", "i"), "fields.a.", "", "is not a name"},
		{nil, "fields", "", "no fields"},
	} {
		got, problems := inferred(vals{"fields": c.fields}, nil)
		if len(problems) != 1 || problems[0].Path != c.path || !strings.Contains(problems[0].Summary, c.want) || got.Ports[0] != nil {
			t.Errorf("%v: %+v, %v", c.fields, problems, got.Ports)
			continue
		}
		if p := problems[0]; c.text != "" && c.fields[1].Expr[p.From:p.To] != c.text {
			t.Errorf("the range is %d-%d", p.From, p.To)
		}
	}
}

func TestDescriptorIsComplete(t *testing.T) {
	if _, err := gpflow.NewRegistry(&Descriptor); err != nil {
		t.Fatal(err)
	}
	for _, f := range Descriptor.Fields {
		if f.Doc == "" {
			t.Errorf("field %s says nothing", f.Name)
		}
		if f.Name == "count" && (f.Check(int64(-1)) == nil || f.Check(int64(0)) != nil) {
			t.Error("a count is 0 or more")
		}
	}
}

func BenchmarkPoll(b *testing.B) {
	s := open(b, vals{"fields": exprs("n", "i % 1000", "at", "timestamp('2024-01-01T00:00:00Z') + duration('1s') * i", "ok", "i % 3 == 0")}, 1)
	r := assigned(b, s, discover(b, s)[0], nil)
	out := gpflow.NewReading(s.schema)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Poll(context.Background(), out); err != nil {
			b.Fatal(err)
		}
		batch, _, _, _ := out.TakeReading()
		batch.Release()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/gpflow.BatchRows, "ns/row")
}

// The expression that the documentation says to fail, fails.
func TestDocumentedFailure(t *testing.T) {
	s := open(t, vals{"count": int64(2), "fields": exprs("n", "100 / (i % 7)", "h", "hash(i + seed)")}, 1)
	got, _, _ := poll(t, assigned(t, s, discover(t, s)[0], nil))
	if len(got) != 2 || got[1] != `0: expression {"i":0,"seed":0}` {
		t.Errorf("got %q", got)
	}
}
