pipeline "mistakes" {}

source "generate" "a" {
  fields = { n = "i", s = "'x' + string(i)" }
  count  = 10
}

filter "typo" {
  from  = source.b
  where = "n > 1"
}

filter "type" {
  from  = source.a
  where = "n + 1"
}

filter "name" {
  from  = source.a
  where = "nn > 1"
}

window "tumbling" "w" {
  from      = source.a
  size      = "1m"
  aggregate = { n = "count()" }
}

map "round" {
  from   = map.about
  select = { n = "n" }
}

map "about" {
  from   = map.round
  select = { n = "n" }
}

sink "blackhole" "x" { from = source.a.errs }

sink "blackhole" "y" { from = sink.x }

sink "blackhole" "z" { from = [filter.type, filter.name, window.w, map.about] }

map "other" {
  from   = source.a
  select = { m = "n" }
}

sink "blackhole" "differ" { from = [source.a, map.other] }

sink "file" "one" {
  from = source.a
  path = "same.jsonl"
}

sink "file" "two" {
  from = map.other
  path = "same.jsonl"
}
