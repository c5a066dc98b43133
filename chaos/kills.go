package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// pace is the rate of a source that is to be killed, in rows a second.
const pace = 4000

// perRound is how many random kills are to count in a round.
const perRound = 8

// rounds kills all workloads in turn, until every kill that is asked for has
// counted.
func (c *chaos) rounds() error {
	all := workloads()
	for n := 0; c.ctx.Err() == nil; n++ {
		if c.tally.random >= c.kills && len(c.wanting("")) == 0 {
			return nil
		}
		if n > 20+c.kills+c.hits*len(c.points) {
			return fmt.Errorf("%w: %v is wanting", errUncounted, c.wanting(""))
		}
		w := all[n%len(all)]
		r, err := c.begin(w, fmt.Sprintf("%03d-%s", n, w.name))
		if err != nil {
			return err
		}
		err = r.all()
		if err == nil {
			err = r.compare()
		}
		c.tally.round(r, n)
		if err := r.close(err); err != nil {
			return err
		}
	}
	return c.ctx.Err()
}

// wanting returns the points of a phase, or of all, that have not counted often
// enough, those that have least first.
func (c *chaos) wanting(phase string) (names []string) {
	for _, p := range c.points {
		if (phase == "" || p.Phase == phase) && c.tally.hits[p.Name] < c.hits {
			names = append(names, p.Name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return c.tally.hits[a] - c.tally.hits[b] })
	return names
}

// all is what a round consists of: it is killed while it begins, then at random
// and at failpoints in turn, then while it ends.
func (r *round) all() error {
	for _, point := range r.wanting("fresh") {
		d, hit, err := r.killAt(pace, point, 1)
		if err != nil {
			return err
		}
		if hit {
			r.tally.hits[point]++
		}
		if d == nil || d.id > 0 || !hit || strings.HasSuffix(point, "named") || strings.HasSuffix(point, "durable") {
			break // the state is there, and does not begin again
		}
	}
	for counted := 0; counted < perRound && !r.over && !r.exhausted; {
		if r.rng.IntN(4) == 0 {
			if err := r.stopped(); err != nil {
				return err
			}
		}
		ok, err := r.atRandom()
		if err != nil {
			return err
		}
		if ok {
			counted++
		}
		for range 2 {
			if err := r.atPoint("recovery"); err != nil {
				return err
			}
			if err := r.atPoint("barrier", "storing", "commit", "retention"); err != nil {
				return err
			}
		}
		if r.tally.random >= r.kills && counted >= 2 {
			break // what is wanting are failpoints; the next round has others
		}
	}
	return r.atTheEnd()
}

// atRandom kills the pipeline 10 ms to 2 s after its start, each magnitude as
// often as any other, and reports whether that counts.
func (r *round) atRandom() (counts bool, err error) {
	if r.over {
		return false, nil
	}
	after := time.Duration(float64(10*time.Millisecond) * math.Pow(200, r.rng.Float64()))
	d, err := r.killAfter(pace, after)
	if err != nil || d == nil {
		return false, err
	}
	counts = d.fresh && r.uncommitted
	if counts {
		r.last = d.id
		r.tally.random++
	}
	r.tally.killed(r.chaos, d, counts)
	return counts, nil
}

// stopped stops the pipeline in order, or kills it while it stops.
func (r *round) stopped() error {
	grace := time.Duration(0)
	if r.rng.IntN(2) == 0 {
		grace = 1 + time.Duration(r.rng.IntN(40))*time.Millisecond
	}
	r.tally.stops++
	return r.stopAfter(pace, time.Duration(r.rng.IntN(300))*time.Millisecond, grace)
}

// atPoint kills the pipeline at a point of these phases that this workload
// passes and that has not counted often enough.
//
// It counts where there are rows that were read and are not committed, and a
// checkpoint behind them that is newer than the one at the last kill; in a
// recovery, newer than the one at the last kill in a recovery.
func (r *round) atPoint(phases ...string) error {
	var some []string
	for _, phase := range phases {
		for _, name := range r.wanting(phase) {
			if !r.tally.lacks[r.name][name] {
				some = append(some, name)
			}
		}
	}
	if len(some) == 0 || r.over || r.exhausted {
		return nil
	}
	recovering := phases[0] == "recovery"
	point, times := some[r.rng.IntN(len(some))], 1
	if !recovering {
		times += r.rng.IntN(6)
	}
	d, hit, err := r.killAt(pace, point, times)
	if err != nil || d == nil {
		return err
	}
	counts := hit && r.uncommitted && d.fresh
	if recovering {
		counts = hit && r.uncommitted && d.id > r.lastStart
	}
	switch {
	case !hit:
		r.tally.missed[point]++
		if !recovering && !slices.Contains(d.trace, point) {
			r.tally.lack(r.name, point)
		}
	case counts && recovering:
		r.lastStart = d.id
	case counts:
		r.last = d.id
	}
	if counts {
		r.tally.hits[point]++
	}
	return nil
}

// atTheEnd has all that is kept verified, kills the pipeline while it finishes,
// and then lets it.
func (r *round) atTheEnd() error {
	if said, err := r.verify(); err != nil {
		return fmt.Errorf("gpflow state verify: %w: %s", err, said)
	}
	for _, point := range r.wanting("end") {
		if r.over {
			break
		}
		d, hit, err := r.killAt(0, point, 1)
		if err != nil {
			return err
		}
		if hit {
			r.tally.hits[point]++
		}
		if d != nil && d.finished && !d.settled {
			r.tally.halfway++
		}
	}
	return r.finish()
}
