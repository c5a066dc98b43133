# A keyed exchange, ports, a union of two edges, and a sink of one subtask.
pipeline "parallel" {
  parallelism = 3
}

source "file" "orders" {
  path     = "orders/"
  format   = "json"
  on_error = "divert"
  schema   = { user = string, amount = int, at = timestamp }

  event_time {
    field        = "at"
    out_of_order = "5s"
    idle_after   = "1m"
  }
}

window "tumbling" "totals" {
  from      = source.orders
  key_by    = ["user"]
  size      = "1m"
  aggregate = { n = "count()", sum = "sum(amount)", mean = "sum(amount) / count()" }
}

filter "a" {
  from  = source.orders
  where = "amount > 100"
}

filter "b" {
  from  = source.orders
  where = "amount < 0"
}

map "odd" {
  from   = [filter.a, filter.b]
  select = { user = "user" }
}

sink "blackhole" "odd" { from = map.odd }

sink "file" "totals" {
  from = window.totals
  path = "totals.jsonl"
}

sink "file" "late" {
  from = window.totals.late
  path = "late.jsonl"
}

sink "file" "broken" {
  from = source.orders.errors
  path = "broken.jsonl"
}
