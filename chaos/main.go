package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// chaos is one call of the command.
type chaos struct {
	bin, dir string
	bugs     string // a gpflow with switches for planted bugs; "": none
	kills    int    // at random moments that count
	hits     int    // of each failpoint
	seed     uint64
	keep     bool
	points   []point
	tally    *report
	ctx      context.Context // done when the command is interrupted
}

// point is a failpoint, as gpflow lists it.
type point struct{ Name, Phase string }

func main() {
	c := chaos{tally: newReport()}
	var only string
	flag.StringVar(&c.bin, "bin", "bin/gpflow", "the gpflow to kill")
	flag.StringVar(&c.bugs, "bugs", "", "a gpflow built with -tags bugs, whose planted bugs are to be found; without, none are")
	flag.StringVar(&c.dir, "dir", "out/chaos", "a directory for what is run; what has failed stays there")
	flag.IntVar(&c.kills, "kills", 60, "how many kills at random moments have to count")
	flag.IntVar(&c.hits, "hits", 3, "how often each failpoint has to count")
	flag.Uint64Var(&c.seed, "seed", 0, "the seed of what is done; 0: a new one")
	flag.StringVar(&only, "only", "", "a regular expression: do only the parts and faults of these names")
	flag.BoolVar(&c.keep, "keep", false, "keep the directories of what has passed, too")
	flag.Parse()
	if c.seed == 0 {
		c.seed = uint64(time.Now().UnixNano()) % 1_000_000_000
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	c.ctx = ctx
	err := c.run(only)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\nchaos: %v\n", err)
		fmt.Fprintf(os.Stderr, "To repeat: make chaos KILLS=%d SEED=%d. The same is drawn then; where a kill lands depends on the machine too.\n", c.kills, c.seed)
		os.Exit(1)
	}
}

// run does all parts, or those that a pattern names.
func (c *chaos) run(only string) error {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	if err := c.prepare(); err != nil {
		return err
	}
	if wanted.MatchString("full") && !mayMount(c.dir) {
		return elsewhere()
	}
	fmt.Printf("chaos with the seed %d: %d kills at random moments, %d times each of %d failpoints\n\n", c.seed, c.kills, c.hits, len(c.points))
	began := time.Now()
	if wanted.MatchString("kills") {
		err := c.rounds()
		c.tally.print(c)
		if err != nil {
			return err
		}
	}
	if err := c.faults(wanted); err != nil {
		return err
	}
	if c.bugs != "" && wanted.MatchString("bugs") {
		if err := c.planted(); err != nil {
			return err
		}
	}
	fmt.Printf("\neverything is as it should be: %d rounds, 0 rows missing, 0 doubled; %s\n", c.tally.clean, time.Since(began).Round(time.Second))
	return nil
}

// prepare makes paths absolute, empties the directory, and asks gpflow for its
// failpoints.
func (c *chaos) prepare() error {
	var err error
	for _, path := range []*string{&c.bin, &c.dir, &c.bugs} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	list, err := exec.Command(c.bin, "failpoints", "--format", "json").Output()
	if err != nil {
		return fmt.Errorf("list the failpoints of %s: %w; build it with make build", c.bin, err)
	}
	if err := json.Unmarshal(list, &c.points); err != nil {
		return err
	}
	if len(c.points) == 0 {
		return errors.New("gpflow has no failpoints")
	}
	return nil
}

// random returns the numbers of a part of the run, which depend on its name and
// the seed, and on nothing that was drawn before.
func (c *chaos) random(part string) *rand.Rand {
	h := c.seed
	for _, b := range []byte(part) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(c.seed, h))
}
