//go:build race

package main

// raced says that the race detector is on. Pebble then notes the stack of each
// block that it reads, which takes minutes.
const raced = true
