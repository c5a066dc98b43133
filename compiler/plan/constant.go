package plan

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/gpflow/gpflow"
)

// EncodeConstants returns the plain form of the named constants of cs.
func EncodeConstants(cs gpflow.Constants, names []string) (map[string]Constant, error) {
	if len(names) == 0 {
		return nil, nil
	}
	out := make(map[string]Constant, len(names))
	for _, n := range names {
		c, ok := cs[n]
		if !ok {
			return nil, fmt.Errorf("constant %s does not exist", n)
		}
		raw, err := gpflow.AppendJSON(nil, c.Value)
		if err != nil {
			return nil, fmt.Errorf("constant %s: %w", n, err)
		}
		out[n] = Constant{c.Type.String(), raw}
	}
	return out, nil
}

// DecodeConstants reads what EncodeConstants wrote.
func DecodeConstants(cs map[string]Constant) (gpflow.Constants, error) {
	out := make(gpflow.Constants, len(cs))
	for n, c := range cs {
		t, err := gpflow.ParseType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("constant %s: %w", n, err)
		}
		d := json.NewDecoder(strings.NewReader(string(c.Value)))
		d.UseNumber()
		var x any
		if err := d.Decode(&x); err != nil {
			return nil, fmt.Errorf("constant %s: %w", n, err)
		}
		v, err := constantValue(t, x)
		if err != nil {
			return nil, fmt.Errorf("constant %s: %w", n, err)
		}
		out[n] = gpflow.Constant{Type: t, Value: v}
	}
	return out, nil
}

// constantValue makes a value of type t out of decoded JSON.
func constantValue(t gpflow.Type, x any) (gpflow.Value, error) {
	switch x := x.(type) {
	case nil:
		return gpflow.Null, nil
	case bool:
		return gpflow.Bool(x), nil
	case json.Number:
		if i, err := x.Int64(); err == nil && t.Kind != gpflow.KindFloat {
			return gpflow.Int(i), nil
		}
		f, err := strconv.ParseFloat(x.String(), 64)
		return gpflow.Float(f), err
	case string:
		if t.Kind == gpflow.KindDuration {
			d, err := gpflow.ParseDuration(x)
			return gpflow.Span(d), err
		}
		return gpflow.String(x), nil
	case []any:
		vs := make([]gpflow.Value, len(x))
		for i := range x {
			v, err := constantValue(elem(t), x[i])
			if err != nil {
				return v, err
			}
			vs[i] = v
		}
		return gpflow.List(vs), nil
	case map[string]any:
		es := make([]gpflow.Entry, 0, len(x))
		for k := range x {
			v, err := constantValue(elem(t), x[k])
			if err != nil {
				return v, err
			}
			es = append(es, gpflow.Entry{Key: k, Value: v})
		}
		return gpflow.Map(es), nil
	}
	return gpflow.Null, fmt.Errorf("a constant cannot be %T", x)
}

func elem(t gpflow.Type) gpflow.Type {
	if t.Elem == nil {
		return gpflow.T(gpflow.KindAny)
	}
	return *t.Elem
}
