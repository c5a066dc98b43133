pipeline "warnings" {}

source "generate" "a" {
  fields = { n = "i", at = "timestamp('2024-01-01T00:00:00Z') + duration('1s') * i" }
  count  = 10

  event_time { field = "at" }
}

filter "unread" {
  from  = source.a
  where = "n > 1"
}

window "tumbling" "w" {
  from      = source.a
  size      = "1m"
  aggregate = { n = "count()" }
}

sink "stdout" "out" { from = window.w }

source "generate" "endless" {
  fields = { n = "i" }
}

sink "file" "never" {
  from = source.endless
  path = "never.jsonl"
}

source "file" "eater" {
  path   = "eaten/*.txt"
  format = "lines"
  follow = true
}

sink "file" "eaten" {
  from   = source.eater
  mode   = "parts"
  format = "lines"
  path   = "eaten/"
}
