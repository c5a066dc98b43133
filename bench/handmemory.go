package main

// stretch is how many records the yardsticks make at once, outside of their
// time.
const stretch = 4096

// timed makes n records, a stretch at a time, and gives them to work, whose CPU
// time it returns.
func timed[T any](n int64, record func(i int64) T, work func([]T)) (spent float64) {
	recs := make([]T, 0, stretch)
	for i := int64(0); i < n; {
		for recs = recs[:0]; len(recs) < stretch && i < n; i++ {
			recs = append(recs, record(i))
		}
		began := cpu()
		work(recs)
		spent += cpu() - began
	}
	return spent
}

// handFilter is the in-memory filter job.
func handFilter() error {
	var d done
	var r row
	d.CPU = timed(madeCount, makeRecord, func(recs []made) {
		for i := range recs {
			if m := &recs[i]; m.amount >= 50 {
				r = m.append(r[:0])
				d.add(r)
			}
		}
	})
	return say(d)
}

// keyed is a record of the in-memory windows.
type keyed struct{ key, amount, at int64 }

// handCount is the in-memory windows, in a map for each window.
func handCount(keys, span int64) error {
	type cell struct{ n, sum int64 }
	var d done
	var r row
	start, cells := int64(0), make(map[int64]*cell)
	closeWindow := func() {
		for k, c := range cells {
			r = r[:0].int(k).time(start * 1000).time((start + span) * 1000).int(c.n).int(c.sum)
			d.add(r)
		}
		clear(cells)
		start += span
	}
	record := func(i int64) keyed { return keyed{hashInt(i) % keys, i % 100, i} }
	d.CPU = timed(madeCount, record, func(recs []keyed) {
		for _, k := range recs {
			if k.at >= start+span {
				closeWindow()
			}
			c := cells[k.key]
			if c == nil {
				c = new(cell)
				cells[k.key] = c
			}
			c.n++
			c.sum += k.amount
		}
	})
	began := cpu()
	closeWindow()
	d.CPU += cpu() - began
	return say(d)
}
