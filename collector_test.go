package gpflow_test

import (
	"errors"
	"testing"

	"github.com/gpflow/gpflow"
)

// policy is a FailurePolicy that always does the same.
type policy struct {
	action gpflow.Action
	err    error
}

func (p policy) Failed(in *gpflow.Batch, row int, err error, errors *gpflow.Builder) (gpflow.Action, error) {
	if errors != nil && p.action == gpflow.ActionDivert {
		gpflow.AppendError(errors, "map.x", in, row, err)
	}
	return p.action, p.err
}

func TestCollectorAccountsForEveryRow(t *testing.T) {
	s := batchSchema()
	late := batchSchema()
	late.Timeless = true
	w := gpflow.NewBuilder(s)
	for i := range 6 {
		row := w.Row(gpflow.Timestamp(i))
		row[0], row[1] = gpflow.Int(int64(i)), gpflow.String("text")
		w.Place("file", int64(i*10), int64(i+1))
	}
	in := gpflow.Rows{Batch: w.Take(), To: 6}
	c := gpflow.NewCollector([]*gpflow.Schema{s, late, gpflow.ErrorSchema()}, 1, policy{action: gpflow.ActionDivert})
	c.In = 6
	copy(c.Row(in, 0), in.Row(0))
	c.Filter(1)
	c.Absorb(1)
	c.LateRow(in, 3)
	broken := &gpflow.RecordError{Code: "expression", Err: errors.New("division by zero")}
	c.Row(in, 4)
	c.Undo()
	if err := c.Fail(in, 4, broken); err != nil {
		t.Fatal(err)
	}
	if err := c.Fail(in, 5, errors.New("plain")); err != nil {
		t.Fatal(err)
	}
	c.Create(9)
	want := gpflow.Counts{In: 6, Passed: 1, Filtered: 1, Absorbed: 1, Late: 1, Diverted: 2, Created: 1}
	if c.Counts != want || c.Balance() != 0 {
		t.Errorf("counts %+v, want %+v; balance %d", c.Counts, want, c.Balance())
	}
	if b := c.Port(1).Take(); b.N != 1 || b.Row(0)[0].Int() != 3 || b.Times != nil {
		t.Error("the late port has not the late row, without a time")
	}
	b := c.Port(2).Take()
	text := string(gpflow.RowJSON(nil, b.Schema, b.Row(0)))
	wantText := `{"raw":"eyJuIjo0LCJzIjoidGV4dCIsImwiOm51bGx9","code":"expression","message":"division by zero","node":"map.x",` +
		`"origin":{"file":"file","offset":40,"line":5},"time":"1970-01-01T00:00:00.000004Z"}`
	if b.N != 2 || text != wantText || b.Row(1)[1].Str() != "record" {
		t.Errorf("the errors port has\n%s\nwant\n%s", text, wantText)
	}
}

func TestCollectorObeysThePolicy(t *testing.T) {
	s := batchSchema()
	w := gpflow.NewBuilder(s)
	w.Row(0)
	in := gpflow.Rows{Batch: w.Take(), To: 1}
	skip := gpflow.NewCollector([]*gpflow.Schema{s}, 0, policy{action: gpflow.ActionSkip})
	if err := skip.Fail(in, 0, errors.New("x")); err != nil || skip.Skipped != 1 {
		t.Errorf("skip: %v, %+v", err, skip.Counts)
	}
	skip.LateRow(in, 0)
	if skip.Late != 1 || skip.Full() {
		t.Errorf("a late row that nobody reads is not counted: %+v", skip.Counts)
	}
	stop := errors.New("stop")
	fail := gpflow.NewCollector([]*gpflow.Schema{s}, 0, policy{err: stop})
	if err := fail.Fail(in, 0, errors.New("x")); !errors.Is(err, stop) || fail.Counts != (gpflow.Counts{}) {
		t.Errorf("fail: %v, %+v", err, fail.Counts)
	}
	odd := gpflow.NewCollector([]*gpflow.Schema{s}, 0, policy{action: "odd"})
	if err := odd.Fail(in, 0, errors.New("x")); err == nil {
		t.Error("an unknown action was taken")
	}
}

func TestReading(t *testing.T) {
	s := batchSchema()
	r := gpflow.NewReading(s)
	r.Begin("file")
	r.Record(0, 1)[0] = gpflow.Int(1)
	r.Record(10, 2)
	r.Undo()
	raw := []byte("broken")
	r.Fail(raw, 10, 2, errors.New("not JSON"))
	raw[0] = 'X'
	r.Record(20, 3)[0] = gpflow.Int(3)
	r.Done(gpflow.Position("30"))
	b, failed, split, pos := r.TakeReading()
	if b.N != 2 || split != "file" || string(pos) != "30" || len(failed) != 1 {
		t.Fatalf("%d rows, %d failed, split %s, position %s", b.N, len(failed), split, pos)
	}
	if _, at, line, ok := b.Position(1); at != 20 || line != 3 || !ok {
		t.Errorf("the second row is at %d, line %d", at, line)
	}
	f := failed[0]
	if string(f.Raw) != "broken" || f.Position != 10 || f.Line != 2 || f.After != 1 {
		t.Errorf("the failed record is %+v", f)
	}
	errs := gpflow.NewBuilder(gpflow.ErrorSchema())
	gpflow.AppendFailed(errs, "source.a", "file", f)
	row := errs.Take().Row(0)
	if row[4].Str() != "file" || row[5].Int() != 10 || row[6].Int() != 2 || !row[7].IsNull() {
		t.Errorf("its row on the errors port has another origin: %v", row)
	}
	if b, failed, _, _ := r.TakeReading(); b != nil || failed != nil {
		t.Error("a reading is given twice")
	}
	for !r.Full() {
		r.Fail(make([]byte, 1<<10), 0, 0, errors.New("x"))
	}
	if _, failed, _, _ := r.TakeReading(); len(failed) != gpflow.BatchBytes>>10 {
		t.Errorf("%d failed records of 1 KiB fill a reading", len(failed))
	}
}

// Rows made of one row have its time and origin, and are counted apart from it.
func TestCreateFrom(t *testing.T) {
	s := batchSchema()
	w := gpflow.NewBuilder(s)
	row := w.Row(7)
	row[0], row[1] = gpflow.Int(1), gpflow.String("text")
	w.Place("file", 40, 5)
	in := gpflow.Rows{Batch: w.Take(), To: 1}
	c := gpflow.NewCollector([]*gpflow.Schema{s}, 0, policy{})
	c.In = 1
	for i := range 3 {
		c.CreateFrom(in, 0)[0] = gpflow.Int(int64(i))
	}
	c.Absorb(1)
	if want := (gpflow.Counts{In: 1, Absorbed: 1, Created: 3}); c.Counts != want || c.Balance() != 0 {
		t.Errorf("counts %+v, want %+v", c.Counts, want)
	}
	b := c.Port(0).Take()
	for i := range b.N {
		split, pos, line, ok := b.Position(i)
		if b.Row(i)[0].Int() != int64(i) || b.Time(i) != 7 || split != "file" || pos != 40 || line != 5 || !ok {
			t.Errorf("row %d is %v at %v, from %s %d %d", i, b.Row(i)[0].Int(), b.Time(i), split, pos, line)
		}
	}
	if b.N != 3 {
		t.Errorf("%d rows, want 3", b.N)
	}
}
