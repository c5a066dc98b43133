package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// current is what the current checkpoint says, read by
// docs/reference/checkpoint-format.md.
type current struct {
	id           int64 // 0: there is none
	read         int64 // rows that the source had read
	note, sealed string
	manifest     string
	segments     []string
	pending      []pendingFile // output that may not be shown yet
	staged       []stagedFile  // output that is gone on with
	finished     bool
	settled      bool // and all of its output is shown

	parts    []part
	prepared []string // what sinks have prepared, which is their own
}

// part is a part of the job.
type part struct {
	kind int
	data string // its own
}

// The kinds of parts.
const (
	readerPart = 1
	writerPart = 3
)

// pendingFile is a file of mode parts that is to get its final name.
type pendingFile struct{ staged, final string }

// stagedFile is a file of mode parts that is being written.
type stagedFile struct {
	path   string
	length int64 // at the checkpoint
}

// fields reads what a format of checkpoints consists of. After the end, it
// returns zeroes and has an error.
type fields struct {
	b   []byte
	err error
}

func (f *fields) take(n int) []byte {
	if f.err == nil && n > len(f.b) {
		f.err = fmt.Errorf("%d bytes are wanted, and %d left", n, len(f.b))
	}
	if f.err != nil {
		return make([]byte, min(n, 16))
	}
	out := f.b[:n]
	f.b = f.b[n:]
	return out
}

func (f *fields) u8() int      { return int(f.take(1)[0]) }
func (f *fields) u32() int     { return int(binary.LittleEndian.Uint32(f.take(4))) }
func (f *fields) i64() int64   { return int64(binary.LittleEndian.Uint64(f.take(8))) }
func (f *fields) text() string { return string(f.take(f.u32())) }

// list reads a list, whose elements each reads.
func (f *fields) list(each func()) {
	for n := f.u32(); n > 0 && f.err == nil; n-- {
		each()
	}
}

func (f *fields) split() { f.text(); f.text() }

// body returns what is between the beginning and the checksum of an object.
func body(name, magic string) (*fields, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	const head, tail = 20, 12
	if len(b) < head+tail || string(b[:8]) != magic || int(binary.LittleEndian.Uint64(b[12:])) != len(b) {
		return nil, fmt.Errorf("%s does not begin as an object of its kind does", name)
	}
	sum := binary.LittleEndian.Uint32(b[len(b)-4:])
	if is := crc32.Checksum(b[:len(b)-tail], crc32.MakeTable(crc32.Castagnoli)); is != sum {
		return nil, fmt.Errorf("%s has the CRC-32C %08x, and says that it is %08x", name, is, sum)
	}
	return &fields{b: b[head : len(b)-tail]}, nil
}

// names returns the files of a directory, in order; none where there is no such.
func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []string
	for _, e := range entries {
		if e.Name()[0] != '.' {
			all = append(all, e.Name())
		}
	}
	return all, err
}

// readCurrent returns the current checkpoint in a state directory that nobody
// uses, or whose user is stopped.
func readCurrent(state string) (*current, error) {
	c := &current{}
	heads, err := names(filepath.Join(state, "head"))
	if err != nil || len(heads) == 0 {
		return c, err
	}
	f, err := body(filepath.Join(state, "head", heads[len(heads)-1]), "gpflowNT")
	if err != nil {
		return nil, err
	}
	f.u8()
	lineage := f.text()
	_, err = os.Stat(filepath.Join(state, "settled", lineage))
	c.settled = err == nil
	dir := filepath.Join(state, "lineages", lineage)
	log, err := names(filepath.Join(dir, "current"))
	if err != nil {
		return nil, err
	}
	for _, entry := range slices.Backward(log) {
		name := filepath.Join(dir, "current", entry)
		if f, err = body(name, "gpflowNT"); err != nil {
			return nil, err
		}
		const checkpoint = 4
		if f.u8() != checkpoint {
			continue
		}
		f.text()
		f.i64()
		f.i64()
		f.text()
		c.note, c.sealed, c.id = name, filepath.Join(dir, "sealed", entry), f.i64()
		c.manifest = filepath.Join(state, filepath.FromSlash(f.text()))
		if f.err != nil {
			return nil, fmt.Errorf("%s: %w", name, f.err)
		}
		if err := c.readManifest(state); err != nil {
			return nil, err
		}
		return c, c.understand()
	}
	return c, nil
}

// readManifest reads what the manifest has.
func (c *current) readManifest(state string) error {
	f, err := body(c.manifest, "gpflowMF")
	if err != nil {
		return err
	}
	f.i64() // semantics
	f.text()
	f.text()
	f.i64()
	if id := f.i64(); id != c.id {
		return fmt.Errorf("%s is of checkpoint %d, and the note is of %d", c.manifest, id, c.id)
	}
	f.i64() // time
	c.finished = f.text() == "finished"
	f.text()
	f.text()
	f.u32() // key groups
	f.text()
	f.list(func() { // sources
		f.text()
		f.u8()
		f.list(f.split)
		f.list(func() { f.text() })
		f.list(f.split)
	})
	f.list(func() { // parts
		p := part{kind: f.u8()}
		f.text()
		f.u32()
		f.u8()
		p.data = f.text()
		f.list(func() {
			c.segments = append(c.segments, filepath.Join(state, filepath.FromSlash(f.text())))
			f.i64()
			f.take(12)
		})
		c.parts = append(c.parts, p)
	})
	f.list(func() { // committables
		f.u8()
		f.text()
		f.u32()
		f.i64()
		c.prepared = append(c.prepared, f.text())
	})
	f.text() // the ledger
	if f.err == nil && len(f.b) > 0 {
		f.err = fmt.Errorf("%d bytes are left", len(f.b))
	}
	if f.err != nil {
		return fmt.Errorf("%s: %w", c.manifest, f.err)
	}
	return nil
}

// understand reads what the parts have written into the manifest: readers how
// much they have read, file sinks in mode parts what they have staged.
func (c *current) understand() error {
	for _, p := range c.parts {
		var d struct {
			Counts struct{ In int64 }
			State  []byte
		}
		if p.kind != readerPart && p.kind != writerPart || p.data == "" {
			continue
		}
		if err := json.Unmarshal([]byte(p.data), &d); err != nil {
			return fmt.Errorf("%s: %w in %q", c.manifest, err, p.data)
		}
		if p.kind == readerPart {
			c.read += d.Counts.In
		}
		if p.kind == readerPart || len(d.State) == 0 {
			continue
		}
		var s struct {
			Root string
			Open []struct {
				Staged string
				Length int64
			}
		}
		if err := json.Unmarshal(d.State, &s); err != nil {
			return fmt.Errorf("%s: %w in %q", c.manifest, err, d.State)
		}
		for _, o := range s.Open {
			c.staged = append(c.staged, stagedFile{filepath.Join(s.Root, o.Staged), o.Length})
		}
	}
	for _, text := range c.prepared {
		var d struct {
			Root  string
			Parts []struct{ Staged, Final string }
		}
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			return fmt.Errorf("%s: %w in %q", c.manifest, err, text)
		}
		for _, p := range d.Parts {
			c.pending = append(c.pending, pendingFile{filepath.Join(d.Root, p.Staged), filepath.Join(d.Root, p.Final)})
		}
	}
	return nil
}
