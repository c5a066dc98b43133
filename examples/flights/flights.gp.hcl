# How late are the flights of an airport on a day? Flights within the United
# States, January to March 2001.
#
#     gpflow run examples/flights/flights.gp.hcl
#     gpflow run examples/flights/flights.gp.hcl --var rate=1000

pipeline "flights" {
  parallelism = var.parallelism
}

variable "parallelism" {
  type        = number
  default     = 1
  description = "How many subtasks each node has."
}

variable "data" {
  type        = string
  default     = "examples/flights/data/flights.jsonl.gz"
  description = "The flights, as JSON lines."
}

variable "out" {
  type        = string
  default     = "out/flights"
  description = "The directory that the results are written to."
}

variable "rate" {
  type        = number
  default     = 0
  description = "Records per second, to watch it happen. 0 is as fast as it goes."
}

schema "flight" {
  date        = timestamp("%Y/%m/%d %H:%M")
  delay       = int # minutes; negative is early
  distance    = int # miles
  origin      = string
  destination = string
}

source "file" "flights" {
  path     = [var.data]
  schema   = schema.flight
  rate     = var.rate
  on_error = "divert" # a broken line goes to source.flights.errors

  event_time {
    field        = "date"
    out_of_order = "2h"
  }
}

# Hops of less than 100 miles are another business.
filter "long" {
  from  = source.flights
  where = "distance >= 100"
}

map "legs" {
  from = filter.long
  select = {
    date   = "date"
    origin = "origin"
    route  = "origin + '-' + destination"
    delay  = "delay"
    late   = "delay > 15"
  }
}

window "tumbling" "by_origin_day" {
  from   = map.legs
  key_by = ["origin"]
  size   = "1d"
  aggregate = {
    flights    = "count()"
    delayed    = "sum(late ? 1 : 0)"
    mean_delay = "sum(delay) / count()"
    worst      = "max(delay)"
  }
}

sink "file" "daily" {
  from = window.by_origin_day
  path = "${var.out}/daily.jsonl"
}

# Flights that came after the windows of their day had closed.
sink "file" "late" {
  from = window.by_origin_day.late
  path = "${var.out}/late.jsonl"
}

# Lines that are not flights, with where they stand and what is wrong.
map "broken" {
  from = source.flights.errors
  select = {
    line    = "origin.line"
    code    = "code"
    message = "message"
    raw     = "string(raw)"
  }
}

sink "file" "broken" {
  from = map.broken
  path = "${var.out}/broken.jsonl"
}

# The bad days, on the screen.
filter "bad_days" {
  from  = window.by_origin_day
  where = "flights >= 5 && mean_delay > 60"
}

map "bad_days" {
  from = filter.bad_days
  select = {
    day        = "window_start"
    airport    = "origin"
    flights    = "flights"
    delayed    = "delayed"
    mean_delay = "round(mean_delay)"
    worst      = "worst"
  }
}

sink "stdout" "bad_days" {
  from   = map.bad_days
  format = "table"
}
