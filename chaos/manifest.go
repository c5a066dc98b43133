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
	"strings"
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
	finished     bool
	settled      bool // and all of its output is shown
}

// pendingFile is a file of mode parts that is to get its final name.
type pendingFile struct{ staged, final string }

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
		return c, c.readManifest(state)
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
	f.list(func() { c.part(f, state) })
	f.list(func() { c.committable(f) })
	if f.err != nil {
		return fmt.Errorf("%s: %w", c.manifest, f.err)
	}
	return nil
}

// part reads a part: of a reader, how much it has read.
func (c *current) part(f *fields, state string) {
	const reader = 1
	kind := f.u8()
	f.text()
	f.u32()
	f.u8()
	data := f.text()
	var d struct{ Counts struct{ In int64 } }
	if kind == reader {
		if err := json.Unmarshal([]byte(data), &d); err != nil && f.err == nil {
			f.err = err
		}
		c.read += d.Counts.In
	}
	f.list(func() {
		c.segments = append(c.segments, filepath.Join(state, filepath.FromSlash(f.text())))
		f.i64()
		f.take(12)
	})
}

// committable reads what a sink has prepared.
func (c *current) committable(f *fields) {
	f.u8()
	f.text()
	f.u32()
	f.i64()
	var d struct {
		Mode, Root string
		Parts      []struct{ Staged, Final string }
	}
	if err := json.NewDecoder(strings.NewReader(f.text())).Decode(&d); err != nil && f.err == nil {
		f.err = err
	}
	for _, p := range d.Parts {
		c.pending = append(c.pending, pendingFile{filepath.Join(d.Root, p.Staged), filepath.Join(d.Root, p.Final)})
	}
}
