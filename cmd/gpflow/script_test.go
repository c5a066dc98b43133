package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write into the scripts what their commands print, where they compare it")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gpflow": main})
}

// TestScripts runs every command as a user types it. Each script has its files
// behind it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await, "damage": damage},
	})
}

// await is a command of scripts: "await REGEXP PROGRAM ARG..." runs a program
// again and again until what it prints matches.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await REGEXP PROGRAM ARG...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience; <-tick.C {
		if err := ts.Exec(args[1], args[2:]...); err == nil && want.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("%s does not come to print %s", strings.Join(args[1:], " "), args[0])
}

// damage is a command of scripts: "damage DIR" changes a byte in the newest
// segment in the directory of a state or a savepoint.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage DIR")
	}
	all, err := filepath.Glob(ts.MkAbs(filepath.Join(args[0], "lineages", "*", "segments", "*")))
	ts.Check(err)
	saved, err := filepath.Glob(ts.MkAbs(filepath.Join(args[0], "segments", "*")))
	ts.Check(err)
	if all = append(all, saved...); len(all) == 0 {
		ts.Fatalf("there are no segments in %s", args[0])
	}
	name := slices.Max(all)
	data, err := os.ReadFile(name)
	ts.Check(err)
	data[len(data)-1] ^= 1
	ts.Check(os.WriteFile(name, data, 0o600))
}
