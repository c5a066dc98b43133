package blackhole

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
)

var schema = gpflow.NewSchema(
	gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)},
	gpflow.Column{Name: "x", Type: gpflow.T(gpflow.KindFloat).Opt()},
	gpflow.Column{Name: "tags", Type: gpflow.ListOf(gpflow.T(gpflow.KindString))},
	gpflow.Column{Name: "by", Type: gpflow.MapOf(gpflow.T(gpflow.KindInt))},
)

type row struct {
	user string
	x    float64
	tags []string
}

func open() *Sink {
	s, err := Descriptor.NewSink(&gpflow.SinkContext{Address: "sink.null", In: schema})
	if err != nil {
		panic(err)
	}
	return s.(*Sink)
}

func write(s *Sink, rows []row) {
	w := gpflow.NewBuilder(schema)
	for _, r := range rows {
		slots := w.Row(0)
		slots[0], slots[1] = gpflow.String(r.user), gpflow.Float(r.x)
		tags := make([]gpflow.Value, len(r.tags))
		for i, tag := range r.tags {
			tags[i] = gpflow.String(tag)
		}
		slots[2] = gpflow.List(tags)
		slots[3] = gpflow.Map([]gpflow.Entry{{Key: "k", Value: gpflow.Int(int64(len(r.tags)))}})
	}
	if b := w.Take(); b != nil {
		if err := s.Write(context.Background(), b, nil); err != nil {
			panic(err)
		}
	}
}

func draw(t *rapid.T) []row {
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) row {
		return row{
			rapid.String().Draw(t, "user"), rapid.Float64().Draw(t, "x"),
			rapid.SliceOf(rapid.String()).Draw(t, "tags"),
		}
	})).Draw(t, "rows")
}

// Neither the order nor the batches nor the subtasks change the sum.
func TestPropertyOrderIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := draw(t)
		one, two, three := open(), open(), open()
		write(one, rows)
		mixed := rapid.Permutation(rows).Draw(t, "order")
		cut := rapid.IntRange(0, len(rows)).Draw(t, "cut")
		write(two, mixed[:cut])
		write(three, mixed[cut:])
		n1, s1 := one.Checksum()
		n2, s2 := two.Checksum()
		n3, s3 := three.Checksum()
		if n1 != n2+n3 || s1 != s2+s3 {
			t.Fatalf("%d %x, and %d %x and %d %x", n1, s1, n2, s2, n3, s3)
		}
	})
}

// The sum is what its documentation says, by another XXH64.
func TestSum(t *testing.T) {
	s := open()
	write(s, []row{{"ab", -0.5, []string{"c"}}})
	var b []byte
	b = append(b, byte(gpflow.KindString), 2, 'a', 'b', byte(gpflow.KindFloat))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(-0.5))
	b = append(b, byte(gpflow.KindList), 1, byte(gpflow.KindString), 1, 'c', byte(gpflow.KindMap), 1, 1, 'k', byte(gpflow.KindInt))
	b = binary.LittleEndian.AppendUint64(b, 1)
	if n, got := s.Checksum(); n != 1 || got != xxhash.Sum64(b) {
		t.Errorf("%d rows, %x, want %x", n, got, xxhash.Sum64(b))
	}
}

func TestEveryColumnCounts(t *testing.T) {
	sums := make(map[uint64]int)
	for i, r := range []row{
		{}, {user: "a"}, {x: 1}, {x: math.Copysign(0, -1)}, {tags: []string{""}}, {tags: []string{"", ""}}, {user: "a", tags: []string{"b"}}, {user: "b", tags: []string{"a"}},
	} {
		s := open()
		write(s, []row{r})
		_, sum := s.Checksum()
		if j, ok := sums[sum]; ok {
			t.Errorf("rows %d and %d have one sum", i, j)
		}
		sums[sum] = i
	}
}

func TestLogsAtClose(t *testing.T) {
	var out bytes.Buffer
	s, _ := Descriptor.NewSink(&gpflow.SinkContext{
		Address: "sink.null", Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	write(s.(*Sink), []row{{}, {}})
	if p, err := s.Prepare(context.Background(), 1, true); p.Committable != nil || err != nil {
		t.Error(p, err)
	}
	if err := s.Close(); err != nil || !strings.Contains(out.String(), "rows=2 checksum=") {
		t.Errorf("%v %s", err, &out)
	}
	if _, err := gpflow.NewRegistry(&Descriptor); err != nil {
		t.Error(err)
	}
}

func BenchmarkWrite(b *testing.B) {
	s := open()
	w := gpflow.NewBuilder(schema)
	for range gpflow.BatchRows {
		r := w.Row(0)
		r[0], r[1] = gpflow.String("a user's name"), gpflow.Float(1.5)
	}
	batch := w.Take()
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Write(context.Background(), batch, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/gpflow.BatchRows, "ns/row")
}

// Whatever the engine does to it, it takes every record, and has nothing to show.
func TestRunSink(t *testing.T) {
	one := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 1))
		optest.RunSink(t, optest.SinkCase{
			Schema: one, Appears: optest.Never, Parallelism: []int{1, 3, 2},
			Row:    func(item int, row []gpflow.Value) { row[0] = gpflow.Int(int64(item)) },
			Choose: func(_ string, n int) int { return random.IntN(n) },
			Open: func(lineage string, epoch int64, s gpflow.Subtask) (gpflow.Sink, error) {
				return Descriptor.NewSink(&gpflow.SinkContext{Address: "sink.null", In: one, Subtask: s, Lineage: lineage, Epoch: epoch})
			},
		})
	}
}
