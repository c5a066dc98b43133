//go:build !linux

package filesource

import (
	"context"
	"time"
)

// watch is none: the system tells nobody of files that appear.
type watch struct{}

func newWatch([]string) *watch { return nil }

func (*watch) wait(ctx context.Context, d time.Duration) error { return pause(ctx, d) }

func (*watch) close() error { return nil }
