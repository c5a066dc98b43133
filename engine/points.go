package engine

import (
	"sync"
	"time"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/checkpoint"
)

// Points is what there is to say about the checkpoints of a start.
type Points struct {
	Completed int64  `json:"completed"`
	Failed    int64  `json:"failed"`
	Failure   string `json:"failure,omitempty"` // why the last one that failed did
	// Last is the last that was completed: nil where there is none yet.
	Last *Point `json:"last,omitempty"`
	// Flight is the one that is being taken, 0 where there is none.
	Flight gpflow.CheckpointID `json:"in_flight,omitempty"`
}

// Point is a completed checkpoint.
type Point struct {
	ID       gpflow.CheckpointID `json:"id"`
	Time     time.Time           `json:"time"`        // when it began
	Duration time.Duration       `json:"duration_ns"` // until it was durable
	Bytes    int64               `json:"bytes"`       // that the parts have handed in: what has changed, where that is less
}

// points keeps Points. Any goroutine may use it.
type points struct {
	mu    sync.Mutex
	now   Points
	began time.Time // of now.Flight
	late  int       // how many in a row took longer than they are to be apart
}

// begin takes note that a checkpoint has begun; it may be said more than once.
func (p *points) begin(id gpflow.CheckpointID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.Flight != id {
		p.now.Flight, p.began = id, time.Now()
	}
}

func (p *points) aborted(a checkpoint.Abort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Flight = 0
	if !a.Down {
		p.now.Failed++
		p.now.Failure = a.Err.Error()
	}
}

func (p *points) completed(id gpflow.CheckpointID, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now.Completed++
	p.now.Last = &Point{ID: id, Time: p.began, Duration: time.Since(p.began), Bytes: bytes}
	if p.now.Flight == id {
		p.now.Flight = 0
	}
}

// patience is how many checkpoints in a row may take longer than they are to be
// apart, and longer than a moment, before people are told.
const (
	patience = 3
	moment   = time.Second
)

// lag reports, once for each series of them, that checkpoints take longer than they
// are to be apart, and how long the last took. It is called when one is completed.
func (p *points) lag(every time.Duration) (took time.Duration, slow bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	took = p.now.Last.Duration
	if every == 0 || took <= max(every, moment) {
		p.late = 0
		return took, false
	}
	p.late++
	return took, p.late == patience
}

func (p *points) read() Points {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now // Last is replaced, never changed
}
