package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// How long checkpoints are apart in the jobs: where nothing is said, in those
// whose checkpoints are measured, and in those that they are compared with.
const (
	defaultEvery = "10s"
	everySecond  = "1s"
	never        = "0s"
)

// The checkpointed jobs. They are long enough for several checkpoints.
const (
	longFiles = 8
	longCount = 40_000_000
	// hotKeys are the keys that are touched at a time, and hotRecords the
	// records after which it is others: about those of a second.
	hotKeys    = manyKeys / 100
	hotRecords = 4_000_000
)

// hotKey is the number that a record's key is the hash of: one out of hotKeys,
// the others being as far from it as hashes go.
func hotKey(i int64) int64 { return i - i%hotRecords + hashInt(i)%hotKeys }

// touchedKey is the key of a record of the job that touches few keys at a time,
// behind those that make all keys.
func touchedKey(i int64) int64 {
	if i < manyKeys {
		return i
	}
	return hashInt(hotKey(i))
}

// touchedExpr is touchedKey as an expression.
func touchedExpr() string {
	return fmt.Sprintf("i < %d ? i : hash(i - i %% %d + hash(i) %% %d) %% %d", manyKeys, hotRecords, hotKeys, manyKeys)
}

// durable is a job that is measured with checkpoints and without.
type durable struct {
	job
	bar float64 // percent of CPU time that checkpoints may cost
}

// durables returns the jobs whose checkpoints are measured.
func durables() []durable {
	keyed := func(name, title, expr string, keys int64, key func(int64) int64, bar float64) durable {
		return durable{job{
			name: name, title: title, records: longCount, pipeline: keyedWindows(expr, longCount),
			generator: keyedRecords(expr) + dropRecords,
			answer:    func(n int64) answer { return counted(n, keys, longCount, key) },
		}, bar}
	}
	return []durable{
		{job{
			name: "checkpoints-json", title: "JSON orders, filter, map, JSON file", records: longFiles * orderCount, out: "out.jsonl",
			pipeline: readFile("long/*-"+jsonFile) + filterMap + intoFile,
			answer: func(n int64) answer {
				a := totals(orderCount)
				times := n / orderCount
				return answer{a.Rows * times, a.Sum * uint64(times)}
			},
		}, 5},
		keyed("checkpoints-10k", "count and sum, 10 k keys", uniform(fewKeys), fewKeys, hashInt, 5),
		keyed("checkpoints-1m-few", "count and sum, 1 M keys, 1 % touched", touchedExpr(), manyKeys, touchedKey, 5),
		keyed("checkpoints-1m-all", "count and sum, 1 M keys, all touched", uniform(manyKeys), manyKeys, hashInt, 15),
	}
}

// checkpointsIn counts the checkpoints that a run has logged.
func checkpointsIn(stderr []byte) int {
	return bytes.Count(stderr, []byte(`"a checkpoint is complete"`))
}

// checkpoints measures what a checkpoint every second costs.
func (l *lab) checkpoints() ([]figure, error) {
	var jobs []durable
	var trials []*trial
	for _, d := range durables() {
		if !l.jobs.MatchString(d.name) {
			continue
		}
		ts, err := l.withAndWithout(&d.job)
		if err != nil {
			return nil, err
		}
		jobs, trials = append(jobs, d), append(trials, ts...)
	}
	if len(jobs) == 0 {
		return nil, nil
	}
	if err := l.longData(); err != nil {
		return nil, err
	}
	samples := make(map[string][]sample)
	if err := rounds(trials, l.runs, samples); err != nil {
		return nil, err
	}
	var all []figure
	for _, d := range jobs {
		f, err := d.overhead(samples)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// withAndWithout returns the trials of a job with a checkpoint every second and
// with none, and of its generator.
func (l *lab) withAndWithout(j *job) ([]*trial, error) {
	want := j.answer(j.records)
	var all []*trial
	for _, every := range []string{everySecond, never} {
		k := *j
		k.every = every
		t, err := l.engine(&k, j.name+"/"+every, want, 1, 0)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	if j.generator == "" {
		return all, nil
	}
	t, err := l.generator(j, j.name+byGenerator)
	return append(all, t), err
}

// longData gives the orders several names.
func (l *lab) longData() error {
	dir := filepath.Join(l.dir, "long")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return links(l.dir, dir, longFiles, jsonFile)
}

// links gives each file in from times names in to.
func links(from, to string, times int, files ...string) error {
	for i := range times {
		for _, name := range files {
			if err := os.Link(filepath.Join(from, name), filepath.Join(to, strconv.Itoa(i)+"-"+name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// overhead returns by how much checkpoints have made the CPU time longer, in
// percent of that of the job without, each run with the one beside it.
func (d *durable) overhead(samples map[string][]sample) (figure, error) {
	with, without, making := samples[d.name+"/"+everySecond], samples[d.name+"/"+never], samples[d.name+byGenerator]
	taken := median(each(len(with), func(i int) float64 { return float64(with[i].got.(int)) }))
	if taken < 3 {
		return figure{}, errors.New(d.name + ": the runs are too short to take several checkpoints")
	}
	f := newFigure(d.name, "checkpoints every 1 s: "+d.title, "% CPU", each(len(with), func(i int) float64 {
		return 100 * (with[i].CPU/without[i].CPU - 1)
	})).atMost(d.bar)
	more := best(with) - best(without)
	f.Note = fmt.Sprintf("%.0f checkpoints a run; best against best: %.1f %%", taken, 100*more/best(without))
	if making != nil {
		f.Note += fmt.Sprintf(", without the making of records %.1f %%", 100*more/(best(without)-best(making)))
	}
	return f, nil
}
