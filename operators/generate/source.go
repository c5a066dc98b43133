package generate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/expr"
)

// source is the configuration of a node. It is immutable.
type source struct {
	schema  *gpflow.Schema // the columns that are read
	exprs   []*expr.Expr   // by column
	count   int64          // -1: no end
	seed    int64
	splits  int
	address string
	bugs    bugs
}

// bugs are mistakes that tests switch on, to see that they are found.
type bugs struct {
	// positionOffByOne is how many records too late positions are; -1 is one
	// too early.
	positionOffByOne int64
}

func newSource(c *gpflow.SourceContext) (gpflow.Source, error) {
	s := &source{
		schema: c.Schema, count: -1, seed: c.Config.Int("seed"),
		splits: max(1, c.Parallelism), address: c.Address,
	}
	if c.Config.Has("count") {
		s.count = c.Config.Int("count")
	}
	text := make(map[string]string)
	for _, f := range c.Config.Exprs("fields") {
		text[f.Name] = f.Expr
	}
	for _, col := range c.Schema.Columns {
		src, ok := text[col.Name]
		if !ok {
			return nil, fmt.Errorf("%s: there is no field %s", c.Address, col.Name)
		}
		e, err := check(src, c.Constants)
		if err != nil {
			return nil, fmt.Errorf("%s: field %s: %w", c.Address, col.Name, err)
		}
		s.exprs = append(s.exprs, e)
	}
	return s, nil
}

// Enumerator returns an enumerator of one split a subtask. Where some are known
// all are, though there may be another number of subtasks now.
func (s *source) Enumerator(known []gpflow.Split) (gpflow.Enumerator, error) {
	return &enumerator{source: s, done: len(known) > 0}, nil
}

// enumerator finds the splits, once.
type enumerator struct {
	*source
	done bool
}

// part says which records a split has: First, First+Step, ...
type part struct {
	First int64 `json:"first"`
	Step  int64 `json:"step"`
}

// Discover returns the splits.
func (e *enumerator) Discover(context.Context) ([]gpflow.Split, bool, error) {
	if e.done {
		return nil, true, nil
	}
	e.done = true
	splits := make([]gpflow.Split, e.splits)
	for k := range splits {
		data, err := json.Marshal(part{int64(k), int64(len(splits))})
		if err != nil {
			return nil, false, err
		}
		splits[k] = gpflow.Split{ID: fmt.Sprintf("generate/%d", k), Data: data}
	}
	return splits, true, nil
}

// Close does nothing.
func (e *enumerator) Close() error { return nil }
