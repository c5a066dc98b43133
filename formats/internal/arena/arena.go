// Package arena hands out memory in pieces of chunks that are never used
// twice, so that a value may point into it for as long as anybody likes. The
// garbage collector frees a chunk when nothing points into it any more.
package arena

// Arena hands out slices of T. The zero Arena is ready; one goroutine uses it.
type Arena[T any] struct {
	free []T
	last int // elements of the last chunk
}

// The size of chunks, in elements. The first is small and each next one twice
// as large; what is longer than large gets memory of its own.
const (
	minChunk = 64
	maxChunk = 16 << 10
	large    = maxChunk / 8
)

// Room returns an empty slice with room for n elements, to be filled with
// append and given to Keep. The next Room is the same memory unless Keep is
// called.
func (a *Arena[T]) Room(n int) []T {
	if n > len(a.free) {
		if n > large {
			return make([]T, 0, n)
		}
		a.last = min(max(2*a.last, minChunk, n), maxChunk)
		a.free = make([]T, a.last)
	}
	return a.free[0:0:n]
}

// Keep makes s, which was appended to what Room returned, the caller's for
// good, and returns it without spare capacity.
func (a *Arena[T]) Keep(s []T) []T {
	if len(s) > 0 && len(a.free) >= len(s) && &s[0] == &a.free[0] {
		a.free = a.free[len(s):]
	}
	return s[:len(s):len(s)]
}
