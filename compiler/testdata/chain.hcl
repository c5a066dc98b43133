# One task: nothing needs an exchange. Columns nobody reads are not read.
pipeline "chain" {}

variable "least" {
  type    = number
  default = 10
}

source "file" "orders" {
  path   = "orders.jsonl"
  schema = {
    user    = string
    amount  = float
    qty     = int
    note    = optional(string)
    address = { street = string, zip = string }
    at      = timestamp("unix_ms")
  }
}

filter "big" {
  from  = source.orders
  where = "amount >= var.least && address.zip != ''"
}

map "total" {
  from   = filter.big
  select = { user = "user", total = "amount * qty" }
}

sink "file" "out" {
  from = map.total
  path = "out.jsonl"
}

# What nobody reads of a map is not computed, and its input is not read.
map "wide" {
  from   = source.orders
  select = { at = "at", note = "note ?? ''", user = "user" }
}

map "narrow" {
  from   = map.wide
  select = { at = "at" }
}

sink "blackhole" "narrow" { from = map.narrow }
