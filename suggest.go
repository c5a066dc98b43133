package gpflow

import (
	"math/bits"
	"unicode"
)

const (
	// maxDistance is how many edits away a suggestion may be.
	maxDistance = 2
	// longWord is how many characters a word has in which two may be edited.
	longWord = 5
	// maxCompared is how many candidates with about the letters of a word are
	// compared with it, so that a mistake among very many names takes no longer.
	maxCompared = 500
)

// Suggest returns the candidate that the author most likely meant by word: the
// nearest one at most two edits away, where an edit changes, adds or removes a
// character or swaps two neighbours, and at most half of the characters are
// edited. Two edits of a word of less than five characters only add some. Case
// does not count. Of several the first wins; "" if there is none. Of hundreds
// of candidates with its letters and its length, the first ones are compared.
func Suggest(word string, candidates []string) string {
	best, bestDistance := "", maxDistance+1
	var c comparison
	w := lower(nil, word)
	letters := lettersOf(w)
	for _, s := range candidates {
		if len(s) > 4*(len(w)+maxDistance) || 4*len(s) < len(w)-maxDistance {
			continue
		}
		c.other = lower(c.other[:0], s)
		r := c.other
		if len(r)-len(w) > maxDistance || len(w)-len(r) > maxDistance || bits.OnesCount64(letters^lettersOf(r)) > 2*maxDistance {
			continue
		}
		if c.count++; c.count > maxCompared {
			break
		}
		d := c.distance(w, r)
		if d < bestDistance && 2*d <= max(len(w), len(r)) && (d < maxDistance || len(w) >= longWord || len(r)-len(w) == d) {
			best, bestDistance = s, d
		}
	}
	return best
}

// lower appends the characters of s in lower case.
func lower(dst []rune, s string) []rune {
	for _, r := range s {
		dst = append(dst, unicode.ToLower(r))
	}
	return dst
}

// lettersOf returns a set that the characters of s are in, of which an edit
// changes at most two.
func lettersOf(s []rune) (set uint64) {
	for _, r := range s {
		set |= 1 << (r & 63)
	}
	return set
}

// comparison is the memory of comparing a word with many.
type comparison struct {
	count     int
	other     []rune
	rows      [3][]int
	rowMemory [3][32]int
}

// distance returns the optimal string alignment distance of a and b, or
// something above maxDistance where that is above it.
func (c *comparison) distance(a, b []rune) int {
	for i := range c.rows {
		if c.rows[i] = c.rowMemory[i][:]; len(b) >= len(c.rows[i]) {
			c.rows[i] = make([]int, len(b)+1)
		}
	}
	before, last, row := c.rows[0], c.rows[1], c.rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > maxDistance+1 { // a swap may come back to the row before
			return maxDistance + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
