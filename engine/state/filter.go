package state

import "math/bits"

// filter says of a key, by its hash, that it has never been written to the disk, or
// that it may have been: a blocked Bloom filter. It grows by stages, each for twice
// as many keys as the one before, as the keys cannot be read again. A key is in one
// stage.
type filter struct {
	stages [][]filterBlock
	keys   int  // that the last stage was made for
	room   int  // for so many of them there is room
	blind  bool // there was no memory for the first stage: it says nothing
}

// filterBlock is a line of the processor's cache. A key sets a bit in each word of
// one block.
type filterBlock [8]uint64

const (
	filterBits  = 12 // for each key, so that one in 200 that is not there may be
	filterBytes = 64 // of a block
	perBlock    = filterBytes * 8 / filterBits
)

// mixed spreads a hash, of whose upper bits a subtask has only some.
func mixed(hash uint64) uint64 {
	hash = (hash ^ hash>>32) * 0x9E3779B97F4A7C15
	return (hash ^ hash>>29) * 0xBF58476D1CE4E5B9
}

// at returns the block of a key.
func (f *filter) at(stage []filterBlock, mixed uint64) *filterBlock {
	i, _ := bits.Mul64(mixed, uint64(len(stage)))
	return &stage[i]
}

// has reports whether a key with that hash may have been added.
func (f *filter) has(hash uint64) bool {
	if f.blind {
		return true
	}
	h := mixed(hash)
	for i := len(f.stages) - 1; i >= 0; i-- {
		if f.at(f.stages[i], h).has(h) {
			return true
		}
	}
	return false
}

func (b *filterBlock) has(h uint64) bool {
	for i := range b {
		if b[i]>>(h&63)&1 == 0 {
			return false
		}
		h >>= 6
	}
	return true
}

func (b *filterBlock) set(h uint64) {
	for i := range b {
		b[i] |= 1 << (h & 63)
		h >>= 6
	}
}

// add adds a key. atFirst is how many are to be expected at first. Where there is no
// room, it asks take for memory, so many bytes; when that refuses, more keys go where
// there is no room for them, and more of those that have not been added may have been.
func (f *filter) add(hash uint64, atFirst int, take func(bytes int) bool) {
	if f.has(hash) {
		return
	}
	if f.room == 0 && !f.grow(atFirst, take) {
		return
	}
	f.room--
	h := mixed(hash)
	f.at(f.stages[len(f.stages)-1], h).set(h)
}

// grow adds a stage, or room where there is none, and reports whether there is a
// stage.
func (f *filter) grow(atFirst int, take func(bytes int) bool) bool {
	keys := max(2*f.keys, atFirst, 1)
	blocks := (keys + perBlock - 1) / perBlock
	switch {
	case take(blocks * filterBytes):
		f.stages = append(f.stages, make([]filterBlock, blocks))
		f.keys, f.room = keys, keys
	case len(f.stages) > 0:
		f.room = f.keys
	default:
		f.blind = true
	}
	return !f.blind
}

// bytes returns the memory that f holds.
func (f *filter) bytes() (n int) {
	for _, s := range f.stages {
		n += len(s) * filterBytes
	}
	return n
}
