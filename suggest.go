package gpflow

import "strings"

// maxDistance is how many edits away a suggestion may be.
const maxDistance = 2

// longWord is how many characters a word has in which two may be edited.
const longWord = 5

// Suggest returns the candidate that the author most likely meant by word: the
// nearest one at most two edits away, where an edit changes, adds or removes a
// character or swaps two neighbours, and at most half of the characters are
// edited. Two edits of a word of less than five characters only add some. Case
// does not count. Of several the first wins; "" if there is none.
func Suggest(word string, candidates []string) string {
	best, bestDistance := "", maxDistance+1
	w := []rune(strings.ToLower(word))
	for _, c := range candidates {
		r := []rune(strings.ToLower(c))
		d := distance(w, r)
		if d < bestDistance && 2*d <= max(len(w), len(r)) && (d < maxDistance || len(w) >= longWord || len(r)-len(w) == d) {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance returns the optimal string alignment distance of a and b, or
// something above maxDistance if their lengths are further apart.
func distance(a, b []rune) int {
	if len(a)-len(b) > maxDistance || len(b)-len(a) > maxDistance {
		return maxDistance + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
