package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
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

// checkRatios compares figures with the ratios that a file keeps. Ratios of
// what was not measured do not count.
func checkRatios(path string, figures []figure) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%w; bench -check %s -update writes it", err, path)
	}
	var kept map[string]ratio
	if err := json.Unmarshal(data, &kept); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	var worse []error
	for _, f := range figures {
		k, ok := kept[f.Name]
		if !ok {
			continue
		}
		for _, c := range []struct {
			yardstick string
			was, is   float64
		}{{"hand", k.Hand, f.Hand}, {"naive", k.Naive, f.Naive}} {
			if c.is < c.was*(1-tolerance) {
				worse = append(worse, fmt.Errorf("%s: %.2f times the yardstick %q, which is %.0f %% less than %.2f, as %s has it",
					f.Name, c.is, c.yardstick, 100*(1-c.is/c.was), c.was, path))
			}
		}
	}
	return errors.Join(worse...)
}
