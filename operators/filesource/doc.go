// Package filesource is the source "file": the records of files, of all files
// of a directory, and of standard input.
//
// A file is a split, named by its path. Positions are byte offsets in the
// content, behind any compression; a record's position is the offset of its
// first byte. Where no order within a file matters, large files are cut into
// ranges, each a split of its own, so that several subtasks share one file.
package filesource
