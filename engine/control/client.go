package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
)

// Ask asks the process that runs the pipeline with the given state directory,
// and waits for the answer until ctx is done. The error is a *NotRunning where
// there is none; what the process could not do is the answer's Error.
func Ask(ctx context.Context, dir string, r Request) (Answer, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", address(dir))
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EINVAL): // the last: too long for a socket
		return Answer{}, &NotRunning{dir, err}
	case err != nil:
		return Answer{}, fmt.Errorf("ask the pipeline that runs in %s: %w", dir, err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	a, err := converse(c, r)
	switch {
	case ctx.Err() != nil:
		return Answer{}, fmt.Errorf("ask the pipeline that runs in %s: %w", dir, context.Cause(ctx))
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Answer{}, fmt.Errorf("the process that runs the pipeline in %s is gone without an answer; run gpflow status to see what there is to go on from", dir)
	case err != nil:
		return Answer{}, fmt.Errorf("ask the pipeline that runs in %s: %w", dir, err)
	}
	return a, nil
}

func converse(c net.Conn, r Request) (a Answer, err error) {
	question, err := json.Marshal(r)
	if err != nil {
		return a, err
	}
	if _, err := c.Write(append(question, '\n')); err != nil {
		return a, err
	}
	line, err := bufio.NewReader(c).ReadBytes('\n')
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(line, &a)
}
