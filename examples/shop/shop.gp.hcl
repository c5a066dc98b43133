pipeline "shop" {}

source "generate" "orders" {
  count  = 100000
  fields = {
    user   = "'user' + string(i % 3)"
    amount = "i % 100"
    at     = "timestamp('2026-01-01T00:00:00Z') + duration('1s') * i"
  }
  event_time { field = "at" }
}

filter "paid" {
  from  = source.orders
  where = "amount > 0"
}

window "tumbling" "daily" {
  from      = filter.paid
  key_by    = ["user"]
  size      = "1d"
  aggregate = { orders = "count()", revenue = "sum(amount)", basket = "sum(amount) / count()" }
}

sink "stdout" "screen" {
  from   = window.daily
  format = "table"
}
