package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// The data: orderCount orders, one a millisecond of event time, by users users.
const (
	orderCount = 1_000_000
	users      = 1000
	disorder   = 5000 // milliseconds; of orders-late.jsonl
	windowSpan = 10_000
)

// order is one record of the data. Texts need no quoting in JSON or CSV.
type order struct {
	id            int64
	user          string
	country       string
	status        string
	cents, qty    int64
	milliseconds  int64 // of ts and ts_ms, since 1970
	note, ts      string
	amount, total float64
}

var (
	countries = []string{"NL", "DE", "FR", "US", "JP", "BR", "IN", "ZA"}
	states    = []string{"ok", "ok", "ok", "ok", "ok", "ok", "ok", "failed", "pending", "returned", "cancelled"}
	notes     = []string{"leave it at the door", "ring twice, please", "a present: no bill inside", "call before you come", "none"}
	epoch     = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
)

// eachOrder gives the first n orders to f, the same each time; late moves each
// back in time by up to disorder. f must not keep the order.
func eachOrder(n int64, late bool, f func(*order)) {
	r := rand.New(rand.NewPCG(2026, 7))
	names := make([]string, users)
	for i := range names {
		names[i] = fmt.Sprintf("user-%04d", i)
	}
	var o order
	for i := range n {
		o.id, o.user = i+1, names[r.IntN(users)]
		o.country, o.status = countries[r.IntN(len(countries))], states[r.IntN(len(states))]
		o.cents, o.qty = r.Int64N(10_000), 1+r.Int64N(9)
		o.note = notes[r.IntN(len(notes))]
		o.milliseconds = epoch + disorder + i
		if back := r.Int64N(disorder); late {
			o.milliseconds -= back
		}
		o.ts = time.UnixMilli(o.milliseconds).UTC().Format("2006-01-02T15:04:05.000Z")
		o.amount = float64(o.cents) / 100
		o.total = o.amount * float64(o.qty)
		f(&o)
	}
}

// kept is the filter of the jobs on orders.
func (o *order) kept() bool { return o.status == "ok" && o.amount >= 10 }

func (o *order) appendAmount(b []byte) []byte {
	return strconv.AppendFloat(b, o.amount, 'f', 2, 64)
}

func (o *order) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"id":`...), o.id, 10)
	b = append(append(b, `,"user":"`...), o.user...)
	b = append(append(b, `","country":"`...), o.country...)
	b = append(append(b, `","status":"`...), o.status...)
	b = o.appendAmount(append(b, `","amount":`...))
	b = strconv.AppendInt(append(b, `,"qty":`...), o.qty, 10)
	b = strconv.AppendInt(append(b, `,"ts_ms":`...), o.milliseconds, 10)
	b = append(append(b, `,"ts":"`...), o.ts...)
	b = append(append(b, `","note":"`...), o.note...)
	return append(b, "\"}\n"...)
}

const csvHeader = "id,user,country,status,amount,qty,ts_ms,ts,note\n"

// appendCSV appends o as CSV. The note is quoted: some hold a comma.
func (o *order) appendCSV(b []byte) []byte {
	b = append(strconv.AppendInt(b, o.id, 10), ',')
	b = append(append(b, o.user...), ',')
	b = append(append(b, o.country...), ',')
	b = append(append(b, o.status...), ',')
	b = append(o.appendAmount(b), ',')
	b = append(strconv.AppendInt(b, o.qty, 10), ',')
	b = append(strconv.AppendInt(b, o.milliseconds, 10), ',')
	b = append(append(b, o.ts...), ',')
	b = append(append(b, '"'), o.note...)
	return append(b, "\"\n"...)
}

// The files of the data.
const (
	jsonFile = "orders.jsonl"
	lateFile = "orders-late.jsonl"
	csvFile  = "orders.csv"
)

// dataPart writes the data into a directory.
func dataPart(args []string) error {
	for _, f := range []struct {
		name   string
		late   bool
		header string
		append func(*order, []byte) []byte
	}{
		{jsonFile, false, "", (*order).appendJSON},
		{lateFile, true, "", (*order).appendJSON},
		{csvFile, false, csvHeader, (*order).appendCSV},
	} {
		file, err := os.Create(filepath.Join(args[0], f.name))
		if err != nil {
			return err
		}
		w := bufio.NewWriterSize(file, 1<<20)
		_, _ = w.WriteString(f.header) // Flush has the error
		var line []byte
		eachOrder(orderCount, f.late, func(o *order) {
			line = f.append(o, line[:0])
			_, _ = w.Write(line) // likewise
		})
		if err := w.Flush(); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}
