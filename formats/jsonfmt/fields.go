package jsonfmt

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/timefmt"
)

// field is a name that a record may hold: a column, or an object with further
// fields in it.
type field struct {
	name string
	path string // from the root: "address.street"
	word string // the name as a JSON string, and a colon, as records mostly write it
	head uint64 // the first 8 bytes of word, as far as mask says
	mask uint64
	obj  *object
	slot int // of the row, or -1 where the column is not read
	typ  *typ
	// next is the field that followed this one in the last record.
	next *field
}

// newField returns a field that is no column or object yet.
func newField(name, path string) *field {
	f := &field{name: name, path: path, slot: -1, word: string(gpflow.AppendQuoted(nil, name)) + ":"}
	var head, mask [8]byte
	for i := range copy(head[:], f.word) {
		mask[i] = 0xff
	}
	f.head, f.mask = binary.LittleEndian.Uint64(head[:]), binary.LittleEndian.Uint64(mask[:])
	return f
}

// begins reports whether the word of f stands at rec[i].
func (f *field) begins(rec []byte, i int) bool {
	if i+8 > len(rec) || (binary.LittleEndian.Uint64(rec[i:])^f.head)&f.mask != 0 {
		return false
	}
	return len(f.word) <= 8 || hasWord(rec, i+8, f.word[8:])
}

// object is the set of fields of a record or of a nested one.
type object struct {
	fields []*field
	byName map[string]*field
	first  *field // of the last record
	slots  []int  // of the columns that are read, at any depth
}

// typ is the type of a column, or of the elements of a list or map.
type typ struct {
	kind     gpflow.Kind
	optional bool
	elem     *typ
	layout   *timefmt.Layout // of a timestamp
}

// anyType is the type of what a schema says nothing about.
var anyType = &typ{kind: gpflow.KindAny, optional: true, layout: new(timefmt.Layout)}

// newTyp compiles t. It refuses what JSON has no form for here.
func newTyp(t gpflow.Type) (*typ, error) {
	out := &typ{kind: t.Kind, optional: t.Optional}
	switch t.Kind {
	case gpflow.KindBool, gpflow.KindInt, gpflow.KindFloat, gpflow.KindString, gpflow.KindBytes,
		gpflow.KindDuration, gpflow.KindAny:
		return out, nil
	case gpflow.KindTimestamp:
		var err error
		out.layout, err = timefmt.Compile(t.Layout)
		return out, err
	case gpflow.KindList, gpflow.KindMap:
		if t.Elem == nil {
			return nil, fmt.Errorf("the type %s has no element type", t.Kind)
		}
		var err error
		out.elem, err = newTyp(*t.Elem)
		return out, err
	case gpflow.KindRecord:
		return nil, fmt.Errorf("a %s inside a list or map cannot be read or written as JSON; declare it as any", t.Kind)
	}
	return nil, fmt.Errorf("values of type %s cannot be read or written as JSON; declare float or string", t)
}

// Check says whether records with the columns of s can be read and written.
func Check(s *gpflow.Schema) error {
	_, err := newObject(s, s)
	return err
}

// newObject builds the tree of the columns declared, with the slots of those
// in read.
func newObject(declared, read *gpflow.Schema) (*object, error) {
	root := &object{byName: map[string]*field{}}
	for _, c := range declared.Columns {
		t, err := newTyp(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		if err := root.add(c.Name, t, read.Index(c.Name)); err != nil {
			return nil, err
		}
	}
	for _, c := range read.Columns {
		if declared.Index(c.Name) < 0 {
			return nil, fmt.Errorf("column %s is to be read but is not declared", c.Name)
		}
	}
	return root, nil
}

// add puts a column in its place below o.
func (o *object) add(path string, t *typ, slot int) error {
	names := strings.Split(path, ".")
	for i, name := range names {
		if slot >= 0 {
			o.slots = append(o.slots, slot)
		}
		f, last := o.byName[name], i == len(names)-1
		switch {
		case f == nil:
		case last && f.obj == nil:
			return fmt.Errorf("there are two columns %s; rename one", path)
		case last || f.obj == nil:
			return fmt.Errorf("column %s cannot be a value and an object with columns in it; rename one", f.path)
		}
		if f == nil {
			f = newField(name, strings.Join(names[:i+1], "."))
			o.fields = append(o.fields, f)
			o.byName[name] = f
			if !last {
				f.obj = &object{byName: map[string]*field{}}
			}
		}
		if last {
			f.slot, f.typ = slot, t
		}
		o = f.obj
	}
	return nil
}
