package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/gpflow/gpflow/engine"
)

// The records that the heap is watched for, and those before them.
const (
	heapWarm    = 2_000_000
	heapRecords = 10_000_000
	heapFiles   = 14
	// heapRate is the rate of the paced three hops, in records per second: the
	// highest of those that latency is measured at.
	heapRate = 100_000
)

// path is a way through the engine whose heap objects are counted.
type path struct {
	name, title string
	pipeline    string
	parallelism int
}

// paths returns every way that a figure of the table is measured on.
func paths() (all []path) {
	for _, j := range jobs() {
		all = append(all, path{j.name, j.title, j.pipeline, 1})
		if j.wide {
			all = append(all, path{j.name + twoWide, j.title + ", parallelism 2", j.pipeline, 2})
		}
	}
	return append(all,
		path{"hops", "three hops at full speed", hopsHead + madeHops + dropHops, 2},
		path{"hops-paced", fmt.Sprintf("three hops at %d/s", heapRate), hopsHead + dueHops + dropHops, 2})
}

// heap counts the heap objects that are made for a record when a pipeline has
// been running for a while.
func (l *lab) heap() ([]figure, error) {
	var all []figure
	for _, p := range paths() {
		if !l.jobs.MatchString("heap-" + p.name) {
			continue
		}
		f, err := l.heapOf(p)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func (l *lab) heapOf(p path) (f figure, err error) {
	out, err := l.output()
	if err != nil {
		return f, err
	}
	defer os.RemoveAll(out)
	data := filepath.Join(out, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		return f, err
	}
	// One file is many, by other names.
	if err := links(l.dir, data, heapFiles, jsonFile, lateFile, csvFile); err != nil {
		return f, err
	}
	file := filepath.Join(out, "heap.gp.hcl")
	if err := spell(file, p.pipeline, "DIR/", data+"/*-", "OUT", out,
		"COUNT", strconv.Itoa(heapFiles*orderCount), "PARALLELISM", strconv.Itoa(p.parallelism), "EVERY", defaultEvery); err != nil {
		return f, err
	}
	t := &trial{
		name: "heap of " + p.name, argv: []string{l.self, "heap", file, strconv.Itoa(heapWarm), strconv.Itoa(heapRecords)},
		check: func(stdout, _ []byte) (any, error) { return said[float64](stdout) },
	}
	samples := make(map[string][]sample)
	if err := rounds([]*trial{t}, 1, samples); err != nil {
		return f, err
	}
	got := samples[t.name][0].got.(float64)
	return newFigure("heap-"+p.name, "heap objects: "+p.title, "/record", []float64{got}).atMost(0.01), nil
}

// heapPart runs a pipeline, and says how many heap objects are made for each of
// the records that come behind the first ones. Records that are due come at
// heapRate.
//
//	heap PIPELINE WARMUP RECORDS
func heapPart(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: heap PIPELINE WARMUP RECORDS")
	}
	warm, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	c := &clock{began: time.Now(), rate: heapRate, count: heapFiles * orderCount, key: hopKey}
	run, err := start(args[0], &drop, &hop, dueSource(c))
	if err != nil {
		return err
	}
	from, before, err := reach(run, warm)
	if err != nil {
		return err
	}
	to, after, err := reach(run, from+n)
	if err != nil {
		return err
	}
	run.Stop()
	if _, err := run.Wait(); err != nil {
		return err
	}
	return say(float64(after-before) / float64(to-from))
}

// reach waits until the sources of a run have read n records, and returns how
// many they have, and the heap objects made since this process began. Since a
// look makes some itself, it looks the less often the longer it takes.
func reach(run *engine.Run, n int64) (records int64, objects uint64, err error) {
	for began := time.Now(); ; {
		s := run.Status()
		if s.State != "running" {
			return 0, 0, fmt.Errorf("the run has ended before its record %d", n)
		}
		records = 0
		for _, node := range s.Nodes {
			if node.Role == "source" {
				records += node.Passed
			}
		}
		if records >= n {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return records, m.Mallocs, nil
		}
		time.Sleep(min(max(time.Since(began)/10, 20*time.Millisecond), time.Second))
	}
}
