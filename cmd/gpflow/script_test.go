package main

import (
	"flag"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write into the scripts what their commands print, where they compare it")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gpflow": main})
}

// TestScripts runs every command as a user types it. Each script has its files
// behind it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, UpdateScripts: *update})
}
