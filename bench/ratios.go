package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
)

// ratio is how many times as fast as the yardsticks a job is, on whatever
// machine.
type ratio struct {
	Hand  float64 `json:"hand,omitempty"`
	Naive float64 `json:"naive,omitempty"`
}

// tolerance is how much of a ratio may get lost.
const tolerance = 0.15

// ratiosOf returns the ratios of the figures that have some, by name.
func ratiosOf(figures []figure) map[string]ratio {
	rs := make(map[string]ratio)
	for _, f := range figures {
		if f.Hand > 0 || f.Naive > 0 {
			rs[f.Name] = ratio{math.Round(f.Hand*1000) / 1000, math.Round(f.Naive*10) / 10}
		}
	}
	return rs
}

// loss is a ratio that has got worse.
type loss struct {
	name, yardstick string
	was, is         float64
}

func (l loss) Error() string {
	return fmt.Sprintf("%s: %.2f times the yardstick %q, which is %.0f %% less than the %.2f that is kept",
		l.name, l.is, l.yardstick, 100*(1-l.is/l.was), l.was)
}

// readRatios reads the ratios that a file keeps.
func readRatios(path string) (kept map[string]ratio, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w; bench -check %s -update writes it", err, path)
	}
	if err := json.Unmarshal(data, &kept); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return kept, nil
}

// losses returns the ratios of figures that are worse than the kept ones, beyond
// the tolerance. Ratios of what was not measured do not count.
func losses(kept map[string]ratio, figures []figure) (worse []loss) {
	for _, f := range figures {
		k, ok := kept[f.Name]
		if !ok {
			continue
		}
		for _, l := range []loss{{f.Name, "hand", k.Hand, f.Hand}, {f.Name, "naive", k.Naive, f.Naive}} {
			if l.is < l.was*(1-tolerance) {
				worse = append(worse, l)
			}
		}
	}
	return worse
}

// again is how often what seems to be worse is measured again.
const again = 3

// check compares figures with the ratios that are kept. What seems to be worse
// is measured again with its yardsticks, and the best of all runs count: what a
// busy machine has cost comes out, what the program costs does not.
func (l *lab) check(figures []figure) error {
	kept, err := readRatios(l.options.check)
	if err != nil {
		return err
	}
	worse := losses(kept, figures)
	for range again {
		if len(worse) == 0 {
			return nil
		}
		var names []string
		for _, w := range worse {
			names = append(names, regexp.QuoteMeta(w.name))
			fmt.Fprintf(os.Stderr, "measuring again: %v\n", w)
		}
		l.jobs = regexp.MustCompile("^(" + strings.Join(names, "|") + ")$")
		if figures, err = l.speed(); err != nil {
			return err
		}
		worse = losses(kept, figures)
	}
	errs := make([]error, len(worse))
	for i, w := range worse {
		errs[i] = w
	}
	return errors.Join(errs...)
}
