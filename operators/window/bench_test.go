package window

import (
	"fmt"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/state"
	"github.com/gpflow/gpflow/operators/optest"
)

// stream feeds a window with batches of 1024 rows, over keys, a
// millisecond apart, with a mark every 32 rows.
type stream struct {
	d     *optest.Driver
	batch *gpflow.Batch
	now   gpflow.Timestamp
}

func newStream(tb testing.TB, size gpflow.Duration, keys int, pairs ...string) *stream {
	c := optest.Case{Descriptor: &Descriptor, In: []*gpflow.Schema{schema()}, Config: config(size, []string{"user"}, pairs...)}
	w := gpflow.NewBuilder(c.In[0])
	for i := range gpflow.BatchRows {
		copy(w.Row(0), row(0, fmt.Sprint("user-", i*7919%keys), int64(i)).Values)
		if i%32 == 31 {
			w.Mark(gpflow.Timestamp(i))
		}
	}
	return &stream{d: optest.NewDriver(tb, c, optest.Options{State: tables(1024)}), batch: w.Take()}
}

// tables makes the state that the engine makes.
func tables(groups int) func([]gpflow.StateDescriptor) gpflow.State {
	return func(descs []gpflow.StateDescriptor) gpflow.State {
		m, err := state.New(groups, 0, groups, descs)
		if err != nil {
			panic(err)
		}
		return m
	}
}

// feed gives the window one more batch.
func (s *stream) feed(tb testing.TB) {
	for i := range s.batch.Times {
		s.batch.Times[i] = s.now + gpflow.Timestamp(i)*gpflow.Timestamp(gpflow.Millisecond)
	}
	for i := range s.batch.Marks {
		s.batch.Marks[i].Time = s.batch.Times[s.batch.Marks[i].Row-1]
	}
	s.now = s.batch.Times[len(s.batch.Times)-1] + gpflow.Timestamp(gpflow.Millisecond)
	s.batch.Retain()
	if err := s.d.Feed(s.batch, 0); err != nil {
		tb.Fatal(err)
	}
}

var numbers = []string{
	"n", "count()", "total", "sum(n)", "mean", "avg(x)", "least", "min(n)", "most", "max(x)", "begin", "first(n)", "end", "last(x)",
	"ratio", "sum(n * 2) / count()",
}

// Neither a record nor a result costs an allocation, but for the memory that
// the texts of keys share.
func TestNoAllocations(t *testing.T) {
	for _, size := range []gpflow.Duration{gpflow.Day, gpflow.Second} {
		s := newStream(t, size, 8, numbers...)
		for range 8 {
			s.feed(t)
		}
		if n := testing.AllocsPerRun(50, func() { s.feed(t) }); n > 16 { // the pool of batches forgets some under the race detector
			t.Errorf("a batch of %d records over 8 keys in windows of %s allocates %v times", s.batch.N, size, n)
		}
	}
}

func BenchmarkTumbling(b *testing.B) {
	for _, c := range []struct {
		name  string
		keys  int
		pairs []string
	}{
		{"count sum/8 keys", 8, []string{"n", "count()", "total", "sum(n)"}},
		{"count sum/1024 keys", 1024, []string{"n", "count()", "total", "sum(n)"}},
		{"numbers/8 keys", 8, numbers},
		{"text/8 keys", 8, []string{"least", "min(home.city)", "end", "last(user)"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newStream(b, gpflow.Second, c.keys, c.pairs...)
			b.ReportAllocs()
			for i := 0; i < b.N; i += s.batch.N {
				s.feed(b)
			}
		})
	}
}
