package checkpoint

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// A process is stopped before any of its operations, another one starts and
// does much, and then the first goes on: it finds itself overtaken. What it had
// said to be kept, the other one has gone on from.
func TestOvertakenAtEveryOperation(t *testing.T) {
	for _, others := range []int{0, 1, 4} {
		for n, ended := 0, false; !ended; n++ {
			h, store := newTruth(), newMemStore()
			must(t, h.life(t, memView{memStore: store}, 3))
			i, claimed, free, fenced := -1, 1<<30, true, false
			ended = true
			hook := func(op, name string) memFault {
				i++
				epochs := strings.Contains(name, "/epochs/")
				if epochs && op == "put if absent" {
					claimed = i // and where it does so again, it is the newest
				}
				if i == n {
					ended = false
					must(t, h.life(t, memView{memStore: store}, others))
				}
				isFence := !fenced && op == "put if absent" && strings.Contains(name, "/current/")
				fenced = fenced || isFence
				if i < n || n <= claimed {
					return memNone
				}
				// What it had looked for itself before it was overtaken, it may do:
				// one write, or a run of removals. No more.
				// A fence, a segment, which nobody sees, and what is there already
				// are no such writes.
				writes := op != "get" && op != "get range" && op != "list" && !strings.Contains(name, "/segments/") && !isFence && !(op == "put" && strings.Contains(name, "/sealed/"))
				if i > n && writes && !(free && (op == "remove" || i == n+1)) {
					t.Errorf("overtaken at operation %d: %s %s at %d", n, op, name, i)
				}
				free = free && (op == "remove" || i == n && strings.HasPrefix(name, "head/"))
				return memNone
			}
			err := h.life(t, memView{store, hook}, 3)
			var stale *StaleEpoch
			if err != nil && !errors.As(err, &stale) {
				t.Fatalf("overtaken at operation %d: %v", n, err)
			}
			j, err := h.start(t.Context(), memView{memStore: store})
			must(t, err)
			if err := h.line(j.stands); err != nil {
				t.Fatalf("overtaken at operation %d by %d: %v", n, others, err)
			}
			must(t, h.checkpoint(t.Context(), j))
			must(t, j.k.Retain(t.Context(), 2))
			sound(t, h, j.k, "having been overtaken")
			tidy(t, j.k, store)
		}
	}
}

// Who is overtaken while it claims an epoch is told so, and does not take what
// was current for what is.
func TestOvertakenInClaim(t *testing.T) {
	h, store := newTruth(), newMemStore()
	must(t, h.life(t, memView{memStore: store}, 2))
	var k *Keeper
	claim := func(hook func(op, name string) memFault) (err error) {
		k, err = Open(t.Context(), memView{memStore: store})
		must(t, err)
		k.store = memView{store, hook}
		return k.Claim(t.Context(), "overtaken")
	}
	last, claimed := -1, -1
	must(t, claim(func(op, name string) memFault {
		if last++; claimed < 0 && strings.HasPrefix(op, "put") {
			claimed = last
		}
		return memNone
	}))
	for n := claimed + 1; n < last; n++ { // the last operation is not about epochs
		i := -1
		err := claim(func(string, string) memFault {
			if i++; i == n {
				must(t, h.life(t, memView{memStore: store}, 3))
			}
			return memNone
		})
		var stale *StaleEpoch
		_, later := store.objects[epochName("ab", k.Epoch()+1)]
		if err == nil && later || err != nil && !errors.As(err, &stale) {
			t.Errorf("overtaken at operation %d of %d: %v", n, last, err)
		}
	}
}

// Three processes whose operations are interleaved at random, with failures.
// All that any of them has kept is on one line.
func TestProcessesInterleaved(t *testing.T) {
	seeds := 3000
	if testing.Short() {
		seeds = 300
	}
	kept, stale := 0, 0
	for seed := range uint64(seeds) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		h, store := newTruth(), newMemStore()
		must(t, h.life(t, memView{memStore: store}, 0))
		errs := interleave(t, rnd, 3, func(hook func(op, name string) memFault) error {
			return h.life(t, memView{store, hook}, 4)
		})
		for _, err := range errs {
			var overtaken *StaleEpoch
			switch {
			case errors.As(err, &overtaken):
				stale++
			case err != nil && !errors.Is(err, errMem):
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		j, err := h.start(t.Context(), memView{memStore: store})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := h.line(j.stands); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		kept += len(h.kept)
	}
	t.Logf("%d runs: %d checkpoints kept, %d processes overtaken", seeds, kept, stale)
	if kept < 2*seeds || stale < seeds/2 {
		t.Error("the test tests nothing")
	}
}

// interleave runs n processes one operation at a time, in an order that rnd
// says, and returns what they have returned. Of all operations, one in a
// hundred fails.
func interleave(t *testing.T, rnd *rand.Rand, n int, process func(hook func(op, name string) memFault) error) []error {
	type turn struct {
		who int
		end bool
	}
	asks := make(chan turn)
	grants := make([]chan memFault, n)
	errs := make([]error, n)
	waiting := make([]bool, n)
	left := n
	await := func() {
		a := <-asks
		if a.end {
			left--
			return
		}
		waiting[a.who] = true
	}
	for i := range n {
		grants[i] = make(chan memFault)
		go func() {
			asks <- turn{who: i}
			<-grants[i]
			errs[i] = process(func(string, string) memFault {
				asks <- turn{who: i}
				return <-grants[i]
			})
			asks <- turn{who: i, end: true}
		}()
		await()
	}
	for runs := 0; left > 0; runs-- {
		var can []int
		for i, w := range waiting {
			if w {
				can = append(can, i)
			}
		}
		who := can[rnd.IntN(len(can))]
		fault := memNone
		if rnd.IntN(100) == 0 {
			fault = memFault(rnd.IntN(3))
		}
		waiting[who] = false
		grants[who] <- fault
		await()
	}
	return errs
}
