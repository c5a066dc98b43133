package engine

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestLag: people are told, once for each time that it comes to that, when one
// checkpoint after the other takes longer than they are to be apart.
func TestLag(t *testing.T) {
	for _, c := range []struct {
		every time.Duration
		took  []int // seconds
		told  []int // behind which
	}{
		{2 * time.Second, []int{3, 3, 3, 3, 3, 3}, []int{2}},
		{2 * time.Second, []int{3, 3, 2, 3, 3, 2}, nil},
		{2 * time.Second, []int{3, 3, 3, 1, 4, 5, 6, 7}, []int{2, 6}},
		{time.Millisecond, []int{1, 1, 1, 1}, nil}, // that they follow on each other was asked for
		{time.Millisecond, []int{2, 2, 2, 2}, []int{2}},
		{0, []int{9, 9, 9, 9}, nil}, // only on request
	} {
		synctest.Test(t, func(t *testing.T) {
			var p points
			var told []int
			for i, seconds := range c.took {
				p.begin(1)
				<-time.After(time.Duration(seconds) * time.Second)
				p.completed(1, 0)
				took, slow := p.lag(c.every)
				if took != time.Duration(seconds)*time.Second {
					t.Errorf("%s, and it took %d s", took, seconds)
				}
				if slow {
					told = append(told, i)
				}
			}
			if !slices.Equal(told, c.told) {
				t.Errorf("every %s, taking %v s: told behind %v, and not behind %v", c.every, c.took, told, c.told)
			}
		})
	}
}
