package main

import "strconv"

// job is a pipeline that is measured.
type job struct {
	name, title string
	records     int64
	pipeline    string // HCL; DIR and OUT stand for directories, the other words in capitals for settings
	// generator is the pipeline that makes the same records and drops them,
	// whose time is subtracted; "": nothing is.
	generator string
	out       string // the file that it writes, below OUT; "": it has a checksum
	answer    func(n int64) answer
	bar       float64 // records per CPU-second
	naive     bool    // has the yardstick naive
	wide      bool    // is measured with parallelism 2 too
	every     string  // the time between checkpoints; "": as where nothing is said
}

const head = `
pipeline "bench" {
  parallelism = PARALLELISM
  checkpoint { every = "EVERY" }
}
`

const orderSchema = head + `
schema "order" {
  id      = int
  user    = string
  country = string
  status  = string
  amount  = float
  qty     = int
  ts_ms   = int
  ts      = timestamp
  note    = string
}
`

const filterMap = `
filter "ok" {
  from  = source.orders
  where = "status == 'ok' && amount >= 10"
}
map "totals" {
  from   = filter.ok
  select = { id = "id", user = "user", country = "country", total = "amount * qty" }
}
`

const intoBlackhole = `
sink "blackhole" "out" { from = map.totals }
`

const intoFile = `
sink "file" "out" {
  from = map.totals
  path = "OUT/out.jsonl"
}
`

// readFile is a source of orders.
func readFile(name string) string {
	return orderSchema + `
source "file" "orders" {
  path   = "DIR/` + name + `"
  schema = schema.order
}
`
}

const lateWindows = orderSchema + `
source "file" "orders" {
  path   = "DIR/` + lateFile + `"
  schema = schema.order
  event_time {
    field        = "ts"
    out_of_order = "5s"
  }
}
window "tumbling" "by_user" {
  from      = source.orders
  key_by    = ["user"]
  size      = "10s"
  aggregate = { orders = "count()", revenue = "sum(amount)" }
}
sink "file" "out" {
  from = window.by_user
  path = "OUT/out.jsonl"
}
`

// The in-memory jobs.
const (
	madeCount = 10_000_000

	madeRecords = head + `
source "generate" "records" {
  count  = COUNT
  fields = {
    id     = "i"
    user   = "'user-' + string(i * 7919 % 100000)"
    item   = "'item-' + string(i % 5000)"
    amount = "i % 10000 / 100.0"
    qty    = "i % 7 + 1"
    online = "i % 3 == 0"
  }
}
`
	madeFilter = madeRecords + `
filter "half" {
  from  = source.records
  where = "amount >= 50"
}
map "totals" {
  from   = filter.half
  select = { id = "id", user = "user", item = "item", online = "online", total = "amount * qty" }
}
` + intoBlackhole

	dropRecords = `
sink "drop" "records" { from = source.records }
`
	fewKeys, fewSpan   = 10_000, 1_000_000
	manyKeys, manySpan = 1_000_000, 5_000_000
)

// uniform is the expression of keys that look random.
func uniform(keys int64) string { return "hash(i) % " + strconv.FormatInt(keys, 10) }

// keyedRecords makes records with the key that an expression over i says.
func keyedRecords(key string) string {
	return head + `
source "generate" "records" {
  count  = COUNT
  fields = {
    key    = "` + key + `"
    amount = "i % 100"
    at     = "timestamp('1970-01-01T00:00:00Z') + duration('1ms') * i"
  }
  event_time { field = "at" }
}
`
}

func keyedWindows(key string, span int64) string {
	return keyedRecords(key) + `
window "tumbling" "by_key" {
  from      = source.records
  key_by    = ["key"]
  size      = "` + strconv.FormatInt(span, 10) + `ms"
  aggregate = { n = "count()", sum = "sum(amount)" }
}
sink "blackhole" "out" { from = window.by_key }
`
}

// jobs returns the jobs, in the order in which they are run and shown.
func jobs() []*job {
	return []*job{
		{
			name: "json-file", title: "JSON orders, filter, map, JSON file", records: orderCount,
			pipeline: readFile(jsonFile) + filterMap + intoFile, out: "out.jsonl", answer: totals, bar: 600_000, naive: true,
		},
		{
			name: "json-null", title: "JSON orders, filter, map, blackhole", records: orderCount,
			pipeline: readFile(jsonFile) + filterMap + intoBlackhole,
			answer:   totals, bar: 750_000, naive: true,
		},
		{
			name: "json-all", title: "JSON orders, all 9 columns, blackhole", records: orderCount,
			pipeline: readFile(jsonFile) + `
sink "blackhole" "out" { from = source.orders }
`, answer: everything, bar: 750_000, naive: true,
		},
		{
			name: "json-window", title: "JSON orders out of order, windows by user, JSON file", records: orderCount,
			pipeline: lateWindows, out: "out.jsonl", answer: windows, bar: 700_000, naive: true,
		},
		{
			name: "csv-file", title: "CSV orders, filter, map, CSV file", records: orderCount,
			pipeline: readFile(csvFile) + filterMap + `
sink "file" "out" {
  from = map.totals
  path = "OUT/out.csv"
}
`, out: "out.csv", answer: totals, bar: 800_000, naive: true,
		},
		{
			name: "memory-filter", title: "in memory: filter half, map, blackhole", records: madeCount,
			pipeline: madeFilter, generator: madeRecords + dropRecords, answer: filtered, bar: 10_000_000, wide: true,
		},
		{
			name: "memory-window-10k", title: "in memory: windows, 10 k keys", records: madeCount,
			pipeline: keyedWindows(uniform(fewKeys), fewSpan), generator: keyedRecords(uniform(fewKeys)) + dropRecords,
			answer: func(n int64) answer { return counted(n, fewKeys, fewSpan, hashInt) }, bar: 4_000_000, wide: true,
		},
		{
			name: "memory-window-1m", title: "in memory: windows, 1 M keys", records: madeCount,
			pipeline: keyedWindows(uniform(manyKeys), manySpan), generator: keyedRecords(uniform(manyKeys)) + dropRecords,
			answer: func(n int64) answer { return counted(n, manyKeys, manySpan, hashInt) }, bar: 1_500_000,
		},
	}
}
