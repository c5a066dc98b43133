package spec

import (
	"slices"
	"unicode/utf8"
)

// Lines finds lines and columns in a text. It takes time for a place that
// depends neither on the length of the text nor on that of the line.
type Lines struct {
	text   []byte
	starts []int  // offsets of the lines, which end with \n
	marks  []mark // one for each stretch bytes
}

// mark is a place in a text.
type mark struct{ offset, runes int }

const stretch = 1024

// NewLines returns the lines of text, which is not to change.
func NewLines(text []byte) *Lines {
	l := &Lines{text: text, starts: []int{0}}
	runes := 0
	for i := 0; i < len(text); runes++ {
		if i >= len(l.marks)*stretch {
			l.marks = append(l.marks, mark{i, runes})
		}
		c := text[i]
		if c < utf8.RuneSelf {
			if i++; c == '\n' {
				l.starts = append(l.starts, i)
			}
			continue
		}
		_, n := utf8.DecodeRune(text[i:])
		i += n
	}
	return l
}

// Start returns the offset of a line, from 0. There is one at least, and the
// last may be empty.
func (l *Lines) Start(line int) int { return l.starts[line] }

// Len returns the number of lines.
func (l *Lines) Len() int { return len(l.starts) }

// Pos returns the line and the column of the byte at offset, both from 1;
// columns are runes. An offset outside of the text stands for its nearest end.
func (l *Lines) Pos(offset int) (line, column int) {
	offset = max(0, min(offset, len(l.text)))
	line, exact := slices.BinarySearch(l.starts, offset)
	if exact {
		return line + 1, 1
	}
	start := l.starts[line-1]
	if offset-start <= stretch {
		return line, utf8.RuneCount(l.text[start:offset]) + 1
	}
	return line, l.runes(offset) - l.runes(start) + 1
}

// runes returns how many runes stand before offset.
func (l *Lines) runes(offset int) int {
	i := min(offset/stretch, len(l.marks)-1)
	if l.marks[i].offset > offset { // a rune crosses the boundary
		i--
	}
	return l.marks[i].runes + utf8.RuneCount(l.text[l.marks[i].offset:offset])
}
