package framing_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow/formats/internal/framing"
)

// TestNext cuts text given in pieces, and compares with cutting it whole.
func TestNext(t *testing.T) {
	pieces := []string{"a", "bc", "\n", "\n", "\r\n", "\r", "\xef\xbb\xbf", "\xef\xbb", ""}
	rapid.Check(t, func(t *rapid.T) {
		data := strings.Join(rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(t, "pieces"), "")
		want := strings.Split(strings.TrimPrefix(data, "\xef\xbb\xbf"), "\n")
		if last := len(want) - 1; want[last] == "" {
			want = want[:last]
		}
		for i := range want {
			want[i] = strings.TrimSuffix(want[i], "\r")
		}
		var l framing.Lines
		var got []string
		start, ends := 0, 0
		for end := 0; start < len(data); {
			n, line, lines := l.Next([]byte(data[start:end]), end == len(data))
			if n == 0 {
				if end == len(data) {
					t.Fatalf("%q: no progress at %d", data, start)
				}
				end++
				continue
			}
			if line != nil {
				got = append(got, string(line))
			}
			start, ends = start+n, ends+lines
		}
		if strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Fatalf("%q: lines %q, want %q", data, got, want)
		}
		if ends != strings.Count(data, "\n") {
			t.Fatalf("%q: passed %d line ends", data, ends)
		}
	})
}
