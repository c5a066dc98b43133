// Package filesink is the sink "file": records in one file, which appears whole
// when the input has ended.
//
// Until then they are in a hidden file beside it, the staged file, named
// ".NAME.gpflow-staged". Commit renames it.
package filesink
