# How much do 40 electricity meters count in an hour? Every meter is read once in
# five minutes, for two days; the readings are made up.
#
#     gpflow run examples/meters/meters.gp.hcl

pipeline "meters" {
  parallelism = 4 # the readings come in four splits, and each node has four subtasks
}

source "generate" "readings" {
  count = 23040
  fields = {
    meter = "'meter-' + string(i % 40)"
    watts = "(i * 7919) % 3000"
    at    = "timestamp('2026-03-01T00:00:00Z') + duration('7500ms') * i"
  }
  event_time {
    field        = "at"
    out_of_order = "1m"
  }
}

window "tumbling" "hourly" {
  from   = source.readings
  key_by = ["meter"]
  size   = "1h"
  aggregate = {
    readings = "count()"
    mean     = "sum(watts) / count()"
    peak     = "max(watts)"
  }
}

sink "file" "hourly" {
  from = window.hourly
  path = "out/meters/hourly.jsonl"
}

# None is: the readings are in order.
sink "file" "late" {
  from = window.hourly.late
  path = "out/meters/late.jsonl"
}

# Hours in which a meter went over its limit.
filter "over" {
  from  = window.hourly
  where = "peak > 2900"
}

sink "file" "over" {
  from = filter.over
  path = "out/meters/over.jsonl"
}
