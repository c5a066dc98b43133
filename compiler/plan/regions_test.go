package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/compiler/plan"
)

// graph makes a plan of tasks and edges: "a b c", "a>c b>c".
func graph(tasks, edges string) *plan.Plan {
	p := &plan.Plan{}
	for _, id := range strings.Fields(tasks) {
		p.Tasks = append(p.Tasks, plan.Task{ID: id})
	}
	for _, e := range strings.Fields(edges) {
		from, to, _ := strings.Cut(e, ">")
		p.Edges = append(p.Edges, plan.Edge{From: from, To: to})
	}
	return p
}

func TestRegions(t *testing.T) {
	for _, c := range []struct{ tasks, edges, want string }{
		{"", "", "[]"},
		{"a", "", "[[a]]"},
		{"a b", "", "[[a] [b]]"},
		{"a b", "a>b", "[[a b]]"},
		{"a b c", "a>c b>c", "[[a b c]]"},                 // joined behind them
		{"a b c", "a>b a>c", "[[a b c]]"},                 // joined before them
		{"a b c d", "a>c b>d", "[[a c] [b d]]"},           // side by side
		{"a b c d", "c>d b>d a>b", "[[a b c d]]"},         // whatever the order of the edges
		{"a b c d e", "a>d a>d b>c", "[[a d] [b c] [e]]"}, // twice the same
	} {
		if got := fmt.Sprint(plan.Regions(graph(c.tasks, c.edges))); got != c.want {
			t.Errorf("%s with %s: %s, and should be %s", c.tasks, c.edges, got, c.want)
		}
	}
}

// TestRegionsAreReached: two tasks are in one region if and only if there is a
// way between them, by a search of its own.
func TestRegionsAreReached(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "tasks")
		p := &plan.Plan{}
		for i := range n {
			p.Tasks = append(p.Tasks, plan.Task{ID: fmt.Sprint(i)})
		}
		near := make([][]bool, n)
		for i := range near {
			near[i] = make([]bool, n)
		}
		for range rapid.IntRange(0, n).Draw(t, "edges") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
			if a < b {
				p.Edges = append(p.Edges, plan.Edge{From: fmt.Sprint(a), To: fmt.Sprint(b)})
				near[a][b], near[b][a] = true, true
			}
		}
		region := make(map[string]int)
		for r, ids := range plan.Regions(p) {
			for _, id := range ids {
				if _, twice := region[id]; twice {
					t.Fatalf("task %s is in two regions", id)
				}
				region[id] = r
			}
		}
		for from := range n {
			seen := map[int]bool{from: true}
			for todo := []int{from}; len(todo) > 0; todo = todo[1:] {
				for to, ok := range near[todo[0]] {
					if ok && !seen[to] {
						seen[to] = true
						todo = append(todo, to)
					}
				}
			}
			for to := range n {
				if same := region[fmt.Sprint(from)] == region[fmt.Sprint(to)]; same != seen[to] {
					t.Fatalf("tasks %d and %d are in one region: %t, and there is a way: %t", from, to, same, seen[to])
				}
			}
		}
	})
}
