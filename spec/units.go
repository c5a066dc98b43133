package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gpflow/gpflow/spec/diag"
)

// durationUnits are the words that authors use for the units of durations.
var durationUnits = map[string]string{
	"days": "d", "hours": "h", "hrs": "h", "minutes": "m", "mins": "m", "seconds": "s", "secs": "s",
	"milliseconds": "ms", "millis": "ms", "msecs": "ms", "microseconds": "us", "micros": "us", "usecs": "us", "\u00b5s": "us",
}

// meantDuration returns a suggestion for a duration with one number and a unit
// that does not exist, or "".
func meantDuration(text string) string {
	number, unit := measure(text)
	units := slices.Sorted(maps.Keys(durationUnits))
	meant := durationUnits[unit]
	if meant == "" {
		meant = durationUnits[unit+"s"]
	}
	if meant == "" && len(unit) >= 3 {
		meant = durationUnits[diag.Suggest(unit, units)]
	}
	if meant == "" || number == "" {
		return ""
	}
	return fmt.Sprintf("Did you mean %q?", number+meant)
}

// meantSize is meantDuration for sizes.
func meantSize(text string) string {
	number, unit := measure(text)
	units := []string{"KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB"}
	meant := map[string]string{"k": "KiB", "m": "MiB", "g": "GiB", "t": "TiB", "bytes": "B", "byte": "B", "b": "B"}[unit]
	if meant == "" {
		meant = diag.Suggest(unit, units)
	}
	if meant == "" || number == "" || number+meant == text {
		return ""
	}
	return fmt.Sprintf("Did you mean %q?", number+meant)
}

// measure cuts a text into a number and a unit in small letters.
func measure(text string) (number, unit string) {
	cut := strings.LastIndexAny(text, "0123456789.") + 1
	return strings.TrimSpace(text[:cut]), strings.ToLower(strings.TrimSpace(text[cut:]))
}
