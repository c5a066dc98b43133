package gpflow

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Config is the decoded configuration of a node: canonical values, defaults
// applied, units normalised. What a field's value is in Go depends on its
// FieldKind, as listed there. A Config is immutable.
type Config struct {
	fields []Field
	vals   map[string]any
}

// NewConfig returns the configuration with the given values, by field name,
// and the defaults of fields for the rest. It trusts the values' types.
func NewConfig(fields []Field, vals map[string]any) Config {
	c := Config{fields, make(map[string]any, len(fields))}
	for _, f := range fields {
		if v, ok := vals[f.Name]; ok && v != nil {
			c.vals[f.Name] = v
		} else if f.Default != nil {
			c.vals[f.Name] = f.Default
		}
	}
	return c
}

// NamedExpr is one entry of an expression map, in the order of the spec.
type NamedExpr struct {
	Name string `json:"name"`
	Expr string `json:"expr"`
}

// Pair is one entry of a string map, in the order of the spec.
type Pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Has reports whether the field was given or has a default.
func (c Config) Has(name string) bool { _, ok := c.vals[name]; return ok }

// Get returns the field's value, or nil.
func (c Config) Get(name string) any { return c.vals[name] }

func get[T any](c Config, name string) T {
	v, _ := c.vals[name].(T)
	return v
}

// String returns a string, expression, enum or secret field; "" if absent.
func (c Config) String(name string) string { return get[string](c, name) }

// Int returns an int or size field; 0 if absent.
func (c Config) Int(name string) int64 { return get[int64](c, name) }

// Float returns a float field; 0 if absent.
func (c Config) Float(name string) float64 { return get[float64](c, name) }

// Bool returns a bool field; false if absent.
func (c Config) Bool(name string) bool { return get[bool](c, name) }

// Duration returns a duration field; 0 if absent.
func (c Config) Duration(name string) Duration { return get[Duration](c, name) }

// Strings returns a list field; nil if absent.
func (c Config) Strings(name string) []string { return get[[]string](c, name) }

// Pairs returns a map field; nil if absent.
func (c Config) Pairs(name string) []Pair { return get[[]Pair](c, name) }

// Exprs returns an expression-map or aggregates field; nil if absent.
func (c Config) Exprs(name string) []NamedExpr { return get[[]NamedExpr](c, name) }

// Schema returns a schema field; nil if absent.
func (c Config) Schema(name string) *Schema { return get[*Schema](c, name) }

// Block returns a nested block; ok is false, and the block empty, if absent.
func (c Config) Block(name string) (block Config, ok bool) {
	block, ok = c.vals[name].(Config)
	return block, ok
}

// Blocks returns the blocks of a field that may repeat.
func (c Config) Blocks(name string) []Config { return get[[]Config](c, name) }

// MarshalJSON writes the values in the order of the descriptor's fields, so
// that equal configurations have equal bytes.
func (c Config) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, f := range c.fields {
		v, ok := c.vals[f.Name]
		if !ok {
			continue
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", f.Name, raw)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// DecodeConfig reads what MarshalJSON wrote for the same fields. A value whose
// field is unknown, or of another kind, is an error.
func DecodeConfig(fields []Field, data []byte) (Config, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return Config{}, err
	}
	c := Config{fields, make(map[string]any, len(raw))}
	for _, f := range fields {
		r, ok := raw[f.Name]
		if !ok {
			continue
		}
		delete(raw, f.Name)
		v, err := f.decode(r)
		if err != nil {
			return Config{}, fmt.Errorf("field %s: %w", f.Name, err)
		}
		c.vals[f.Name] = v
	}
	for name := range raw {
		return Config{}, fmt.Errorf("unknown field %s", name)
	}
	return c, nil
}

func decodeAs[T any](raw json.RawMessage) (any, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}

func (f Field) decode(raw json.RawMessage) (any, error) {
	switch f.Kind {
	case FieldInt, FieldSize:
		return decodeAs[int64](raw)
	case FieldFloat:
		return decodeAs[float64](raw)
	case FieldBool:
		return decodeAs[bool](raw)
	case FieldDuration:
		return decodeAs[Duration](raw)
	case FieldList, FieldColumns:
		return decodeAs[[]string](raw)
	case FieldMap:
		return decodeAs[[]Pair](raw)
	case FieldExprMap, FieldAggregates:
		return decodeAs[[]NamedExpr](raw)
	case FieldSchema:
		return decodeAs[*Schema](raw)
	case FieldBlock:
		if !f.Many {
			return DecodeConfig(f.Fields, raw)
		}
		var raws []json.RawMessage
		if err := json.Unmarshal(raw, &raws); err != nil {
			return nil, err
		}
		blocks := make([]Config, len(raws))
		for i, r := range raws {
			b, err := DecodeConfig(f.Fields, r)
			if err != nil {
				return nil, err
			}
			blocks[i] = b
		}
		return blocks, nil
	}
	return decodeAs[string](raw)
}
