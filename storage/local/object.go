package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gpflow/gpflow/storage"
)

// Object is an object that is read piece by piece. It is what it was when it was
// opened, though another one be put in its place, or it be removed, meanwhile.
type Object struct {
	file *os.File
	what string // object it is, and of which store: for errors
}

// OpenObject returns an object to be read piece by piece; ErrNotFound where there is
// none. The caller closes it.
func (s *Store) OpenObject(ctx context.Context, name string) (*Object, error) {
	what := fmt.Sprintf("%q from %s", name, s.dir)
	if err := check(ctx, storage.CheckName(name)); err != nil {
		return nil, explain("open "+what, err)
	}
	f, err := s.open(name)
	if err != nil {
		return nil, explain("open "+what, err)
	}
	return &Object{f, what}, nil
}

// ReadAt implements io.ReaderAt.
func (o *Object) ReadAt(p []byte, off int64) (int, error) {
	n, err := o.file.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		err = explain(fmt.Sprintf("read %d bytes of %s from %d on", len(p), o.what, off), err)
	}
	return n, err
}

// Close lets go of the object.
func (o *Object) Close() error { return o.file.Close() }
