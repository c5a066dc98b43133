package filesource

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

// damaged explains an error of reading.
func (in *input) damaged(err error) error {
	at := in.behind() - in.discard
	err = reason(err)
	switch {
	case in.compression == catalog.None:
		return fmt.Errorf("read %s at byte %d: %w", in.path, at, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("read %s: the %s data is cut short after byte %d of the content; get the whole file, or test it with `%s -t`",
			in.path, in.compression, at, in.compression)
	case at == 0 && (errors.Is(err, gzip.ErrHeader) || errors.Is(err, zstd.ErrMagicMismatch)):
		return fmt.Errorf("read %s: it does not begin as %s data does; get a sound file, or set compression = \"none\" if it is plain",
			in.path, in.compression)
	}
	return fmt.Errorf("read %s: the %s data is damaged after byte %d of the content: %w; get a sound file, or test it with `%s -t`",
		in.path, in.compression, at, err, in.compression)
}

// whole reports a plain file that ends before the place where it ended when the
// reading of it began. One that has grown is read to its end.
func (in *input) whole() error {
	if in.file == nil || in.left <= 0 {
		return nil
	}
	info, err := in.file.Stat()
	if err != nil {
		return in.damaged(err)
	}
	have := in.behind()
	if info.Size() >= have+in.left {
		return nil // a file whose size is not that of its content
	}
	return fmt.Errorf("read %s: it had %d bytes when the pipeline began, and ends behind byte %d now; it was cut while it was read: run the pipeline again when the file is complete",
		in.path, have+in.left, have)
}

// encoding reports text that begins as UTF-16 does.
func (in *input) encoding() error {
	if in.encoded || in.pos > 0 || in.off > 0 || len(in.arena) < 2 {
		return nil
	}
	in.encoded = true
	a, b := in.arena[0], in.arena[1]
	marked := a == 0xff && b == 0xfe || a == 0xfe && b == 0xff
	if !marked && (in.lines || (a == 0) == (b == 0)) {
		return nil
	}
	return fmt.Errorf("read %s: its text is UTF-16, and UTF-8 is read; convert it, as `iconv -f UTF-16 -t UTF-8` does", in.path)
}

// holdsBytes reports whether a column of s may be any bytes.
func holdsBytes(s *gpflow.Schema) bool {
	for _, c := range s.Columns {
		if c.Type.Kind == gpflow.KindBytes {
			return true
		}
	}
	return false
}
