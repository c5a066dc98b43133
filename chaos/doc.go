// Command chaos proves, with real processes, that a pipeline that is killed puts
// out what it would have without: it runs bin/gpflow, kills it at random moments
// and at every failpoint, damages what lies between two starts, and compares what
// came out with what should have. It imports nothing of the module: it reads
// specifications, checkpoints and output by what the documentation says of them.
//
// A round is one run of a workload from nothing to its end, over many starts, at
// parallelisms of 1 to 3. See docs/reliability.md for what is done and how often.
package main
