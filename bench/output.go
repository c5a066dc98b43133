package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/valyala/fastjson"
)

// readTotals reads the rows of filter and map, written as JSON.
func readTotals(v *fastjson.Value) row {
	return row(nil).int(v.GetInt64("id")).text(string(v.GetStringBytes("user"))).
		text(string(v.GetStringBytes("country"))).float(v.GetFloat64("total"))
}

// readWindow reads a row of the windows by user.
func readWindow(v *fastjson.Value) row {
	start, err := time.Parse(time.RFC3339, string(v.GetStringBytes("window_start")))
	if err != nil {
		return nil
	}
	return row(nil).text(string(v.GetStringBytes("user"))).int(start.UnixMilli()).
		int(v.GetInt64("orders")).cents(v.GetFloat64("revenue"))
}

// readJSON returns the answer in a file of JSON lines.
func readJSON(path string, read func(*fastjson.Value) row) (a answer, err error) {
	f, err := os.Open(path)
	if err != nil {
		return a, err
	}
	defer f.Close()
	var p fastjson.Parser
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		v, err := p.ParseBytes(lines.Bytes())
		if err != nil {
			return a, fmt.Errorf("%s: %q: %w", path, lines.Bytes(), err)
		}
		a.add(read(v))
	}
	return a, lines.Err()
}

// readCSV returns the answer in a file of comma-separated values, which is one
// of filter and map.
func readCSV(path string) (a answer, err error) {
	f, err := os.Open(path)
	if err != nil {
		return a, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	if header, err := r.Read(); err != nil || fmt.Sprint(header) != "[id user country total]" {
		return a, fmt.Errorf("%s: the header is %q: %w", path, header, err)
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return a, nil
		}
		if err != nil {
			return a, err
		}
		id, err := strconv.ParseInt(rec[0], 10, 64)
		if err != nil {
			return a, err
		}
		total, err := strconv.ParseFloat(rec[3], 64)
		if err != nil {
			return a, err
		}
		a.add(row(nil).int(id).text(rec[1]).text(rec[2]).float(total))
	}
}

// readOutput returns the answer in the file that a job has written.
func readOutput(j *job, path string) (answer, error) {
	switch j.name {
	case "json-window":
		return readJSON(path, readWindow)
	case "csv-file":
		return readCSV(path)
	}
	return readJSON(path, readTotals)
}

// readChecksum adds up what the subtasks of a sink blackhole have logged.
func readChecksum(stderr []byte) (a answer, err error) {
	for line := range bytes.Lines(stderr) {
		var r struct {
			Msg, Checksum string
			Rows          int64
		}
		if json.Unmarshal(line, &r) != nil || r.Msg != "blackhole closed" {
			continue
		}
		sum, err := strconv.ParseUint(r.Checksum, 16, 64)
		if err != nil {
			return a, err
		}
		a.Rows += r.Rows
		a.Sum += sum
	}
	return a, nil
}
