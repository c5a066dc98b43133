// Package storage is where the engine keeps what must survive it: objects in a
// store that may be a directory, HDFS or an object store.
//
// The interface is as small as the weakest of them. storagetest has the tests
// that every implementation must pass, and a store in memory that fails when it
// is told to.
package storage

import (
	"context"
	"errors"
	"fmt"
)

// The errors that callers tell apart; others are failures of the store.
var (
	ErrNotFound = errors.New("there is no such object")
	ErrExists   = errors.New("there is such an object already")
	// ErrInvalid: a name, a prefix or a range that is none. It is the caller's
	// mistake, and nothing was done.
	ErrInvalid = errors.New("not valid")
)

// SyncError says that a store could not make sure that something lasts: the
// medium may have lost what it was given, at that time or before. Trying again
// proves nothing, for a system may call the same data clean the second time.
// Who gets one stops, says why, and starts anew from what can be read.
type SyncError struct {
	Op   string // what was to be made sure: "fsync", "close", "fsync directory"
	Path string // of the file or directory
	Err  error
}

// Error says what happened and what to do next.
func (e *SyncError) Error() string {
	return fmt.Sprintf("%s %s: %v: the disk may have lost data; look at the log of the system and at the disk, then start again",
		e.Op, e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *SyncError) Unwrap() error { return e.Err }

// Store keeps objects by name. A name is a path of parts that are separated by
// "/"; a part consists of a-z, A-Z, 0-9, ".", "_" and "-", and does not begin
// with a dot (CheckName has all the rules). Any number of goroutines and
// processes may use a store at once.
//
// A name is an object or has objects below it, never both, nor one after the
// other: where there is or was "a", nothing is called "a/b". No two names differ
// only by upper and lower case. Not every store could keep such objects, and not
// every store notices.
//
// An error wraps one of the errors above where that is the cause, and says what
// was done, to which object of which store, and what can be done about it. A
// context that has been cancelled is reported as its error; what was cancelled
// has been done or not.
type Store interface {
	// Put writes an object, in place of one of that name. The object appears
	// whole or not at all, whatever happens, and has survived a loss of power
	// when Put has returned nil. After an error, the object is what it was or
	// what it was to become, and only a Put that returns nil decides which. The
	// data remain the caller's.
	Put(ctx context.Context, name string, data []byte) error
	// PutIfAbsent is Put where there is no object of that name, and ErrExists
	// where there is. Of all who call it for one name, in any process, one gets
	// nil, and no more. After an error that is not ErrExists the object may be
	// there: read it to see whose it is.
	PutIfAbsent(ctx context.Context, name string, data []byte) error
	// Get returns an object, which the caller owns; ErrNotFound where there is
	// none.
	Get(ctx context.Context, name string) ([]byte, error)
	// GetRange returns n bytes of an object from offset on; fewer where it ends
	// before, and none where it ends before offset. Neither is negative.
	GetRange(ctx context.Context, name string, offset, n int64) ([]byte, error)
	// List returns the objects whose names begin with prefix, which is a name
	// with or without a "/" at its end or empty, sorted by name, byte by byte.
	// "a" is a prefix of "a", "ab" and "a/b", "a/" of the last one only. What
	// was put before List is there, what is put meanwhile may be.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Remove removes an object. It is no error where there is none. When Remove
	// has returned nil, the object does not come back.
	Remove(ctx context.Context, name string) error
}

// Object is what List says of an object.
type Object struct {
	Name string
	Size int64 // bytes
}
