package checkpoint

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/storage"
)

// Damaged is the error of an object that is not what was written, or is not
// there though another one says that it is. Nothing is restored from it, nor is
// anything older in its place, unless that is asked for (C9).
type Damaged struct {
	Object string // its name in the store
	Reason string // what is wrong with it
	Err    error  // that of the store, where there is one
}

func (e *Damaged) Error() string {
	way := "go back to a savepoint with gpflow savepoint restore, or begin anew with gpflow run --fresh: what has been written behind it is then written again"
	switch folder, _, _ := strings.Cut(e.Object, "/"); folder {
	case "head": // without which nothing can be begun in this store
		way = "move the whole directory away, and begin with one of its savepoints, with gpflow run --from, or anew"
	case "savepoints", "segments", "manifest":
		way = "use another savepoint"
	}
	return fmt.Sprintf("%s is damaged: %s. Put it back from a copy; or %s", e.Object, e.Reason, way)
}

// Missing returns the error of an object that is not there, though a manifest
// refers to it. err is the store's.
func Missing(object string, err error) *Damaged {
	return &Damaged{Object: object, Reason: "it is not there, but a manifest refers to it", Err: err}
}

// Unwrap returns the error of the store.
func (e *Damaged) Unwrap() error { return e.Err }

// Newer is the error of an object that is sound, and of a later version of the
// format than this build knows.
type Newer struct {
	Object         string
	Version, Known uint32
}

func (e *Newer) Error() string {
	return fmt.Sprintf("%s was written by a newer gpflow: its format has version %d, and this one reads up to %d. Use the gpflow that wrote it, or a later one",
		e.Object, e.Version, e.Known)
}

// KeyHash is the error of a manifest whose key groups come from another hash
// than this build's.
type KeyHash struct {
	Object string
	Name   string // of its hash
}

func (e *KeyHash) Error() string {
	return fmt.Sprintf("%s has key groups by the hash %q, and this gpflow has %q: its state would be looked for in the wrong places. Use the gpflow that wrote it",
		e.Object, e.Name, gpflow.KeyHashName)
}

// StaleEpoch is the error of a keeper that another one has taken over from. It
// has made nothing current since, and must neither write nor commit (C6).
type StaleEpoch struct {
	Lineage string
	Epoch   int64 // of the keeper
	By      string
}

func (e *StaleEpoch) Error() string {
	return fmt.Sprintf("start %d of lineage %s is over, because %s. Nothing more is written by this one; stop it, and see that only one runs on this storage",
		e.Epoch, e.Lineage, e.By)
}

// NoCheckpoint is the error of asking for what there is none of.
type NoCheckpoint struct{ What string }

func (e *NoCheckpoint) Error() string { return "there is no " + e.What }

// NoBase is the error of a snapshot that has only what has changed, where the
// keeper has nothing that it could have changed from. The part hands in a whole
// one.
type NoBase struct {
	Part   Part
	Reason string
}

func (e *NoBase) Error() string {
	return fmt.Sprintf("%s has handed in what has changed since the last checkpoint, but %s; a whole snapshot is needed, and this is a bug in gpflow", e.Part, e.Reason)
}

// NameTaken is the error of a savepoint's name that is in use.
type NameTaken struct{ Name string }

func (e *NameTaken) Error() string {
	return fmt.Sprintf("there is a savepoint %q already. Use another name, or remove it first", e.Name)
}

// IsFatal reports whether a failure to store a checkpoint ends the start that has
// met it: another one has taken over (C6), or the disk may have lost what it was
// given. After any other, the job can go on and store the next.
func IsFatal(err error) bool {
	var stale *StaleEpoch
	var lost *storage.SyncError
	return errors.As(err, &stale) || errors.As(err, &lost)
}

// String names the part as messages do: "task 3/0".
func (p Part) String() string { return fmt.Sprintf("%s %s/%d", p.Kind, p.Name, p.Subtask) }
