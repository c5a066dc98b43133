package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// keyFilter is the key that is looked for: for each column the values that are
// meant, or nil for any.
type keyFilter [][]gpflow.Value

// newKeyFilter reads what the user wants of a key of the columns in s, which is
// nil for a key of none.
func newKeyFilter(s *gpflow.Schema, wanted []string) (keyFilter, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	if s == nil || s.Width() == 0 {
		return nil, fmt.Errorf("its entries have no key, so that --key %s can find none", wanted[0])
	}
	f := make(keyFilter, s.Width())
	for _, text := range wanted {
		i, value, err := keyColumn(s, text)
		if err != nil {
			return nil, err
		}
		if f[i] != nil {
			return nil, fmt.Errorf("--key names %s twice", s.Columns[i].Name)
		}
		if f[i] = valuesOf(s.Columns[i].Type.Kind, value); f[i] == nil {
			return nil, fmt.Errorf("--key: %s is %s, and %q is none; write one as state show does", s.Columns[i].Name, s.Columns[i].Type, value)
		}
	}
	return f, nil
}

// keyColumn splits "name=value" where that begins with a column's name; where
// there is one column only, the name may be left out.
func keyColumn(s *gpflow.Schema, text string) (column int, value string, err error) {
	name, value, named := strings.Cut(text, "=")
	if named {
		if i := s.Index(name); i >= 0 {
			return i, value, nil
		}
	}
	if s.Width() == 1 {
		return 0, text, nil
	}
	columns := strings.Join(s.Names(), ", ")
	if !named {
		return 0, "", fmt.Errorf("the key has the columns %s: write --key %s=%s", columns, s.Columns[0].Name, text)
	}
	if near := diag.Suggest(name, s.Names()); near != "" {
		return 0, "", fmt.Errorf("the key has no column %q; did you mean %s?", name, near)
	}
	return 0, "", fmt.Errorf("the key has no column %q; it has %s", name, columns)
}

func (f keyFilter) match(key []gpflow.Value) bool {
	for i, meant := range f {
		if meant != nil && !slices.ContainsFunc(meant, func(v gpflow.Value) bool { return gpflow.Equal(v, key[i]) }) {
			return false
		}
	}
	return true
}

// mostCandidates is how many keys are looked for at most.
const mostCandidates = 64

// candidates returns the keys, in their canonical bytes, of which one is what is
// looked for; false: it is not known which, or there are too many.
func (f keyFilter) candidates() (keys [][]byte, ok bool) {
	if f == nil {
		return nil, false
	}
	keys = [][]byte{nil}
	for _, meant := range f {
		if meant == nil {
			return nil, false
		}
		var longer [][]byte
		for _, v := range meant {
			for _, k := range keys {
				longer = append(longer, gpflow.AppendKey(k[:len(k):len(k)], v))
			}
		}
		if keys = longer; len(keys) > mostCandidates {
			return nil, false
		}
	}
	return keys, true
}

// valuesOf returns the values of a kind, and null, that a text means: a string as
// it is or in the form of JSON, anything else as JSON has it, with its quotes or
// without. There being none is nil.
func valuesOf(k gpflow.Kind, text string) (all []gpflow.Value) {
	if text == "null" {
		all = append(all, gpflow.Null)
	}
	plain := strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
	switch k {
	case gpflow.KindString:
		all = append(all, gpflow.String(text))
		for _, quoted := range []string{text, `"` + text + `"`} {
			var s string
			if json.Unmarshal([]byte(quoted), &s) == nil && s != text {
				all = append(all, gpflow.String(s))
			}
		}
	case gpflow.KindBool:
		if text == "true" || text == "false" {
			all = append(all, gpflow.Bool(text == "true"))
		}
	case gpflow.KindInt:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			all = append(all, gpflow.Int(n))
		}
	case gpflow.KindBytes:
		if b, err := base64.StdEncoding.DecodeString(plain); err == nil {
			all = append(all, gpflow.Bytes(b))
		}
	case gpflow.KindTimestamp:
		if t, err := gpflow.ParseTime(plain); err == nil {
			all = append(all, gpflow.Time(t))
		}
	case gpflow.KindDuration:
		if d, err := gpflow.ParseDuration(plain); err == nil {
			all = append(all, gpflow.Span(d))
		}
	}
	return all
}
