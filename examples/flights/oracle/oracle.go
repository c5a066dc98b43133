// Package oracle computes what the flights pipeline has to come to, from the
// rules in the example's README. It imports the standard library only, and
// does the work in the plainest way: one pass over the lines, one map.
package oracle

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// The rules.
const (
	OutOfOrder = 2 * time.Hour  // how far the watermark is behind the latest date
	MarkEvery  = 32             // flights between two watermarks
	Day        = 24 * time.Hour // the size of a window
	MinMiles   = 100            // shorter hops are left out
	LateBy     = 15             // minutes; a flight is delayed if it is later
)

// Flight is a line that could be read.
type Flight struct {
	Line                int // from 1
	Date                time.Time
	Delay, Distance     int
	Origin, Destination string
}

// Window is the statistics of an airport and a day.
type Window struct {
	Origin     string
	Start, End time.Time
	Flights    int
	Delayed    int
	TotalDelay int
	Worst      int
}

// Broken is a line that is not a flight.
type Broken struct {
	Line int // from 1
	Raw  string
}

// Answer is everything that the pipeline puts out.
type Answer struct {
	Windows  []Window // by day, then origin
	Late     []Flight // in the order of the file
	Broken   []Broken // in the order of the file
	Flights  int      // lines that could be read
	Filtered int      // hops that were too short
}

// Compute reads a file of gzip-compressed JSON lines.
func Compute(path string) (*Answer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	answer, err := Lines(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return answer, nil
}

// Lines computes the answer for JSON lines.
func Lines(r io.Reader) (*Answer, error) {
	type window struct {
		origin string
		start  time.Time
	}
	var (
		answer    = new(Answer)
		windows   = make(map[window]*Window)
		latest    time.Time
		watermark time.Time // zero: none yet
		line      int
	)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line++
		f, err := parse(lines.Text())
		if err != nil {
			answer.Broken = append(answer.Broken, Broken{line, lines.Text()})
			continue
		}
		f.Line = line
		day := f.Date.Truncate(Day)
		switch {
		case f.Distance < MinMiles:
			answer.Filtered++
		case !watermark.IsZero() && !day.Add(Day).After(watermark):
			answer.Late = append(answer.Late, f)
		default:
			w := windows[window{f.Origin, day}]
			if w == nil {
				w = &Window{Origin: f.Origin, Start: day, End: day.Add(Day), Worst: f.Delay}
				windows[window{f.Origin, day}] = w
			}
			w.add(f)
		}
		if f.Date.After(latest) {
			latest = f.Date
		}
		answer.Flights++
		if answer.Flights%MarkEvery == 0 {
			watermark = latest.Add(-OutOfOrder)
		}
	}
	for _, w := range windows {
		answer.Windows = append(answer.Windows, *w)
	}
	slices.SortFunc(answer.Windows, func(a, b Window) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return strings.Compare(a.Origin, b.Origin)
	})
	return answer, lines.Err()
}

func (w *Window) add(f Flight) {
	w.Flights++
	w.TotalDelay += f.Delay
	w.Worst = max(w.Worst, f.Delay)
	if f.Delay > LateBy {
		w.Delayed++
	}
}

// parse reads one line; every field has to be there.
func parse(line string) (Flight, error) {
	var raw struct {
		Date, Origin, Destination *string
		Delay, Distance           *int
	}
	if err := json.Unmarshal([]byte(line), &raw); err != nil {
		return Flight{}, err
	}
	if raw.Date == nil || raw.Origin == nil || raw.Destination == nil || raw.Delay == nil || raw.Distance == nil {
		return Flight{}, errors.New("a field is missing")
	}
	date, err := time.Parse("2006/01/02 15:04", *raw.Date)
	if err != nil {
		return Flight{}, err
	}
	return Flight{
		Date: date, Delay: *raw.Delay, Distance: *raw.Distance, Origin: *raw.Origin, Destination: *raw.Destination,
	}, nil
}
