package filesink

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/gpflow/gpflow/formats/catalog"
	"github.com/gpflow/gpflow/internal/failpoint"
)

// output is a staged file that is appended to. It can be cut wherever it was
// flushed, and gone on with there: what is compressed is a row of members of
// gzip, or frames of Zstandard, that are each complete.
type output struct {
	disk   *disk
	path   string
	pack   *packer
	file   *os.File
	buf    []byte // encoded, and not yet in the file
	limit  int    // bytes of buf from which on it is flushed
	length int64  // bytes of the file
	sum    uint32 // CRC-32C of them
}

// create makes the file, or takes one that is there, and leaves it as it is.
func (o *output) create(flag int) (err error) {
	if err := o.disk.step("create", o.path); err != nil {
		return err
	}
	o.file, err = os.OpenFile(o.path, os.O_WRONLY|flag, 0o666)
	return err
}

// flush writes out what is buffered. After an error the file is as it was, and
// what is buffered still is; but where that could not be brought about, the error
// is a torn one.
func (o *output) flush() error {
	if len(o.buf) == 0 {
		return nil
	}
	if err := o.write(o.buf); err != nil {
		return err
	}
	o.buf = o.buf[:0]
	return nil
}

func (o *output) write(data []byte) error {
	packed, err := o.pack.frame(data)
	if err != nil {
		return err
	}
	n, err := o.disk.write(o.file, packed)
	if err == nil {
		o.length += int64(n)
		o.sum = crc32.Update(o.sum, castagnoli, packed)
		return nil
	}
	if n == 0 || o.disk.bug == noTakingBack {
		return err
	}
	if back := o.disk.truncate(o.file, o.length); back != nil {
		return torn{errors.Join(err, back)}
	}
	if _, back := o.file.Seek(o.length, io.SeekStart); back != nil {
		return torn{errors.Join(err, back)}
	}
	return err
}

// sync makes everything durable that was written.
func (o *output) sync() error {
	if err := o.flush(); err != nil {
		return err
	}
	failpoint.Here("staged-written")
	if err := o.disk.sync(o.file); err != nil {
		return err
	}
	failpoint.Here("staged-synced")
	return nil
}

// written returns the checksum of what is in the file.
func (o *output) written() *uint32 {
	sum := o.sum
	return &sum
}

// finish completes the file, and makes it durable. Compressed data is never
// nothing at all: no records are an empty frame.
func (o *output) finish() error {
	if o.length == 0 && len(o.buf) == 0 && o.pack.kind != catalog.None {
		if err := o.write(nil); err != nil {
			return err
		}
	}
	return o.sync()
}

// cut takes the file back to a length, behind which it is gone on with.
func (o *output) cut(length int64) error {
	if o.disk.bug != noTruncate {
		if err := o.disk.truncate(o.file, length); err != nil {
			return err
		}
	}
	at, err := o.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	o.length, o.buf = at, o.buf[:0]
	if err := o.disk.sync(o.file); err != nil {
		return err
	}
	failpoint.Here("staged-resumed")
	return nil
}

// resume opens the file as it was at a checkpoint, when it had the given length and
// checksum, nil where that is not known.
// Where its name then was another, because the job has another identity now,
// its content is copied: whoever had it may go on with it.
func (o *output) resume(then string, length int64, written *uint32) error {
	info, err := os.Stat(then)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the staged file %s is gone, and with it the first %d bytes of the output; %s", then, length, afresh)
	case err != nil:
		return err
	case info.Size() < length:
		return fmt.Errorf("the staged file %s has %d bytes, and had %d at the checkpoint; what is missing cannot be made again from there; %s",
			then, info.Size(), length, afresh)
	}
	if o.sum, err = unchanged(then, length, written); err != nil {
		return err
	}
	if o.file == nil {
		if err := o.create(os.O_CREATE); err != nil {
			return err
		}
	}
	if then != o.path {
		if err := o.copy(then, length); err != nil {
			return err
		}
	}
	return o.cut(length)
}

const afresh = "put it back, or start the pipeline from its beginning with --fresh"

func (o *output) copy(from string, length int64) error {
	if err := o.disk.truncate(o.file, 0); err != nil {
		return err
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	if err := o.disk.step("write", o.path); err != nil {
		return err
	}
	_, err = io.CopyN(o.file, f, length)
	return err
}

// packer compresses. It is shared by the outputs of a sink.
type packer struct {
	kind string
	gzip *gzip.Writer
	zstd *zstd.Encoder
	buf  bytes.Buffer
	out  []byte
}

func newPacker(compression string) (*packer, error) {
	p := &packer{kind: compression}
	var err error
	switch compression {
	case catalog.Gzip:
		p.gzip = gzip.NewWriter(&p.buf)
	case catalog.Zstd:
		p.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true))
	}
	return p, err
}

// frame returns data as one complete piece of what a file consists of, which is
// valid until the next call.
func (p *packer) frame(data []byte) ([]byte, error) {
	switch p.kind {
	case catalog.Gzip:
		p.buf.Reset()
		p.gzip.Reset(&p.buf)
		if _, err := p.gzip.Write(data); err != nil {
			return nil, err
		}
		if err := p.gzip.Close(); err != nil {
			return nil, err
		}
		return p.buf.Bytes(), nil
	case catalog.Zstd:
		p.out = p.zstd.EncodeAll(data, p.out[:0])
		return p.out, nil
	}
	return data, nil
}

func (p *packer) close() {
	if p.zstd != nil {
		_ = p.zstd.Close() // it has written everything, and holds memory only
	}
}
