package main

import (
	"testing"

	"github.com/gpflow/gpflow"
)

func TestKeyFilter(t *testing.T) {
	one := gpflow.NewSchema(gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)})
	two := gpflow.NewSchema(gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString)}, gpflow.Column{Name: "at", Type: gpflow.T(gpflow.KindTimestamp)})
	at := gpflow.Time(0)
	for _, c := range []struct {
		schema *gpflow.Schema
		wanted []string
		key    []gpflow.Value
		match  bool
	}{
		{one, nil, []gpflow.Value{gpflow.String("ann")}, true},
		{one, []string{"ann"}, []gpflow.Value{gpflow.String("ann")}, true},
		{one, []string{"user=ann"}, []gpflow.Value{gpflow.String("ann")}, true},
		{one, []string{"user=bob"}, []gpflow.Value{gpflow.String("ann")}, false},
		{one, []string{"a=b"}, []gpflow.Value{gpflow.String("a=b")}, true},
		{one, []string{"user=a=b"}, []gpflow.Value{gpflow.String("a=b")}, true},
		{one, []string{""}, []gpflow.Value{gpflow.String("")}, true},
		{one, []string{"5"}, []gpflow.Value{gpflow.Int(5)}, true},
		{one, []string{"5"}, []gpflow.Value{gpflow.Int(55)}, false},
		{one, []string{"true"}, []gpflow.Value{gpflow.Bool(true)}, true},
		{one, []string{"null"}, []gpflow.Value{gpflow.Null}, true},
		{two, []string{"user=ann"}, []gpflow.Value{gpflow.String("ann"), at}, true},
		{two, []string{"at=1970-01-01T00:00:00Z"}, []gpflow.Value{gpflow.String("ann"), at}, true},
		{two, []string{"at=1970-01-01T00:00:00Z", "user=bob"}, []gpflow.Value{gpflow.String("ann"), at}, false},
	} {
		f, err := newKeyFilter(c.schema, c.wanted)
		if err != nil {
			t.Errorf("%q: %v", c.wanted, err)
			continue
		}
		if got := f.match(c.key); got != c.match {
			t.Errorf("%q for %v: %v", c.wanted, c.key, got)
		}
	}
	if _, err := newKeyFilter(nil, []string{"x"}); err == nil {
		t.Error("a key is looked for where there is none")
	}
}
