package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gpflow/gpflow"
)

// TestUntil: what is read of each split ends at the first record that is the bound on
// disorder beyond the end, whatever is read at once, by how many subtasks, and
// whether the input would end by itself; what is not before the end is left out.
func TestUntil(t *testing.T) {
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 3))
		end, disorder := gpflow.Timestamp(100), gpflow.Duration(random.IntN(30))
		splits := map[string][]record{}
		for k := range 4 {
			name := fmt.Sprintf("s%d", k)
			for i := range 300 {
				r := record{k: int64(1000*k + i), at: max(0, gpflow.Timestamp(i/2-random.IntN(int(disorder)+1))), text: name}
				r.broken = random.IntN(20) == 0
				splits[name] = append(splits[name], r)
			}
		}
		want, filtered, in := expected(splits, end, disorder)
		for _, poll := range []int{1, 2, 7, 0} {
			for _, endless := range []bool{false, true} {
				parallelism := 1 + random.IntN(3)
				e := at(disorder)
				e.Until = &end
				tasks := straight(parallelism, "pass")
				tasks[0].Ops[0].EventTime = e
				tasks[0].Ops[0].OnError.Action = gpflow.ActionSkip
				w := newWorld(t, tasks)
				f := w.feeds["source.a"]
				f.splits, f.open, f.alone = splits, endless, endless
				r := w.finish(Options{PollRows: poll})
				if got := w.stores["sink.out"].rows(); !slices.Equal(got, want) {
					t.Fatalf("seed %d, %d a poll, endless %t: got %d rows, want %d", seed, poll, endless, len(got), len(want))
				}
				n := nodeOf(t, r.Status, "source.a")
				if n.Filtered != filtered || n.In != in {
					t.Errorf("seed %d, %d a poll, endless %t: of %d records %d are filtered, and of %d it should be %d", seed, poll, endless, n.In, n.Filtered, in, filtered)
				}
			}
		}
	}
}

// expected returns the rows, how many are left out, and how many records are read.
func expected(splits map[string][]record, end gpflow.Timestamp, disorder gpflow.Duration) (rows []string, filtered, in int64) {
	for _, rs := range splits {
		for _, r := range rs {
			if !r.broken && int64(r.at) >= int64(end)+int64(disorder) {
				break
			}
			in++
			switch {
			case r.broken:
			case r.at >= end:
				filtered++
			default:
				rows = append(rows, fmt.Sprintf(`{"k":%d,"at":"1970-01-01T00:00:00%sZ","text":%q}`, r.k, fraction(int64(r.at)), r.text))
			}
		}
	}
	slices.Sort(rows)
	return rows, filtered, in
}

// fraction writes microseconds as the fraction of a second, without trailing zeros.
func fraction(us int64) string {
	if us == 0 {
		return ""
	}
	s := fmt.Sprintf(".%06d", us)
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	return s
}
