package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gpflow/gpflow"
)

// A segment is what one subtask saves of its keyed state for one checkpoint:
//
//	magic    "gpks"
//	version  one byte, 1
//	flags    one byte; 1: a delta; 2: it goes on with the segment before it, of
//	         which it is a further piece with entries that are not in that one
//	header   32 bits, little endian: the bytes before the first block
//	hash     text: gpflow.KeyHashName
//	number   of the segment; a delta's is greater than that of what it follows,
//	         and a further piece's is that of the piece before
//	groups   number of key groups of the pipeline
//	from to  the key groups of the subtask: from, up to but not including to
//	states   their number, and for each
//	           name, kind  text
//	           key, value  text: the schemas as JSON; "" is none
//	           version     signed
//	           dropped     number of panes that a delta drops, before its
//	                       entries are added; and the panes, signed
//	tables   their number, and for each
//	           state       its place in states
//	           pane        signed
//	           entries     number of entries in the segment
//	           keys        number of bytes of their keys
//	index    for each group from from to to: the bytes of its block
//	blocks   one for each group, in order; runs up to the block's end:
//	           table       its place in tables, ascending within the block
//	           entries     their number, and for each, in order of insertion,
//	                       key    text: as gpflow.Keyer writes it
//	                       row    the values, one for each column of the state
//
// Numbers are uvarints where nothing else is said, signed ones in zigzag, and a
// text is its length and its bytes. Values are described in codec.go. The group
// of a key is that of its hash. A checksum is the business of whoever stores the
// segment.
const (
	magic         = "gpks"
	formatVersion = 1
	flagDelta     = 1
	flagMore      = 2
	fixedHeader   = 4 + 2 + 4 // the magic, version and flags, header
)

// segment is a segment's header, and where its blocks are.
type segment struct {
	delta            bool
	more             bool // a further piece
	number           uint64
	groups, from, to int
	states           []savedState
	tables           []savedTable
	blocks
}

type savedState struct {
	name, kind, key, value string
	version                int64
	dropped                []gpflow.Timestamp
}

type savedTable struct {
	state         int
	pane          gpflow.Timestamp
	entries, keys int
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendSigned(dst []byte, n int64) []byte { return binary.AppendUvarint(dst, zigzag(n)) }

// appendHeader appends everything before the blocks, whose sizes are given by
// group.
func (f *Frozen) appendHeader(dst []byte, more bool, tables []savedTable, sizes []int) ([]byte, error) {
	dst = append(dst, magic...)
	dst = append(dst, formatVersion, 0, 0, 0, 0, 0)
	if f.delta {
		dst[len(magic)+1] = flagDelta
	}
	if more {
		dst[len(magic)+1] |= flagMore
	}
	dst = appendText(dst, gpflow.KeyHashName)
	for _, n := range []uint64{f.number, uint64(f.groups), uint64(f.from), uint64(f.to), uint64(len(f.descs))} {
		dst = binary.AppendUvarint(dst, n)
	}
	for i, d := range f.descs {
		key, value, err := schemaTexts(d)
		if err != nil {
			return nil, err
		}
		for _, text := range []string{d.Name, d.Kind, key, value} {
			dst = appendText(dst, text)
		}
		dst = appendSigned(dst, int64(d.Version))
		dropped := f.dropped[i]
		if more {
			dropped = nil
		}
		dst = binary.AppendUvarint(dst, uint64(len(dropped)))
		for _, at := range dropped {
			dst = appendSigned(dst, int64(at))
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(tables)))
	for _, t := range tables {
		dst = binary.AppendUvarint(dst, uint64(t.state))
		dst = appendSigned(dst, int64(t.pane))
		dst = binary.AppendUvarint(dst, uint64(t.entries))
		dst = binary.AppendUvarint(dst, uint64(t.keys))
	}
	for _, n := range sizes {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	if uint64(len(dst)) > 1<<32-1 {
		return nil, errors.New("the header is larger than 4 GiB")
	}
	binary.LittleEndian.PutUint32(dst[fixedHeader-4:], uint32(len(dst)))
	return dst, nil
}

// schemaTexts returns the schemas of a state as a segment has them.
func schemaTexts(d gpflow.StateDescriptor) (key, value string, err error) {
	text := func(s *gpflow.Schema) string {
		if s == nil || err != nil {
			return ""
		}
		var b []byte
		b, err = json.Marshal(s)
		return string(b)
	}
	key, value = text(d.Key), text(d.Value)
	return key, value, err
}

// parse reads a segment but for its entries.
func parse(src *io.SectionReader) (*segment, error) {
	var fixed [fixedHeader]byte
	if err := readAt(src, fixed[:], 0); err != nil && !errors.Is(err, errShort) {
		return nil, err
	}
	if string(fixed[:len(magic)]) != magic {
		return nil, errors.New("it is not a segment of keyed state")
	}
	version, flags := fixed[len(magic)], fixed[len(magic)+1]
	if version != formatVersion {
		return nil, fmt.Errorf("its format has version %d, and this build reads version %d", version, formatVersion)
	}
	size := int64(binary.LittleEndian.Uint32(fixed[fixedHeader-4:]))
	if flags&^(flagDelta|flagMore) != 0 || size > src.Size() || size < fixedHeader {
		return nil, errors.New("its header is damaged")
	}
	header := make([]byte, size-fixedHeader)
	if err := readAt(src, header, fixedHeader); err != nil {
		return nil, err
	}
	s := &segment{delta: flags&flagDelta != 0, more: flags&flagMore != 0}
	r := &reader{b: header}
	if hash := r.text(); hash != gpflow.KeyHashName {
		r.fail(fmt.Errorf("its keys are hashed by %q, and this build's by %q", hash, gpflow.KeyHashName))
	}
	s.number = r.uvarint()
	groups, from, to := r.uvarint(), r.uvarint(), r.uvarint()
	if from >= to || to > groups || to-from > uint64(r.left()) || groups > 1<<31-1 {
		r.fail(errors.New("its range of key groups is damaged"))
		return nil, r.err
	}
	s.groups, s.from, s.to = int(groups), int(from), int(to)
	r.states(s)
	r.tables(s)
	r.index(s, src, size)
	if r.err == nil && r.left() > 0 {
		r.fail(errors.New("its header is longer than what it says"))
	}
	return s, r.err
}

func (r *reader) text() string { return string(r.bytes(r.count())) }

func (r *reader) signed() int64 { return unzigzag(r.uvarint()) }

func (r *reader) states(s *segment) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		st := savedState{name: r.text(), kind: r.text(), key: r.text(), value: r.text(), version: r.signed()}
		for n := r.count(); n > 0 && r.err == nil; n-- {
			st.dropped = append(st.dropped, gpflow.Timestamp(r.signed()))
		}
		if (!s.delta || s.more) && len(st.dropped) > 0 {
			r.fail(errors.New("it drops panes and is not the first piece of a delta"))
		}
		if slices.ContainsFunc(s.states, func(o savedState) bool { return o.name == st.name }) {
			r.fail(fmt.Errorf("state %q is in it twice", st.name))
		}
		s.states = append(s.states, st)
	}
}

func (r *reader) tables(s *segment) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		state, pane, entries, keys := r.uvarint(), r.signed(), r.uvarint(), r.uvarint()
		if state >= uint64(len(s.states)) || entries > 1<<32-1 || keys > 1<<56 {
			r.fail(errors.New("its list of tables is damaged"))
			return
		}
		s.tables = append(s.tables, savedTable{int(state), gpflow.Timestamp(pane), int(entries), int(keys)})
	}
}

// index finds the blocks of the groups, which follow the header.
func (r *reader) index(s *segment, src *io.SectionReader, header int64) {
	left, taken := src.Size()-header, int64(0)
	for _, t := range s.tables {
		if taken += int64(t.entries) + int64(t.keys); taken > left {
			r.fail(errShort)
			return
		}
	}
	s.blocks = blocks{src: src, first: s.from, ends: []int64{header}}
	at := header
	for g := s.from; g < s.to && r.err == nil; g++ {
		n := r.uvarint()
		if n > uint64(left) {
			r.fail(errShort)
			return
		}
		at, left = at+int64(n), left-int64(n)
		s.blocks.add(g, at)
	}
	if left > 0 {
		r.fail(errors.New("it is longer than its index says"))
	}
}
