package filesink

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gpflow/gpflow"
)

// stagingDir is the hidden directory below the root in which files are staged.
const stagingDir = ".gpflow-staged"

// names says what the files of one writer are called, and where they are staged:
//
//	ROOT/.gpflow-staged/SINK-LINEAGE/                 those of a sink and a lineage
//	    WRITER.lock                                   held by a writer that lives
//	    SINK-LINEAGE-WRITER-EPOCH-SEQUENCE.EXT        a file that is staged
//	ROOT/PARTITION/SINK-LINEAGE-WRITER-EPOCH-SEQUENCE.EXT
//
// The epoch, which no two starts share, keeps names apart also where a job goes
// back to an older checkpoint than its last, or goes on while a process of a
// former start still runs. Within an epoch, the sequence goes on above all that
// the checkpoint knows of.
type names struct {
	root    string
	dir     string // where files are staged
	sink    string
	lineage string
	epoch   int64
	sub     gpflow.Subtask
	ext     string // ".json"
}

// transient begins the lineage of a job that keeps no checkpoints, so that
// nobody goes on with what it leaves behind.
const transient = "x"

func newNames(c *gpflow.SinkContext, root, ext string) names {
	n := names{root: root, sink: c.Address[strings.LastIndexByte(c.Address, '.')+1:], lineage: c.Lineage, epoch: c.Epoch, sub: c.Subtask, ext: ext}
	if n.lineage == "" {
		var id [8]byte
		_, _ = rand.Read(id[:]) // never fails
		n.lineage = transient + hex.EncodeToString(id[:])
	}
	n.dir = filepath.Join(root, stagingDir, n.sink+"-"+n.lineage)
	return n
}

// name returns the name of the file of a sequence number.
func (n *names) name(sequence int64) string {
	return fmt.Sprintf("%s-%s-%04d-%04d-%08d%s", n.sink, n.lineage, n.sub.Index, n.epoch, sequence, n.ext)
}

// writer returns the writer that a staged file or a lock is of, or false where
// the name is none of this sink and lineage.
func (n *names) writer(base string) (int, bool) {
	number, lock := strings.CutSuffix(base, ".lock")
	if !lock {
		rest, ours := strings.CutPrefix(base, n.sink+"-"+n.lineage+"-")
		if !ours {
			return 0, false
		}
		number, _, _ = strings.Cut(rest, "-")
	}
	w, err := strconv.Atoi(number)
	return w, err == nil && w >= 0
}

// below returns a path as it is below the root.
func (n *names) below(path string) string {
	rel, err := filepath.Rel(n.root, path)
	if err != nil {
		return path // it is below the root
	}
	return rel
}

// claim makes the directory for staged files, and holds the writer's lock in it.
func (n *names) claim(d *disk) (*os.File, error) {
	for {
		if err := d.makeDir(n.dir); err != nil {
			return nil, fmt.Errorf("make the directory %s for staged files: %w%s", n.dir, reason(err), remedy(err))
		}
		f, _, err := d.hold(filepath.Join(n.dir, fmt.Sprintf("%04d.lock", n.sub.Index)))
		switch {
		case errors.Is(err, fs.ErrNotExist): // another sink has ended and tidied up
			continue
		case errors.Is(err, errHeld):
			return nil, n.held()
		case err != nil:
			return nil, fmt.Errorf("stage files in %s: %w%s", n.dir, reason(err), remedy(err))
		}
		return f, nil
	}
}

func (n *names) held() error {
	return fmt.Errorf("write to %s: another sink of the name %s, or another run of this pipeline, is writing there, staged in %s; wait until it has ended, or stop it",
		n.root, n.sink, n.dir)
}

// tidy removes the directories for staged files where they are empty.
func (n *names) tidy(d *disk) {
	if d.remove(n.dir) == nil {
		_ = d.remove(filepath.Join(n.root, stagingDir)) // others may stage there
	}
}
