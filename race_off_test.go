//go:build !race

package gpflow_test

// raceEnabled: see the other file.
const raceEnabled = false
