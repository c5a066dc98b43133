package main

import (
	"context"
	"strconv"

	"github.com/gpflow/gpflow"
)

// dueSchema is what the latency job sends: when the record is due, in
// nanoseconds from the start, and a key for each exchange.
var dueSchema = gpflow.NewSchema(
	gpflow.Column{Name: "due", Type: gpflow.T(gpflow.KindInt)},
	gpflow.Column{Name: "a", Type: gpflow.T(gpflow.KindInt)},
	gpflow.Column{Name: "b", Type: gpflow.T(gpflow.KindInt)},
	gpflow.Column{Name: "c", Type: gpflow.T(gpflow.KindInt)},
)

// dueSource is a source of the records that are due.
func dueSource(c *clock) *gpflow.Descriptor {
	return &gpflow.Descriptor{
		Block: "source", Kind: "due", Summary: "Makes records when they are due.",
		Traits: func(gpflow.Config) gpflow.Traits { return gpflow.Traits{Bounded: true} },
		Infer: func(*gpflow.Inference) gpflow.Inferred {
			return gpflow.Inferred{Ports: []*gpflow.Schema{dueSchema}}
		},
		NewSource: func(s *gpflow.SourceContext) (gpflow.Source, error) {
			return &due{clock: c, step: int64(s.Parallelism)}, nil
		},
	}
}

type due struct {
	*clock
	step  int64 // subtasks
	found bool
}

func (d *due) Enumerator([]gpflow.Split) (gpflow.Enumerator, error) { return d, nil }

func (d *due) Discover(context.Context) (splits []gpflow.Split, all bool, err error) {
	for k := int64(0); k < d.step && !d.found; k++ {
		splits = append(splits, gpflow.Split{ID: strconv.FormatInt(k, 10)})
	}
	d.found = true
	return splits, true, nil
}

func (d *due) Close() error { return nil }

func (d *due) Reader(c *gpflow.ReaderContext) (gpflow.Reader, error) {
	r := &dueReader{due: d, alarm: make(chan int64, 1)}
	go func() {
		for i := range r.alarm {
			r.sleep(r.due.due(i))
			c.Wake()
		}
	}()
	return r, nil
}

// dueReader makes every step-th record of a split when it is due, and has itself
// woken for the next.
type dueReader struct {
	*due
	split string
	next  int64
	set   int64      // the record that alarm was set for, plus one
	alarm chan int64 // the record to be woken for
}

func (r *dueReader) Assign(s gpflow.Split, _ gpflow.Position) (err error) {
	r.split = s.ID
	r.next, err = strconv.ParseInt(s.ID, 10, 64)
	return err
}

func (r *dueReader) Poll(_ context.Context, out *gpflow.Reading) (gpflow.Progress, error) {
	out.Begin(r.split)
	now := r.now()
	for ; r.next < r.count && r.due.due(r.next) <= now; r.next += r.step {
		if out.Full() {
			return gpflow.Progress{}, nil
		}
		row := out.Record(r.next, 0)
		row[0] = gpflow.Int(int64(r.due.due(r.next)))
		row[1], row[2], row[3] = gpflow.Int(r.key(r.next)), gpflow.Int(r.next%2003), gpflow.Int(r.next%4001)
	}
	if r.next >= r.count {
		return gpflow.Progress{Ended: r.split}, nil
	}
	if r.set <= r.next {
		r.set = r.next + 1
		r.alarm <- r.next
	}
	return gpflow.Progress{Idle: true}, nil
}

func (r *dueReader) Close() error {
	close(r.alarm)
	return nil
}

// hop passes records on behind an exchange by key.
var hop = gpflow.Descriptor{
	Block: "hop", Summary: "Passes records on, by key.",
	Fields: []gpflow.Field{{Name: "key_by", Kind: gpflow.FieldColumns, Required: true}},
	Traits: func(c gpflow.Config) gpflow.Traits {
		return gpflow.Traits{KeyField: "key_by", Key: c.Strings("key_by")}
	},
	Infer: func(in *gpflow.Inference) gpflow.Inferred {
		return gpflow.Inferred{Ports: []*gpflow.Schema{in.In[0]}, Uses: [][]string{in.In[0].Names()}, Pass: []bool{true}}
	},
	NewOperator: func(*gpflow.OperatorContext) (gpflow.Operator, error) { return passing{}, nil },
}

type passing struct{}

func (passing) Process(in gpflow.Rows, out *gpflow.Collector) (int, error) {
	for i := in.From; i < in.To; i++ {
		copy(out.Row(in, i), in.Row(i))
	}
	return in.To, nil
}
