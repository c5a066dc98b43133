// Package filesource is the source "file": the records of files, of all files
// of a directory, and of standard input.
//
// A file is a split, named by its path. Positions are byte offsets in the
// content, behind any compression; a record's position is the offset of its
// first byte. Where no order within a file matters, large files are cut into
// ranges, each a split of its own, so that several subtasks share one file.
//
// How far a split has been read is an offset, a line, and a fingerprint of the
// file's first bytes, by which a reader that goes on there knows the file.
//
// With follow, files are read as they grow, whatever they are renamed to; see
// scanner for how they are found, and tail for how one is read. The second file
// of a path is the split "path#2", and so on.
package filesource
