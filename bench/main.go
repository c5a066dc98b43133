// Command bench measures gpflow on the jobs that README.md beside it describes,
// with yardsticks in the same run, and prints a table.
//
//	bench [-runs 5] [-jobs REGEXP] [-spill 32] [-json FILE] [-check FILE [-update]]
//
// Everything that is measured runs in a process of its own, and what a job has
// put out is compared with an answer that this program works out without
// gpflow, before its time is used.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench: "+err.Error())
		os.Exit(1)
	}
}

// parts are what bench runs itself as, in processes of their own.
var parts = map[string]func(args []string) error{
	"measure": measured,
	"data":    dataPart,
	"engine":  enginePart,
	"heap":    heapPart,
	"hops":    hopsPart,
	"large":   largePart,
	"pause":   pausePart,
	"state":   statePart,
	"pipe":    pipePart,
	"hand":    handPart,
	"naive":   naivePart,
}

func run(args []string) error {
	if len(args) > 0 {
		if part := parts[args[0]]; part != nil {
			return part(args[1:])
		}
	}
	var o options
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.IntVar(&o.runs, "runs", 5, "how often each job runs")
	set.StringVar(&o.gpflow, "gpflow", "bin/gpflow", "the `file` of the command to measure")
	set.StringVar(&o.json, "json", "", "write the figures as JSON to a `file`")
	set.StringVar(&o.check, "check", "", "compare the ratios to the yardsticks with those in a `file`")
	set.BoolVar(&o.update, "update", false, "write the ratios to the file of -check instead")
	set.IntVar(&o.spill, "spill", spillMemory, "the memory of the spill job in `MiB`, of which its state takes ten times as much")
	jobs := set.String("jobs", "", "measure only the figures whose names match a regular `expression`")
	if err := set.Parse(args); err != nil {
		return err
	}
	if set.NArg() > 0 || o.runs < 1 || o.spill < 1 || o.update && o.check == "" {
		return errors.New("usage: bench [-runs N] [-gpflow FILE] [-jobs REGEXP] [-spill MIB] [-json FILE] [-check FILE [-update]]")
	}
	var err error
	if o.jobs, err = regexp.Compile(*jobs); err != nil {
		return err
	}
	return o.bench()
}

// options are what the command line says.
type options struct {
	runs, spill         int
	gpflow, json, check string
	update              bool
	jobs                *regexp.Regexp
}

// bench measures, prints, and checks.
func (o *options) bench() error {
	dir, err := os.MkdirTemp(memory(), "gpflow-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cleanUp(dir)
	l, err := newLab(dir, o)
	if err != nil {
		return err
	}
	figures, err := l.figures()
	if err != nil {
		return err
	}
	fmt.Print(table(figures))
	if o.json != "" {
		if err := writeJSON(o.json, report(l, figures)); err != nil {
			return err
		}
	}
	switch {
	case o.update:
		return writeJSON(o.check, ratiosOf(figures))
	case o.check != "":
		return l.check(figures)
	}
	return nil
}

// cleanUp removes dir when this process is told to end: it is memory.
func cleanUp(dir string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		os.RemoveAll(dir)
		os.Exit(1)
	}()
}

// memory returns a directory whose files are in memory where there is one, so
// that no disk is measured.
func memory() string {
	const shm = "/dev/shm"
	if info, err := os.Stat(shm); err == nil && info.IsDir() {
		return shm
	}
	return ""
}

// absolute returns path from the root, since jobs run in other directories.
func absolute(path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(full); err != nil {
		return "", fmt.Errorf("%w; make build makes it", err)
	}
	return full, nil
}
