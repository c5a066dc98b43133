package state

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/gpflow/gpflow/engine/keygroup"
)

// leaving is the part of a table that goes to the disk. It is looked up until its
// memory is needed, also when it has been written, and nothing in it changes but
// moved. Everything is done in steps, which take any number of entries at a time.
//
// On the disk rows lie by hash, which is how they are put in order here: all
// entries are dealt to buckets by the upper bits of their hashes, and a bucket is
// sorted when its turn comes.
type leaving struct {
	part
	moved bitset // the entries that are in the table again
	dirty bitset // those that no completed checkpoint had at the beginning; nil: none
	log   log    // where these go
	done  bool   // all of them are on the disk

	buckets, first int      // the bucket of a hash is Of(hash, buckets)-first
	ends           []uint32 // by bucket: the end in order; while it is made, see arrange
	order          []uint32 // the entries by bucket
	counted        int      // entries whose buckets have been counted
	placed         int      // entries that are in order
	sorted         int      // the end in order of the buckets that are sorted
	bucket         int      // how many these are
	at             int      // in order: those before it are on the disk
	share          int      // bytes of an entry
}

// bucketRows is how many entries a bucket has, about, so that sorting one takes
// some microseconds.
const bucketRows = 16

// newLeaving returns what t has in memory, of a state whose hashes are those of
// the key groups [from, to) of groups.
func newLeaving(t *part, from, to, groups int) *leaving {
	l := &leaving{part: *t, moved: make(bitset, len(t.written)), dirty: t.changed(), share: max(t.bytes()/t.len(), 1)}
	l.buckets = max(t.len()/bucketRows*groups/(to-from), 1)
	l.first = keygroup.Of(keygroup.Least(from, groups), l.buckets)
	last := l.buckets - 1
	if to < groups {
		last = keygroup.Of(keygroup.Least(to, groups)-1, l.buckets)
	}
	l.ends = make([]uint32, last-l.first+1)
	l.order = make([]uint32, t.len())
	return l
}

// bytes returns the memory that l holds.
func (l *leaving) bytes() int {
	if l == nil {
		return 0
	}
	return l.part.bytes() + (cap(l.moved)+cap(l.dirty))*8 + (cap(l.order)+cap(l.ends))*4
}

func (l *leaving) bucketOf(hash uint64) int { return keygroup.Of(hash, l.buckets) - l.first }

// arrange deals so many entries to buckets, and returns how many it has not used
// as there are no more. Until all are counted, ends has the number of entries by
// bucket; until all are placed, the place in order of the next one.
func (l *leaving) arrange(n int) (rest int) {
	for ; n > 0 && l.counted < l.len(); n-- {
		l.ends[l.bucketOf(l.meta[l.counted].hash)]++
		if l.counted++; l.counted == l.len() {
			sum := uint32(0)
			for i, count := range l.ends {
				l.ends[i] = sum
				sum += count
			}
		}
	}
	for ; n > 0 && l.placed < l.len(); n-- {
		b := l.bucketOf(l.meta[l.placed].hash)
		l.order[l.ends[b]] = uint32(l.placed)
		l.ends[b]++
		l.placed++
	}
	return n
}

// next returns the entry that is to be written next, of which there is one.
func (l *leaving) next() int {
	for l.at == l.sorted {
		l.sorted = int(l.ends[l.bucket])
		slices.SortFunc(l.order[l.at:l.sorted], func(a, b uint32) int {
			return cmp.Or(cmp.Compare(l.meta[a].hash, l.meta[b].hash), bytes.Compare(l.key(int(a)), l.key(int(b))))
		})
		l.bucket++
	}
	l.at++
	return int(l.order[l.at-1])
}

// firstGroup returns the first group from first on, and before last, that has
// entries which are arranged, or else last.
func (l *leaving) firstGroup(first, last, groups int) int {
	b := max(l.bucketOf(keygroup.Least(first, groups)), 0)
	from := l.begin(b)
	for ; b < len(l.ends); b++ {
		for _, e := range l.order[from:l.ends[b]] {
			if g := keygroup.Of(l.meta[e].hash, groups); g >= first && !l.moved.has(int(e)) {
				last = min(last, g)
			}
		}
		from = int(l.ends[b])
		if b+1 < len(l.ends) && last <= keygroup.Of(keygroup.Least(l.first+b+1, l.buckets), groups) {
			break
		}
	}
	return last
}

// begin returns where a bucket begins in order.
func (l *leaving) begin(bucket int) int {
	if bucket == 0 {
		return 0
	}
	return int(l.ends[bucket-1])
}

// inGroup gives the entries of a group to f, in no order, but those that are in
// the table again. They are arranged.
func (l *leaving) inGroup(group, groups int, f func(e int)) {
	b := max(l.bucketOf(keygroup.Least(group, groups)), 0)
	for i := l.begin(b); b < len(l.ends); b++ {
		if keygroup.Of(keygroup.Least(l.first+b, l.buckets), groups) > group {
			return
		}
		for ; i < int(l.ends[b]); i++ {
			e := int(l.order[i])
			if keygroup.Of(l.meta[e].hash, groups) == group && !l.moved.has(e) {
				f(e)
			}
		}
	}
}

// end forgets what is needed only on the way to the disk.
func (l *leaving) end() {
	l.done = true
	l.dirty, l.ends, l.order = nil, nil, nil
	l.changes = changes{}
}
