package engine

import (
	"math"
	"sync"
	"time"

	"github.com/gpflow/gpflow"
)

// pace keeps the readers of one source to a rate: record n is due n/rate
// seconds after record 0. Where downstream had no room for a while, the source
// catches up.
type pace struct {
	rate float64 // records per second; 0: no limit
	now  func() time.Time

	mu    sync.Mutex
	began time.Time
	made  float64
}

// minPause is the shortest pause: higher rates come in bursts of so long.
const minPause = gpflow.Millisecond

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
