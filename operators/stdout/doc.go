// Package stdout is the sink "stdout": records on the standard output, as JSON
// lines or as a table.
package stdout
