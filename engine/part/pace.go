package part

import (
	"math"
	"sync"
	"time"
)

// Pace keeps the readers of one source to a rate: record n is due n/rate seconds
// after record 0. Where downstream had no room for a while, the source catches
// up. Any goroutine may use it.
type Pace struct {
	rate float64 // records per second; 0: no limit

	mu    sync.Mutex
	began time.Time
	made  float64
}

// minPause is the shortest pause: higher rates come in bursts of so long.
const minPause = time.Millisecond

// NewPace returns a pace of so many records per second; 0 is no limit.
func NewPace(rate float64) *Pace { return &Pace{rate: rate} }

// take returns how many records may be read now, at most most, or how long it is
// to the next.
func (p *Pace) take(now time.Time, most int) (n int, wait time.Duration) {
	if p.rate == 0 {
		return most, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.began.IsZero() {
		p.began = now
	}
	due := now.Sub(p.began).Seconds()*p.rate + 1
	if n = min(int(due-p.made), most); n > 0 {
		p.made += float64(n)
		return n, 0
	}
	next := math.Ceil((p.made + 1 - due) / p.rate * 1e6) // microseconds, which are less than a century
	return 0, max(minPause, time.Duration(math.Min(next, 1<<51))*time.Microsecond)
}

// give takes back records that were taken and not read.
func (p *Pace) give(n int) {
	if p.rate == 0 || n <= 0 {
		return
	}
	p.mu.Lock()
	p.made -= float64(n)
	p.mu.Unlock()
}
