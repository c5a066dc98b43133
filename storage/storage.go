// Package storage is where the engine keeps what must survive it: objects in a
// store that may be a directory, HDFS or an object store.
//
// The interface is as small as the weakest of them. storagetest has the tests
// that every implementation must pass.
package storage

import (
	"context"
	"errors"
)

// The errors that callers tell apart; others are failures of the store.
var (
	ErrNotFound = errors.New("there is no such object")
	ErrExists   = errors.New("there is such an object already")
)

// Store keeps objects by name. A name is a path of parts that are separated by
// "/"; a part consists of a-z, A-Z, 0-9, ".", "_" and "-", and does not begin
// with a dot. Any number of goroutines and processes may use a store at once.
//
// An error wraps one of the errors above where that is the cause, and says what
// was done, to which object of which store, and what can be done about it.
type Store interface {
	// Put writes an object, in place of one of that name. The object appears
	// whole or not at all, whatever happens, and has survived a loss of power
	// when Put has returned nil.
	Put(ctx context.Context, name string, data []byte) error
	// PutIfAbsent is Put where there is no object of that name, and ErrExists
	// where there is. Of all who call it for one name, in any process, exactly
	// one gets nil.
	PutIfAbsent(ctx context.Context, name string, data []byte) error
	// Get returns an object, which the caller owns; ErrNotFound where there is
	// none.
	Get(ctx context.Context, name string) ([]byte, error)
	// GetRange returns n bytes of an object from offset on; fewer where it ends
	// before.
	GetRange(ctx context.Context, name string, offset, n int64) ([]byte, error)
	// List returns the objects whose names begin with prefix, which is a name
	// with or without a "/" at its end or empty, sorted by name.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Remove removes an object. It is no error where there is none.
	Remove(ctx context.Context, name string) error
}

// Object is what List says of an object.
type Object struct {
	Name string
	Size int64 // bytes
}
