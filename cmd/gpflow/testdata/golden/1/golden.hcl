variable "parallelism" {
  type    = number
  default = 2
}

variable "rate" {
  type    = number
  default = 100000
}

pipeline "golden" {
  parallelism = var.parallelism
  key_groups  = 16

  checkpoint {
    every   = "50ms"
    storage = "file:state"
    retain  = 2
  }
}

source "file" "orders" {
  path = "in/*.jsonl"
  rate = var.rate
  schema = {
    id     = int
    user   = optional(string)
    day    = timestamp
    vip    = bool
    wait   = duration
    amount = optional(int)
    price  = float
    at     = timestamp
  }

  event_time {
    field        = "at"
    out_of_order = "5s"
  }
}

source "generate" "ticks" {
  count  = 90
  rate   = var.rate
  fields = { n = "i", word = "'w' + string(i % 5)" }
}

map "tidy" {
  from   = source.orders
  select = {
    id     = "id"
    user   = "user"
    day    = "day"
    vip    = "vip"
    wait   = "wait"
    amount = "amount"
    price  = "price"
    double = "price * 2.0"
  }
}

window "tumbling" "users" {
  from   = map.tidy
  key_by = ["user", "vip", "day", "wait"]
  size   = "2m"
  aggregate = {
    n        = "count()"
    amounts  = "count(amount)"
    amount   = "sum(amount)"
    least    = "min(price)"
    longest  = "max(wait)"
    mean     = "avg(double)"
    earliest = "first(id)"
    latest   = "last(user)"
  }
}

sink "file" "users" {
  from   = window.users
  path   = "out/users/{vip}"
  mode   = "parts"
  format = "json"
  roll { size = "1KiB" }
}

sink "file" "late" {
  from = window.users.late
  path = "out/late.jsonl"
}

sink "file" "ticks" {
  from        = source.ticks
  path        = "out/ticks"
  mode        = "parts"
  format      = "csv"
  compression = "gzip"
  roll { every = "1h" }
}
