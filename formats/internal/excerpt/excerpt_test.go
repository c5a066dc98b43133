package excerpt_test

import (
	"strings"
	"testing"

	"github.com/gpflow/gpflow/formats/internal/excerpt"
)

func TestOf(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"abc é":                        "abc é",
		"a\x00\xff\n":                  "a\ufffd\ufffd\ufffd",
		strings.Repeat("a", 40):        strings.Repeat("a", 40),
		strings.Repeat("a", 41):        strings.Repeat("a", 40) + "...",
		strings.Repeat("a", 39) + "éé": strings.Repeat("a", 39) + "...",
		strings.Repeat("\x80", 50):     strings.Repeat("\ufffd", 36) + "...",
		strings.Repeat("日", 20):        strings.Repeat("日", 13) + "...",
	} {
		if got := excerpt.Of([]byte(in)); got != want {
			t.Errorf("%q is cut to %q, want %q", in, got, want)
		}
	}
}
