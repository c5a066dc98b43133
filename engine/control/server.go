package control

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// The limits of a question.
const (
	questionBytes = 64 << 10
	questionTime  = 10 * time.Second
)

// Handler answers requests. Any number of goroutines call it. It returns when
// ctx is done, which is when the server is closed.
type Handler func(ctx context.Context, r Request) Answer

// Server answers those who ask a running pipeline.
type Server struct {
	socket *socket
	handle Handler
	holder Holder
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	asked map[net.Conn]bool // true: it is being answered; guarded by mu
}

// Listen begins to answer in a state directory, whose lock the caller holds.
func Listen(dir string, h Handler) (*Server, error) {
	l, err := listen(dir)
	if err != nil {
		return nil, fmt.Errorf("make the control socket in %s: %w", dir, err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		socket: l, handle: h, cancel: cancel, asked: make(map[net.Conn]bool),
		holder: Holder{os.Getpid(), host, time.Now().Truncate(time.Second)},
	}
	s.wg.Go(func() { s.accept(ctx) })
	return s, nil
}

func (s *Server) accept(ctx context.Context) {
	for {
		c, err := s.socket.Accept()
		if err != nil {
			return // closed; or broken, and the pipeline goes on without
		}
		s.mu.Lock()
		over := ctx.Err() != nil || c.SetReadDeadline(time.Now().Add(questionTime)) != nil
		if !over {
			s.asked[c] = false
		}
		s.mu.Unlock()
		if over {
			c.Close()
			continue // closed, or that one is
		}
		s.wg.Go(func() { s.serve(ctx, c) })
	}
}

// serve answers one question.
func (s *Server) serve(ctx context.Context, c net.Conn) {
	defer func() {
		s.mu.Lock()
		delete(s.asked, c)
		s.mu.Unlock()
		c.Close()
	}()
	line, err := bufio.NewReader(io.LimitReader(c, questionBytes)).ReadBytes('\n')
	if err != nil {
		return // whoever asked is gone
	}
	s.mu.Lock()
	s.asked[c] = true
	s.mu.Unlock()
	var a Answer
	var r Request
	if err := json.Unmarshal(line, &r); err != nil {
		a.Error = fmt.Sprintf("the request is not understood: %v", err)
	} else {
		a = s.handle(ctx, r)
	}
	a.Holder = s.holder
	text, err := json.Marshal(a)
	if err != nil {
		text, err = json.Marshal(Answer{Error: fmt.Sprintf("the answer cannot be written: %v", err), Holder: s.holder})
	}
	if err == nil && c.SetWriteDeadline(time.Now().Add(questionTime)) == nil {
		_, _ = c.Write(append(text, '\n')) // whoever asked may be gone
	}
}

// Close removes the socket, ends the handlers, and waits until those who have
// asked are answered.
func (s *Server) Close() error {
	s.mu.Lock()
	s.cancel()
	for c, answering := range s.asked {
		if !answering {
			_ = c.SetReadDeadline(time.Now()) // it asks nothing any more
		}
	}
	s.mu.Unlock()
	err := s.socket.close()
	s.wg.Wait()
	return err
}
