package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/valyala/fastjson"
)

// done is what a yardstick says of itself.
type done struct {
	answer
	// CPU is the time of the work in seconds, where making the records is not
	// part of it; 0: that of the process.
	CPU float64 `json:"cpu"`
}

// handPart is the yardstick "hand": a loop for one job and no other, with a
// fast parser, one goroutine, nothing that could be left out.
//
//	hand JOB DIR OUT
func handPart(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: hand JOB DIR OUT")
	}
	in, out := func(name string) string { return filepath.Join(args[1], name) }, args[2]
	switch args[0] {
	case "json-file":
		return handTotals(in(jsonFile), filepath.Join(out, "out.jsonl"))
	case "json-null":
		return handTotals(in(jsonFile), "")
	case "json-all":
		return handEverything(in(jsonFile))
	case "json-window":
		return handWindow(in(lateFile), filepath.Join(out, "out.jsonl"))
	case "csv-file":
		return handCSV(in(csvFile), filepath.Join(out, "out.csv"))
	case "memory-filter":
		return handFilter()
	case "memory-window-10k":
		return handCount(fewKeys, fewSpan)
	case "memory-window-1m":
		return handCount(manyKeys, manySpan)
	}
	return fmt.Errorf("there is no job %q", args[0])
}

// eachLine gives the lines of a file to f, without their ends.
func eachLine(path string, f func(line []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 256<<10)
	for {
		line, err := r.ReadSlice('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(line[:len(line)-1]); err != nil {
			return err
		}
	}
}

// create makes the output file; "": what is written is dropped.
func create(path string) (*bufio.Writer, func() error, error) {
	if path == "" {
		return bufio.NewWriter(io.Discard), func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, nil, err
	}
	w := bufio.NewWriterSize(f, 256<<10)
	return w, func() error { return errors.Join(w.Flush(), f.Sync(), f.Close()) }, nil
}

var status, ok = "status", []byte("ok")

// handTotals filters and maps orders, into a file or a checksum.
func handTotals(in, out string) error {
	w, end, err := create(out)
	if err != nil {
		return err
	}
	var p fastjson.Parser
	var a answer
	var r row
	var line []byte
	err = eachLine(in, func(rec []byte) error {
		v, err := p.ParseBytes(rec)
		if err != nil {
			return err
		}
		amount := v.GetFloat64("amount")
		if !bytes.Equal(v.GetStringBytes(status), ok) || amount < 10 {
			return nil
		}
		id, user, country := v.GetInt64("id"), v.GetStringBytes("user"), v.GetStringBytes("country")
		total := amount * float64(v.GetInt64("qty"))
		if out == "" {
			r = r[:0].int(id).text(string(user)).text(string(country)).float(total)
			a.add(r)
			return nil
		}
		line = strconv.AppendInt(append(line[:0], `{"id":`...), id, 10)
		line = append(append(line, `,"user":"`...), user...)
		line = append(append(line, `","country":"`...), country...)
		line = strconv.AppendFloat(append(line, `","total":`...), total, 'f', -1, 64)
		_, err = w.Write(append(line, "}\n"...))
		return err
	})
	return errors.Join(err, end(), say(done{answer: a}))
}

// handEverything sums all columns.
func handEverything(in string) error {
	var p fastjson.Parser
	var a answer
	var r row
	err := eachLine(in, func(rec []byte) error {
		v, err := p.ParseBytes(rec)
		if err != nil {
			return err
		}
		ts, err := time.Parse(time.RFC3339, string(v.GetStringBytes("ts")))
		if err != nil {
			return err
		}
		text := func(name string) string { return string(v.GetStringBytes(name)) }
		r = r[:0].int(v.GetInt64("id")).text(text("user")).text(text("country")).text(text("status")).float(v.GetFloat64("amount"))
		r = r.int(v.GetInt64("qty")).int(v.GetInt64("ts_ms")).time(ts.UnixMicro()).text(text("note"))
		a.add(r)
		return nil
	})
	return errors.Join(err, say(done{answer: a}))
}

// handWindow adds up orders in a map, and writes it at the end.
func handWindow(in, out string) error {
	w, end, err := create(out)
	if err != nil {
		return err
	}
	var p fastjson.Parser
	sums := make(map[group]*sum)
	names := make(map[string]string) // so that a user's name is there once
	err = eachLine(in, func(rec []byte) error {
		v, err := p.ParseBytes(rec)
		if err != nil {
			return err
		}
		ts, err := time.Parse(time.RFC3339, string(v.GetStringBytes("ts")))
		if err != nil {
			return err
		}
		user := v.GetStringBytes("user")
		name, ok := names[string(user)]
		if !ok {
			name = string(user)
			names[name] = name
		}
		addTo(sums, name, ts.UnixMilli(), v.GetFloat64("amount"))
		return nil
	})
	return errors.Join(err, writeWindows(w, sums), end(), say(done{}))
}

// writeWindows writes what addTo has added up.
func writeWindows(w *bufio.Writer, sums map[group]*sum) error {
	var line []byte
	for g, s := range sums {
		line = append(append(line[:0], `{"user":"`...), g.user...)
		line = append(line, `","window_start":"`...)
		line = time.UnixMilli(g.start).UTC().AppendFormat(line, time.RFC3339)
		line = append(line, `","window_end":"`...)
		line = time.UnixMilli(g.start+windowSpan).UTC().AppendFormat(line, time.RFC3339)
		line = strconv.AppendInt(append(line, `","orders":`...), s.orders, 10)
		line = strconv.AppendFloat(append(line, `,"revenue":`...), s.revenue, 'f', -1, 64)
		if _, err := w.Write(append(line, "}\n"...)); err != nil {
			return err
		}
	}
	return nil
}

// handCSV filters and maps orders that it splits at commas: only the last
// column is ever quoted.
func handCSV(in, out string) error {
	w, end, err := create(out)
	if err != nil {
		return err
	}
	_, _ = w.WriteString("id,user,country,total\n") // Flush has the error
	var line []byte
	first := true
	err = eachLine(in, func(rec []byte) error {
		if first {
			first = false
			return nil
		}
		var f [6][]byte
		for i := range f {
			f[i], rec, _ = bytes.Cut(rec, []byte(","))
		}
		amount, err := strconv.ParseFloat(string(f[4]), 64)
		if err != nil || !bytes.Equal(f[3], ok) || amount < 10 {
			return err
		}
		qty, err := strconv.ParseInt(string(f[5]), 10, 64)
		if err != nil {
			return err
		}
		line = append(append(line[:0], f[0]...), ',')
		line = append(append(line, f[1]...), ',')
		line = append(append(line, f[2]...), ',')
		line = strconv.AppendFloat(line, amount*float64(qty), 'f', -1, 64)
		_, err = w.Write(append(line, '\n'))
		return err
	})
	return errors.Join(err, end(), say(done{}))
}
