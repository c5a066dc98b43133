package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// answer is what a job has to put out: the number of rows, and a checksum that
// does not depend on their order.
type answer struct {
	Rows int64  `json:"rows"`
	Sum  uint64 `json:"sum"`
}

// add adds a row.
func (a *answer) add(r row) {
	a.Rows++
	a.Sum += xxhash.Sum64(r)
}

// compare says how the other answer differs.
func (a answer) compare(got answer) error {
	if a != got {
		return fmt.Errorf("the answer is wrong: %d rows with checksum %016x, want %d with %016x", got.Rows, got.Sum, a.Rows, a.Sum)
	}
	return nil
}

// row is a row as the sink blackhole sums it: the kind of each column and its
// content.
type row []byte

func (r row) bits(kind byte, n uint64) row {
	return binary.LittleEndian.AppendUint64(append(r, kind), n)
}

func (r row) bool(b bool) row {
	if b {
		return r.bits(1, 1)
	}
	return r.bits(1, 0)
}

func (r row) int(n int64) row     { return r.bits(2, uint64(n)) }
func (r row) float(f float64) row { return r.bits(3, math.Float64bits(f)) }

// cents is the float of an amount of money that was added up, in any order.
func (r row) cents(f float64) row { return r.float(math.Round(f*100) / 100) }

func (r row) text(s string) row {
	return append(binary.AppendUvarint(append(r, 5), uint64(len(s))), s...)
}

// time is a timestamp, from microseconds.
func (r row) time(micros int64) row { return r.bits(7, uint64(micros)) }

// totals is the answer of filter and map over the first n orders.
func totals(n int64) (a answer) {
	var r row
	eachOrder(n, false, func(o *order) {
		if o.kept() {
			r = r[:0].int(o.id).text(o.user).text(o.country).float(o.total)
			a.add(r)
		}
	})
	return a
}

// everything is the answer of passing on the first n orders.
func everything(n int64) (a answer) {
	var r row
	eachOrder(n, false, func(o *order) {
		r = r[:0].int(o.id).text(o.user).text(o.country).text(o.status).float(o.amount)
		r = r.int(o.qty).int(o.milliseconds).time(o.milliseconds * 1000).text(o.note)
		a.add(r)
	})
	return a
}

// group is a user and the start of a window, in milliseconds.
type group struct {
	user  string
	start int64
}

type sum struct {
	orders  int64
	revenue float64
}

// addTo adds an order to the windows of windowSpan milliseconds.
func addTo(sums map[group]*sum, user string, milliseconds int64, amount float64) {
	g := group{user, milliseconds - milliseconds%windowSpan}
	s := sums[g]
	if s == nil {
		s = new(sum)
		sums[g] = s
	}
	s.orders++
	s.revenue += amount
}

// windows is the answer of the windows over the first n orders, out of order.
func windows(n int64) (a answer) {
	sums := make(map[group]*sum)
	eachOrder(n, true, func(o *order) { addTo(sums, o.user, o.milliseconds, o.amount) })
	for g, s := range sums {
		a.add(row(nil).text(g.user).int(g.start).int(s.orders).cents(s.revenue))
	}
	return a
}

// hashInt is hash(i) of record expressions: XXH64 of the key bytes of an int,
// without its sign.
func hashInt(i int64) int64 {
	b := binary.BigEndian.AppendUint64([]byte{2}, uint64(i)^1<<63)
	return int64(xxhash.Sum64(b) &^ (1 << 63))
}

// made is a record of the in-memory filter job.
type made struct {
	id, qty    int64
	user, item string
	amount     float64
	online     bool
}

func makeRecord(i int64) made {
	return made{
		id: i, user: "user-" + strconv.FormatInt(i*7919%100_000, 10), item: "item-" + strconv.FormatInt(i%5000, 10),
		amount: float64(i%10_000) / 100, qty: i%7 + 1, online: i%3 == 0,
	}
}

// filtered is the answer of the in-memory filter job.
func filtered(n int64) (a answer) {
	var r row
	for i := range n {
		if m := makeRecord(i); m.amount >= 50 {
			r = m.append(r[:0])
			a.add(r)
		}
	}
	return a
}

func (m *made) append(r row) row {
	return r.int(m.id).text(m.user).text(m.item).bool(m.online).float(m.amount * float64(m.qty))
}

// counted is the answer of the in-memory windows: count and sum by key, in
// windows of span records. Record i has the key key(i) % keys.
func counted(n, keys, span int64, key func(i int64) int64) (a answer) {
	var r row
	orders, sums := make([]int64, keys), make([]int64, keys)
	for start := int64(0); start < n; start += span {
		clear(orders)
		clear(sums)
		for i := start; i < min(start+span, n); i++ {
			k := key(i) % keys
			orders[k]++
			sums[k] += i % 100
		}
		from := start * 1000
		for k := range keys {
			if orders[k] > 0 {
				r = r[:0].int(k).time(from).time(from + span*1000).int(orders[k]).int(sums[k])
				a.add(r)
			}
		}
	}
	return a
}
