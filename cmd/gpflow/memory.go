package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/spec"
)

// The memory of the state where the pipeline does not say it: a share of what
// this process can have, or as many bytes where that is not known.
const (
	stateShare    = 4
	unknownMemory = 1 << 30
)

// What the process may take beside its state, in bytes, and what of that is no
// business of the garbage collector.
const (
	besideState = 256 << 20
	besideHeap  = 64 << 20
)

// spillName is the directory below that of the state which has what memory has no
// room for. No object of a store has such a name.
const spillName = ".spill"

// spillOf returns the bounds of a pipeline's state, whose directory is dir.
func spillOf(p *spec.Pipeline, dir string) engine.Spill {
	s := engine.Spill{Memory: p.StateMemory(), Dir: filepath.Join(dir, spillName)}
	if s.Memory == 0 {
		s.Memory = unknownMemory
		if all := machineMemory("/"); all > 0 {
			s.Memory = all / stateShare
		}
	}
	return s
}

// limitHeap has the garbage collector work harder before the process exceeds half
// as much again as the memory of the state, and 256 MiB. Whoever sets GOMEMLIMIT
// decides for himself.
func limitHeap(state int64) {
	if os.Getenv("GOMEMLIMIT") == "" && state < math.MaxInt64/2 {
		debug.SetMemoryLimit(state + state/2 + besideState - besideHeap)
	}
}

// machineMemory returns how many bytes of memory this process can have: those of
// the machine, or what the control groups that it is in allow, if that is less; 0
// where neither is known. root is that of the file system.
func machineMemory(root string) (bytes int64) {
	bytes = math.MaxInt64
	info, _ := os.ReadFile(filepath.Join(root, "proc/meminfo")) // not every system has it
	for line := range strings.Lines(string(info)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" && f[2] == "kB" {
			bytes = min(bytes, number(f[1])<<10)
		}
	}
	groups, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup")) // likewise
	for line := range strings.Lines(string(groups)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(f) < 3:
		case f[1] == "":
			bytes = min(bytes, groupLimit(filepath.Join(root, "sys/fs/cgroup"), f[2], "memory.max"))
		case f[1] == "memory":
			bytes = min(bytes, groupLimit(filepath.Join(root, "sys/fs/cgroup/memory"), f[2], "memory.limit_in_bytes"))
		}
	}
	if bytes == math.MaxInt64 {
		return 0
	}
	return bytes
}

// groupLimit returns the least limit of a control group and those above it.
func groupLimit(mount, group, file string) (bytes int64) {
	bytes = math.MaxInt64
	for dir := filepath.Join("/", group); ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(mount, dir, file))
		if err == nil {
			bytes = min(bytes, number(strings.TrimSpace(string(text))))
		}
		if dir == filepath.Dir(dir) {
			return bytes
		}
	}
}

// number returns a number of bytes; one that cannot be read, as "max", is no
// limit.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return math.MaxInt64
	}
	return n
}
