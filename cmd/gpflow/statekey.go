package main

import (
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// keyFilter is the key that is looked for: for each column its value as text,
// or nil for any.
type keyFilter []*string

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
		f[i] = &value
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
	for i, want := range f {
		if want == nil {
			continue
		}
		if v := key[i]; v.Kind() == gpflow.KindString && v.Str() == *want {
			continue
		}
		if text := string(valueJSON(nil, key[i])); text != *want && strings.Trim(text, `"`) != *want {
			return false
		}
	}
	return true
}
