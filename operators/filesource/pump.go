package filesource

import (
	"errors"
	"io"
	"os"
	"time"
)

// errNotReady says that a stream has nothing to be read now.
var errNotReady = errors.New("nothing to be read yet")

// pump reads a stream, such as standard input, in a goroutine of its own, so
// that its Read never blocks: it returns errNotReady, and wake is called when
// there is something.
type pump struct {
	full  chan piece
	free  chan []byte
	stop  chan struct{}
	ended chan struct{}
	file  chan *os.File // of one: the open file
	cur   []byte        // unread
	buf   []byte        // that cur is part of
	err   error
}

// piece is what one read came to.
type piece struct {
	buf []byte
	n   int
	err error
}

const pumpBuffers = 2

func startPump(d splitData, stdinFile *os.File, wake func()) *pump {
	p := &pump{
		full: make(chan piece, pumpBuffers), free: make(chan []byte, pumpBuffers),
		stop: make(chan struct{}), ended: make(chan struct{}), file: make(chan *os.File, 1),
	}
	for range pumpBuffers {
		p.free <- make([]byte, chunk/4)
	}
	go p.run(d, stdinFile, wake)
	return p
}

// run reads until the stream ends or fails, or the pump is stopped.
func (p *pump) run(d splitData, stdinFile *os.File, wake func()) {
	defer close(p.ended)
	src, err := p.open(d, stdinFile)
	if err != nil {
		p.full <- piece{err: err}
		wake()
		return
	}
	defer src.Close()
	for !p.stopped() {
		var buf []byte
		select {
		case <-p.stop:
			return
		case buf = <-p.free:
		}
		n, err := src.Read(buf)
		p.full <- piece{buf, n, err} // there is room: one slot a buffer
		wake()
		if err != nil {
			return
		}
	}
}

func (p *pump) stopped() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

func (p *pump) open(d splitData, stdinFile *os.File) (io.ReadCloser, error) {
	f := stdinFile
	if d.Path != stdin {
		var err error
		if f, err = os.Open(d.Path); err != nil {
			return nil, err
		}
	} else if own := reopen(f); own != nil {
		f = own
	}
	p.file <- f
	r, err := decompress(f, d.Compression)
	if err != nil {
		return nil, errors.Join(err, closeUnless(f, stdinFile))
	}
	return closeBoth{r, f, stdinFile}, nil
}

// closeBoth closes a decompressor, and the file below it unless that is keep.
type closeBoth struct {
	io.ReadCloser
	file, keep *os.File
}

func (c closeBoth) Close() error {
	return errors.Join(c.ReadCloser.Close(), closeUnless(c.file, c.keep))
}

func closeUnless(f, keep *os.File) error {
	if f == keep {
		return nil
	}
	return f.Close()
}

// reopen opens the pipe or terminal behind standard input anew, in a way that
// a read of it can be interrupted; nil where that is not possible.
func reopen(f *os.File) *os.File {
	info, err := f.Stat()
	if err != nil || f != os.Stdin || info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice) == 0 {
		return nil
	}
	own, err := os.Open("/dev/stdin")
	if err != nil {
		return nil
	}
	return own
}

// Read returns what has been read, errNotReady, or the stream's end or error.
func (p *pump) Read(b []byte) (int, error) {
	for len(p.cur) == 0 {
		if p.buf != nil {
			p.free <- p.buf
			p.buf = nil
		}
		if p.err != nil {
			return 0, p.err
		}
		select {
		case got := <-p.full:
			p.buf, p.cur, p.err = got.buf, got.buf[:got.n], got.err
		default:
			return 0, errNotReady
		}
	}
	n := copy(b, p.cur)
	p.cur = p.cur[n:]
	return n, nil
}

// Close ends the goroutine and waits for it. Where the system cannot interrupt
// what it waits for - a pipe that nobody has opened for writing, or a standard
// input that is neither pipe nor terminal - it ends by itself as soon as that
// comes back, and Close does not wait.
func (p *pump) Close() error {
	close(p.stop)
	select {
	case <-p.ended:
		return nil
	case f := <-p.file:
		info, err := f.Stat()
		plain := err == nil && info.Mode().IsRegular()
		if f.SetReadDeadline(time.Unix(1, 0)) == nil || plain {
			<-p.ended
		}
	default:
	}
	return nil
}
