package filesink

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

// Write encodes the rows of b into the buffers of their partitions.
func (s *parts) Write(ctx context.Context, b *gpflow.Batch, fail func(int, error) error) error {
	if s.failure.err != nil {
		return s.failure.err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	for i := range b.N {
		row := b.Row(i)
		p, err := s.part(row)
		if err == nil {
			p.buf, err = s.enc.Append(p.buf, row)
		}
		if err != nil {
			if err := fail(i, err); err != nil {
				return err
			}
			continue
		}
		p.rows++
		switch {
		case s.roll.size > 0 && s.full(p):
			s.seal(p)
		case len(p.buf) >= p.limit && !p.due:
			p.due = true
			s.due = append(s.due, p)
		}
	}
	return nil
}

// full reports whether p has the size at which it is complete. What is to be
// compressed counts when it has been.
func (s *parts) full(p *part) bool {
	if s.pack.kind != catalog.None {
		return p.length >= s.roll.size
	}
	return p.length+int64(len(p.buf)) >= s.roll.size
}

// part returns the file that a row goes to. An error is the row's own.
func (s *parts) part(row []gpflow.Value) (*part, error) {
	var err error
	if s.key, err = s.path.append(s.key[:0], row); err != nil {
		return nil, err
	}
	if s.last != nil && s.last.partition == string(s.key) {
		return s.last, nil
	}
	p := s.open[string(s.key)]
	if p == nil {
		p = s.begin(string(s.key))
	}
	s.tick++
	p.used, s.last = s.tick, p
	return p, nil
}

// begin adds the file of a partition, which is made when something is written.
func (s *parts) begin(partition string) *part {
	p := &part{name: s.name(s.next), partition: partition, opened: s.now()}
	p.output = s.output(filepath.Join(s.dir, p.name))
	s.next++
	p.buf = s.enc.Begin(p.buf)
	s.open[partition] = p
	return p
}

func (s *parts) output(path string) output {
	o := output{disk: s.disk, path: path, pack: s.pack, limit: flushSize}
	switch partitioned, packed := len(s.path.steps) > 0, s.pack.kind != catalog.None; {
	case partitioned && packed:
		o.limit = frameSizePartition
	case partitioned:
		o.limit = flushSizePartition
	case packed:
		o.limit = frameSize
	}
	if n := len(s.spare); n > 0 {
		o.buf, s.spare = s.spare[n-1][:0], s.spare[:n-1]
	}
	return o
}

// seal takes a file from those that are written to: it is complete.
func (s *parts) seal(p *part) {
	delete(s.open, p.partition)
	if s.last == p {
		s.last = nil
	}
	s.sealed = append(s.sealed, p)
}

// settle writes out what the batches before have left: files that are complete,
// by now or because there are too many, and buffers that are full. What it has
// done when it fails need not be done again.
func (s *parts) settle(ctx context.Context) error {
	s.sealOld()
	s.sealMany()
	if len(s.sealed) == 0 && len(s.due) == 0 {
		return nil
	}
	for ; len(s.due) > 0; s.due = slices.Delete(s.due, 0, 1) {
		p := s.due[0]
		if s.open[p.partition] != p {
			continue // it is sealed
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.flush(p); err != nil {
			return err
		}
		if p.due = false; s.roll.size > 0 && s.full(p) {
			s.seal(p)
		}
	}
	for ; len(s.sealed) > 0; s.sealed = slices.Delete(s.sealed, 0, 1) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.complete(s.sealed[0]); err != nil {
			return err
		}
	}
	return nil
}

// sealOld seals the files whose time has come.
func (s *parts) sealOld() {
	if s.roll.every == 0 {
		return
	}
	now := s.now()
	for _, p := range s.inOrder() {
		if now.Sub(p.opened) >= s.roll.every {
			s.seal(p)
		}
	}
}

// sealMany seals the files that were written to the longest ago, where there are
// more than may be open.
func (s *parts) sealMany() {
	over := len(s.open) - s.max
	if over <= 0 {
		return
	}
	all := s.inOrder()
	slices.SortStableFunc(all, func(a, b *part) int { return cmp.Compare(a.used, b.used) })
	for _, p := range all[:over] {
		s.seal(p)
	}
}

// flush writes out what is buffered for p, into a file that it makes if need be.
// The directory in which it will appear is made too, so that an error of that
// comes before anything is promised.
func (s *parts) flush(p *part) error {
	if p.file == nil {
		dir := filepath.Join(s.root, p.partition)
		if err := s.disk.makeDir(dir); err != nil {
			return s.failed("make the directory "+dir, err)
		}
		if err := p.create(os.O_CREATE | os.O_EXCL); err != nil {
			return s.unwritable(p, err)
		}
		s.made = true
	}
	if err := p.flush(); err != nil {
		return s.unwritable(p, err)
	}
	return nil
}

func (s *parts) unwritable(p *part, err error) error {
	return s.failed("stage "+p.path, err)
}

// complete makes a sealed file durable. One without records is none.
func (s *parts) complete(p *part) error {
	if p.rows > 0 {
		if err := s.flush(p); err != nil {
			return err
		}
		if err := p.finish(); err != nil {
			return s.unwritable(p, err)
		}
		s.pending = append(s.pending, pendingPart{
			Staged: s.below(p.path), Final: filepath.Join(p.partition, p.name), Size: p.length, Sum: p.written(), own: true,
		})
	}
	if p.file != nil {
		_ = p.file.Close() // it is durable
		p.file = nil
	}
	s.spare = append(s.spare, p.buf)
	return nil
}

// inOrder returns the open parts in the order in which they were begun.
func (s *parts) inOrder() []*part {
	if len(s.open) == 0 {
		return nil
	}
	all := make([]*part, 0, len(s.open))
	for _, p := range s.open {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *part) int { return strings.Compare(a.name, b.name) })
	return all
}
