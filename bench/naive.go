package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// naiveCount is how many orders the yardstick "naive" takes: it is slow.
const naiveCount = 100_000

// naivePart is the yardstick "naive": what people write by hand who are not
// after speed. A record is a map, expressions run on the VM of expr-lang.
//
//	naive JOB DIR OUT
func naivePart(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: naive JOB DIR OUT")
	}
	in, out := func(name string) string { return filepath.Join(args[1], name) }, args[2]
	n := &naive{}
	var err error
	switch args[0] {
	case "json-file":
		err = n.totals(eachMap(in(jsonFile)), filepath.Join(out, "out.jsonl"))
	case "json-null":
		err = n.totals(eachMap(in(jsonFile)), "")
	case "json-all":
		err = n.everything(in(jsonFile))
	case "json-window":
		err = n.window(in(lateFile), filepath.Join(out, "out.jsonl"))
	case "csv-file":
		err = n.totals(eachRecord(in(csvFile)), filepath.Join(out, "out.csv"))
	default:
		err = fmt.Errorf("there is no job %q", args[0])
	}
	return errors.Join(err, say(done{answer: n.answer}))
}

type naive struct{ answer }

// maps gives each record of a file to f.
type maps func(f func(map[string]any) error) error

// eachMap reads JSON lines.
func eachMap(path string) maps {
	return func(f func(map[string]any) error) error {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		for n := 0; n < naiveCount && lines.Scan(); n++ {
			var rec map[string]any
			if err := json.Unmarshal(lines.Bytes(), &rec); err != nil {
				return err
			}
			if err := f(rec); err != nil {
				return err
			}
		}
		return lines.Err()
	}
}

// eachRecord reads CSV; the columns that are numbers are converted.
func eachRecord(path string) maps {
	return func(f func(map[string]any) error) error {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		r := csv.NewReader(file)
		header, err := r.Read()
		for n := 0; n < naiveCount && err == nil; n++ {
			var fields []string
			if fields, err = r.Read(); err != nil {
				break
			}
			rec := make(map[string]any, len(header))
			for i, name := range header {
				rec[name] = fields[i]
				if x, err := strconv.ParseFloat(fields[i], 64); err == nil {
					rec[name] = x
				}
			}
			err = f(rec)
		}
		if err == io.EOF {
			err = nil
		}
		return err
	}
}

func compile(text string) (*vm.Program, error) {
	return expr.Compile(text, expr.Env(map[string]any{}), expr.AllowUndefinedVariables())
}

// totals filters and maps, into a file or a checksum.
func (n *naive) totals(each maps, out string) error {
	keep, err := compile(`status == "ok" && amount >= 10`)
	if err != nil {
		return err
	}
	mapped, err := compile(`{"id": id, "user": user, "country": country, "total": amount * qty}`)
	if err != nil {
		return err
	}
	w, end, err := create(out)
	if err != nil {
		return err
	}
	write := n.sum
	switch filepath.Ext(out) {
	case ".jsonl":
		enc := json.NewEncoder(w)
		write = func(m map[string]any) error { return enc.Encode(m) }
	case ".csv":
		enc := csv.NewWriter(w)
		defer enc.Flush()
		if err := enc.Write([]string{"id", "user", "country", "total"}); err != nil {
			return err
		}
		write = func(m map[string]any) error {
			err := enc.Write([]string{fmt.Sprint(m["id"]), fmt.Sprint(m["user"]), fmt.Sprint(m["country"]), fmt.Sprint(m["total"])})
			enc.Flush()
			return err
		}
	}
	err = each(func(rec map[string]any) error {
		if is, err := expr.Run(keep, rec); err != nil || is != true {
			return err
		}
		m, err := expr.Run(mapped, rec)
		if err != nil {
			return err
		}
		return write(m.(map[string]any))
	})
	return errors.Join(err, end())
}

// sum adds a row of totals to the checksum.
func (n *naive) sum(m map[string]any) error {
	n.add(row(nil).int(int64(m["id"].(float64))).text(m["user"].(string)).text(m["country"].(string)).float(m["total"].(float64)))
	return nil
}

// everything sums all columns.
func (n *naive) everything(in string) error {
	return eachMap(in)(func(m map[string]any) error {
		ts, err := time.Parse(time.RFC3339, m["ts"].(string))
		if err != nil {
			return err
		}
		text := func(name string) string { return m[name].(string) }
		number := func(name string) int64 { return int64(m[name].(float64)) }
		r := row(nil).int(number("id")).text(text("user")).text(text("country")).text(text("status")).float(m["amount"].(float64))
		n.add(r.int(number("qty")).int(number("ts_ms")).time(ts.UnixMicro()).text(text("note")))
		return nil
	})
}

// window adds up orders by user.
func (n *naive) window(in, out string) error {
	w, end, err := create(out)
	if err != nil {
		return err
	}
	sums := make(map[group]*sum)
	err = eachMap(in)(func(m map[string]any) error {
		ts, err := time.Parse(time.RFC3339, m["ts"].(string))
		if err != nil {
			return err
		}
		addTo(sums, m["user"].(string), ts.UnixMilli(), m["amount"].(float64))
		return nil
	})
	enc := json.NewEncoder(w)
	for g, s := range sums {
		err = errors.Join(err, enc.Encode(map[string]any{
			"user": g.user, "window_start": time.UnixMilli(g.start).UTC(), "window_end": time.UnixMilli(g.start + windowSpan).UTC(),
			"orders": s.orders, "revenue": s.revenue,
		}))
	}
	return errors.Join(err, end())
}
