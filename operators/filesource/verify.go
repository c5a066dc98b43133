package filesource

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

// startAnew is what can be done about input that is not what it was.
const startAnew = "bring the file back as it was, or start anew with --fresh, which reads everything again"

// other is the error of input that is not what it was, and will not be so when it
// is looked at again.
func other(format string, args ...any) error {
	return &gpflow.FinalError{Err: fmt.Errorf(format, args...)}
}

// verify reports a file that is not the one that the split was found in, and
// read in up to a position.
func (d splitData) verify(f *os.File, from position) error {
	want := from.head
	if want.n == 0 {
		want = d.Head
	}
	if from.offset == 0 && want.n == 0 {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read %s: %w", d.Path, reason(err))
	}
	size := info.Size()
	now, err := headOf(f, want.n)
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", d.Path, reason(err))
	case now.n < want.n, d.Compression == catalog.None && size < from.offset:
		return other("read %s: it was read up to byte %d of its content, and has only %d bytes now: it was truncated or replaced; %s",
			d.Path, from.offset, size, startAnew)
	case now != want:
		return other("read %s: it was read up to byte %d of its content, and is another file now: its first %d bytes have the fingerprint %s, not %s; %s",
			d.Path, from.offset, want.n, now, want, startAnew)
	case size < d.Size:
		return other("read %s: it had %d bytes when the pipeline began, of which those up to byte %d of its content were read, and has only %d bytes now: it was truncated; %s",
			d.Path, d.Size, from.offset, size, startAnew)
	}
	return nil
}

// check opens and verifies the file of a split that is to be gone on with.
func (d splitData) check(from position) error {
	f, err := d.openFile()
	if err != nil {
		return err
	}
	defer f.Close()
	return d.verify(f, from)
}

func (d splitData) openFile() (*os.File, error) {
	f, err := os.Open(d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, other("open %s: it was there when the pipeline began, and is gone; %s", d.Path, startAnew)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w%s", d.Path, reason(err), denied(err))
	}
	return f, nil
}
