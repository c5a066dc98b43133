package checkpoint

import (
	"strings"
	"testing"
)

// What is damaged says what can be done about it, which depends on what it is.
func TestDamagedSaysWhatToDo(t *testing.T) {
	for object, way := range map[string]string{
		"head/0000000001":                                  "move the whole directory away",
		"lineages/ab/current/0000000001":                   "gpflow savepoint restore",
		"lineages/ab/segments/0000000001-0000000001-0000":  "gpflow run --fresh",
		"savepoints/friday/manifest":                       "use another savepoint",
		"savepoints/friday/segments/0000-0123456789abcdef": "use another savepoint",
		"manifest":                       "use another savepoint",
		"segments/0000-0123456789abcdef": "use another savepoint",
	} {
		said := (&Damaged{Object: object, Reason: "it is empty"}).Error()
		if !strings.HasPrefix(said, object+" is damaged: it is empty. Put it back from a copy; or ") || !strings.Contains(said, way) {
			t.Errorf("%q, which should say %q", said, way)
		}
	}
}
