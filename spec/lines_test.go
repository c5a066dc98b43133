package spec

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestLines compares places with those that are counted from the start.
func TestLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{"a", "é", "日", "👍", "\n", "\xff", "\xe6\x97", strings.Repeat("x", 1000), strings.Repeat("é", 600), strings.Repeat("日", 1500)})
		text := []byte(strings.Join(rapid.SliceOfN(part, 0, 12).Draw(t, "text"), ""))
		l := NewLines(text)
		if l.Len() != bytes.Count(text, []byte("\n"))+1 {
			t.Fatalf("%d lines", l.Len())
		}
		for range 20 {
			offset := rapid.IntRange(0, len(text)).Draw(t, "offset")
			bol := bytes.LastIndexByte(text[:offset], '\n') + 1
			line, column := l.Pos(offset)
			if line != bytes.Count(text[:offset], []byte("\n"))+1 || l.Start(line-1) != bol || column != utf8.RuneCount(text[bol:offset])+1 {
				t.Fatalf("%d is at %d,%d", offset, line, column)
			}
		}
	})
	for offset, want := range map[int]int{-1: 1, 2: 3, 9: 3} {
		if _, column := NewLines([]byte("ab")).Pos(offset); column != want {
			t.Errorf("%d is in column %d", offset, column)
		}
	}
}
