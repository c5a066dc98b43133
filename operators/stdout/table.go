package stdout

import (
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/gpflow/gpflow"
)

const (
	// measured is the number of rows whose cells make the first widths.
	measured = 512
	// maxWidth is the widest that a cell makes its column; wider ones stick out.
	maxWidth = 60
	// digits is how many digits behind the point a number has at most.
	digits = 4
)

// table lays rows out in columns.
type table struct {
	schema *gpflow.Schema
	widths []int // in characters
	right  []bool
	headed bool
	cell   []byte
	json   []byte // scratch of render
}

func newTable(s *gpflow.Schema) *table {
	t := &table{schema: s, widths: make([]int, s.Width()), right: make([]bool, s.Width())}
	for i, c := range s.Columns {
		t.widths[i] = utf8.RuneCountInString(c.Name)
		switch c.Type.Kind {
		case gpflow.KindInt, gpflow.KindFloat, gpflow.KindDecimal, gpflow.KindDuration:
			t.right[i] = true
		case gpflow.KindTimestamp:
			t.widths[i] = max(t.widths[i], len("2006-01-02T15:04:05Z"))
		}
	}
	return t
}

// begin writes the header, once the first rows have made the widths.
func (t *table) begin(dst []byte, b *gpflow.Batch) []byte {
	if t.headed || b.N == 0 {
		return dst
	}
	t.headed = true
	for i := range min(b.N, measured) {
		for c, v := range b.Row(i) {
			t.render(v)
			t.widen(c)
		}
	}
	for i, c := range t.schema.Columns {
		t.cell = append(t.cell[:0], c.Name...)
		dst = t.put(dst, i)
	}
	dst = append(dst, '\n')
	for i := range t.schema.Columns {
		t.cell = t.cell[:0]
		for range t.widths[i] {
			t.cell = append(t.cell, '-')
		}
		dst = t.put(dst, i)
	}
	return append(dst, '\n')
}

// Append appends a row. A table can show every value.
func (t *table) Append(dst []byte, row []gpflow.Value) ([]byte, error) {
	for i, v := range row {
		t.render(v)
		t.widen(i)
		dst = t.put(dst, i)
	}
	return append(dst, '\n'), nil
}

func (t *table) widen(i int) {
	t.widths[i] = max(t.widths[i], min(utf8.RuneCount(t.cell), maxWidth))
}

// put appends the cell as the i-th of its line.
func (t *table) put(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, "  "...)
	}
	pad := t.widths[i] - utf8.RuneCount(t.cell)
	if !t.right[i] {
		dst = append(dst, t.cell...)
		if i == len(t.widths)-1 {
			return dst
		}
	}
	for range pad {
		dst = append(dst, ' ')
	}
	if t.right[i] {
		dst = append(dst, t.cell...)
	}
	return dst
}

// render makes the cell of v.
func (t *table) render(v gpflow.Value) {
	t.cell = t.cell[:0]
	switch v.Kind() {
	case gpflow.KindNull:
		t.cell = append(t.cell, '-')
	case gpflow.KindString:
		t.cell = appendVisible(t.cell, v.Bytes())
	case gpflow.KindInt:
		t.cell = strconv.AppendInt(t.cell, v.Int(), 10)
	case gpflow.KindFloat:
		t.cell = appendNumber(t.cell, v.Float())
	case gpflow.KindTimestamp:
		t.cell = gpflow.AppendTime(t.cell, v.Time())
	case gpflow.KindDuration:
		t.cell = append(t.cell, v.Span().String()...)
	default:
		var err error
		if t.json, err = gpflow.AppendJSON(t.json[:0], v); err != nil {
			t.json = append(t.json[:0], err.Error()...)
		}
		t.cell = appendVisible(t.cell, t.json)
	}
}

// appendNumber appends f for reading: as it is where it is short, else rounded.
func appendNumber(dst []byte, f float64) []byte {
	if a := math.Abs(f); a >= 1e15 || a != 0 && a < 1e-3 {
		return strconv.AppendFloat(dst, f, 'g', digits+1, 64)
	}
	exact := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	rounded := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', digits, 64)
	if rounded-exact <= len(dst)-rounded {
		return dst[:rounded]
	}
	return append(dst[:exact], dst[rounded:]...)
}

// appendVisible appends text with each character that does not show, or that
// would act on a terminal, as an escape.
func appendVisible(dst, text []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		if unicode.IsPrint(r) {
			dst = utf8.AppendRune(dst, r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		dst = append(dst, quoted[1:len(quoted)-1]...)
	}
	return dst
}
