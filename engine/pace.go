package engine

import (
	"math"
	"sync"
	"time"

	"github.com/gpflow/gpflow"
)

// pace keeps the readers of one source to a rate: the n-th record since the
// first is due n/rate seconds after it. A source that has fallen behind for
// more than a burst does not catch up.
type pace struct {
	rate float64 // records per second; 0: no limit
	now  func() time.Time

	mu    sync.Mutex
	began time.Time
	made  float64
}

// The bounds of a burst: what a reader gets at once.
const (
	burst    = 50 * time.Millisecond
	minPause = gpflow.Millisecond
)

func newPace(rate float64) *pace { return &pace{rate: rate, now: time.Now} }

// take returns how many records may be read now, at most max, or how long it
// is to the next.
func (p *pace) take(max int) (n int, wait gpflow.Duration) {
	if p.rate == 0 {
		return max, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.began.IsZero() {
		p.began = now
	}
	due := now.Sub(p.began).Seconds()*p.rate + 1
	if behind := due - p.made - math.Max(1, p.rate*burst.Seconds()); behind > 0 {
		p.made += behind
	}
	if n = min(int(due-p.made), max); n > 0 {
		p.made += float64(n)
		return n, 0
	}
	next := gpflow.Duration(math.Ceil((p.made + 1 - due) / p.rate * float64(gpflow.Second)))
	return 0, gpflow.Duration(math.Max(float64(next), float64(minPause)))
}

// give takes back records that were taken and not read.
func (p *pace) give(n int) {
	if p.rate == 0 || n <= 0 {
		return
	}
	p.mu.Lock()
	p.made -= float64(n)
	p.mu.Unlock()
}
