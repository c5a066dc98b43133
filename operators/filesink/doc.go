// Package filesink is the sink "file": records in one file, which appears whole
// when the input has ended, or in files that appear one after the other in a
// directory.
//
// What is not committed is staged under a hidden name on the same file system,
// and Commit renames it (C3, C4 of package checkpoint). What a checkpoint covers
// of a staged file is a length, at which every format can be cut: what is
// compressed consists of pieces that are complete. Recover cuts there, removes
// what dead attempts have staged besides, and refuses to go on beside a process
// that still lives, which holds a lock.
package filesink
