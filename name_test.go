package gpflow

import (
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "_x", "total_2", "order-id", "count", "Event"} {
		if err := CheckName(name); err != nil {
			t.Errorf("CheckName(%q): %v", name, err)
		}
	}
	for name, want := range map[string]string{
		"": "empty", "a.b": `use "a_b"`, "2x": `a '2'`, "-a": `a '-'`, "a b": `a ' '`, "é": "'é'", "event": "a word of", "in": "a word of",
	} {
		if err := CheckName(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckName(%q) = %v, want %q", name, err, want)
		}
	}
}
