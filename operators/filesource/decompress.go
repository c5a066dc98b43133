package filesource

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/gpflow/gpflow/formats/catalog"
)

// maxWindow bounds the memory that a compressed file can ask for, in bytes; it
// is the limit of the command zstd.
const maxWindow = 128 << 20

// gzipMagic is what gzip data begins with.
const gzipMagic = "\x1f\x8b"

// decompress returns the content of r. A file of no bytes is no compressed
// file, and is said to be cut short.
func decompress(r io.Reader, compression string) (io.ReadCloser, error) {
	if compression == catalog.None {
		return io.NopCloser(r), nil
	}
	buf := bufio.NewReaderSize(r, 64<<10)
	if _, err := buf.Peek(1); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch compression {
	case catalog.Gzip:
		if head, _ := buf.Peek(len(gzipMagic)); !strings.HasPrefix(gzipMagic, string(head)) {
			return nil, gzip.ErrHeader // not "cut short", however short it is
		}
		return gzip.NewReader(buf)
	case catalog.Zstd:
		d, err := zstd.NewReader(buf, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("unknown compression %q", compression)
}
