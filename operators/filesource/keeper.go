package filesource

import "github.com/gpflow/gpflow"

// keeper gives the strings of a row memory of their own, so that what they were
// decoded from can be overwritten: mostly they are a small part of it.
type keeper struct {
	slots []int  // of the columns that may be strings or bytes
	free  []byte // of a chunk that is never written twice
}

// textChunk is the size of a chunk, in bytes, where no row has more.
const textChunk = 64 << 10

// newKeeper returns the keeper of rows of s. nested says that there are other
// columns that can point to memory.
func newKeeper(s *gpflow.Schema) (k keeper, nested bool) {
	for i, c := range s.Columns {
		switch c.Type.Kind {
		case gpflow.KindBool, gpflow.KindInt, gpflow.KindFloat, gpflow.KindTimestamp, gpflow.KindDuration:
		case gpflow.KindString, gpflow.KindBytes:
			k.slots = append(k.slots, i)
		default:
			nested = true
		}
	}
	return k, nested
}

// size returns the bytes of the strings of row.
func (k *keeper) size(row []gpflow.Value) (n int) {
	for _, s := range k.slots {
		n += len(row[s].Bytes()) // none of null
	}
	return n
}

// own copies the strings of row, which have size bytes.
func (k *keeper) own(row []gpflow.Value, size int) {
	if size > len(k.free) {
		k.free = make([]byte, max(size, textChunk))
	}
	for _, s := range k.slots {
		v := &row[s]
		n := copy(k.free, v.Bytes())
		if n == 0 {
			continue
		}
		if v.Kind() == gpflow.KindString {
			*v = gpflow.StringOf(k.free[:n:n])
		} else {
			*v = gpflow.Bytes(k.free[:n:n])
		}
		k.free = k.free[n:]
	}
}
