package gpflow

import (
	"encoding/json"
	"fmt"
)

type columnJSON struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type schemaJSON struct {
	Columns  []columnJSON `json:"columns"`
	Key      []string     `json:"key,omitempty"`
	Mode     string       `json:"mode,omitempty"` // omitted: append
	Timeless bool         `json:"timeless,omitempty"`
}

// MarshalJSON writes s with its types in the form of Type.String.
func (s *Schema) MarshalJSON() ([]byte, error) {
	j := schemaJSON{Columns: make([]columnJSON, len(s.Columns)), Key: s.Key, Timeless: s.Timeless}
	for i, c := range s.Columns {
		j.Columns[i] = columnJSON{c.Name, c.Type.String()}
	}
	if s.Mode != Append {
		j.Mode = s.Mode.String()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Schema) UnmarshalJSON(data []byte) error {
	var j schemaJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	s.Columns, s.Key, s.Timeless, s.Mode = make([]Column, len(j.Columns)), j.Key, j.Timeless, Append
	for i, c := range j.Columns {
		t, err := ParseType(c.Type)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		s.Columns[i] = Column{c.Name, t}
	}
	for _, m := range []Mode{Retract, Upsert} {
		if j.Mode == m.String() {
			s.Mode = m
		}
	}
	if j.Mode != "" && s.Mode == Append {
		return fmt.Errorf("unknown changelog mode %q", j.Mode)
	}
	return nil
}
