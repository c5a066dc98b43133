package oracle

import (
	"slices"
	"strings"
	"testing"
)

// TestPlanted checks the oracle against what the data's README says.
func TestPlanted(t *testing.T) {
	answer, err := Compute("../data/flights.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	var late, broken []int
	for _, f := range answer.Late {
		late = append(late, f.Line)
	}
	for _, b := range answer.Broken {
		broken = append(broken, b.Line)
	}
	if want := []int{2199, 3308, 7051, 9915, 16055}; !slices.Equal(late, want) {
		t.Errorf("late lines: %v, want %v", late, want)
	}
	if want := []int{2501, 5002, 7503, 10004, 12505, 15006, 17507}; !slices.Equal(broken, want) {
		t.Errorf("broken lines: %v, want %v", broken, want)
	}
	counted := answer.Filtered + len(answer.Late)
	for _, w := range answer.Windows {
		counted += w.Flights
	}
	if answer.Flights != 20000 || counted != answer.Flights {
		t.Errorf("%d flights, of which %d are accounted for; want 20000", answer.Flights, counted)
	}
}

// TestWatermark works a case out by hand: the watermark moves after 32 flights
// only, and a flight before it stays on time until its day has ended.
func TestWatermark(t *testing.T) {
	first := `{"date":"2001/01/01 10:00","delay":20,"distance":500,"origin":"A","destination":"B"}` + "\n"
	next := `{"date":"2001/01/02 02:00","delay":-5,"distance":500,"origin":"A","destination":"B"}` + "\n"
	for _, c := range []struct {
		name          string
		lines         string
		late, windows int
	}{
		{"before the first mark", strings.Repeat(next, 31) + first, 0, 2},
		{"behind the first mark", strings.Repeat(next, 32) + first, 1, 1},
		{"a minute short", strings.ReplaceAll(strings.Repeat(next, 32), "02:00", "01:59") + first, 0, 2},
	} {
		answer, err := Lines(strings.NewReader(c.lines))
		if err != nil || len(answer.Late) != c.late || len(answer.Windows) != c.windows {
			t.Errorf("%s: %d late, %d windows, %v; want %d, %d", c.name, len(answer.Late), len(answer.Windows), err, c.late, c.windows)
		}
	}
}
