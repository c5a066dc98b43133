# Sinks that write files in a directory: rows go to the writer of their partition,
# or stay where they are. What standard input gave cannot be read again.
pipeline "parts" {
  parallelism = 3

  checkpoint {
    every = "5s"
  }
}

source "file" "in" {
  path   = "-"
  format = "json"
  schema = { day = string, origin = string, n = int }
}

filter "some" {
  from  = source.in
  where = "n > 0"
}

sink "file" "by_day" {
  from   = filter.some
  mode   = "parts"
  format = "json"
  path   = "out/{day}/{origin}-{day}/"
}

sink "file" "by_expression" {
  from   = filter.some
  mode   = "parts"
  format = "json"
  path   = "${local.out}/{day[:7]}/{n / local.ten > 1.0 ? 'many' : 'few'}-{origin}/"
}

locals {
  out = "out2"
  ten = 10
}

sink "file" "all" {
  from   = filter.some
  mode   = "parts"
  format = "csv"
  path   = "all/"

  roll {
    size  = "1MiB"
    every = "1m"
  }
}

sink "file" "one" {
  from        = filter.some
  mode        = "parts"
  format      = "json"
  path        = "one/{day}/"
  parallelism = 1

  on_error {
    action  = "retry"
    retries = 3
  }
}

source "file" "year" {
  path   = "in/"
  format = "json"
  follow = true
  schema = { at = timestamp }
  until  = "2026-01-01T00:00:00Z"

  event_time {
    field = "at"
  }
}

sink "file" "year" {
  from     = source.year
  path     = "year.json"
  on_error = "retry"
}

sink "stdout" "screen" {
  from = filter.some
}
