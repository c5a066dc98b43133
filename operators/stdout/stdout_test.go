package stdout

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/optest"
)

var schema = gpflow.NewSchema(
	gpflow.Column{Name: "user", Type: gpflow.T(gpflow.KindString).Opt()},
	gpflow.Column{Name: "count", Type: gpflow.T(gpflow.KindInt)},
	gpflow.Column{Name: "mean", Type: gpflow.T(gpflow.KindFloat).Opt()},
	gpflow.Column{Name: "at", Type: gpflow.T(gpflow.KindTimestamp)},
	gpflow.Column{Name: "tags", Type: gpflow.ListOf(gpflow.T(gpflow.KindString))},
)

func batch(rows ...[]gpflow.Value) *gpflow.Batch {
	b := gpflow.NewBuilder(schema)
	for _, r := range rows {
		copy(b.Row(0), r)
	}
	return b.Take()
}

func row(user string, count int64, mean float64, tags ...gpflow.Value) []gpflow.Value {
	return []gpflow.Value{gpflow.String(user), gpflow.Int(count), gpflow.Float(mean), gpflow.Time(0), gpflow.List(tags)}
}

func open(t *testing.T, w interface{ Write([]byte) (int, error) }, format string) gpflow.Sink {
	t.Helper()
	d := New(w)
	s, err := d.NewSink(&gpflow.SinkContext{
		Address: "sink.screen", Config: gpflow.NewConfig(fields, map[string]any{"format": format}), In: schema,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func noFailures(_ int, err error) error { return err }

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	s := open(t, &out, formatJSON)
	for _, c := range []struct {
		b    *gpflow.Batch
		want string
	}{
		{batch(row("a", 1, 0.5, gpflow.String("x"))), `{"user":"a","count":1,"mean":0.5,"at":"1970-01-01T00:00:00Z","tags":["x"]}` + "\n"},
		{&gpflow.Batch{Schema: schema}, ""},
	} {
		out.Reset()
		if err := s.Write(context.Background(), c.b, noFailures); err != nil || out.String() != c.want {
			t.Errorf("%v: %q", err, out.String())
		}
	}
}

func TestFailedRow(t *testing.T) {
	var out bytes.Buffer
	s := open(t, &out, formatJSON)
	stop := errors.New("stop")
	err := s.Write(context.Background(), batch(row("a", 1, 0), row("b", 2, math.NaN()), row("c", 3, 0)), func(i int, err error) error {
		if i != 1 || err == nil {
			t.Error(i, err)
		}
		return stop
	})
	if !errors.Is(err, stop) || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%v: %q", err, out.String())
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	s := open(t, &out, formatTable)
	for _, b := range []*gpflow.Batch{
		batch(row("ann", 7, 1.0/3), []gpflow.Value{gpflow.Null, gpflow.Int(1234567), gpflow.Null, gpflow.Time(1), gpflow.List(nil)}),
		batch(row("a\tlonger\x1b[2Jname é", 1, 1e20, gpflow.String("x"))),
		batch(row("b", 2, -12.5)),
	} {
		if err := s.Write(context.Background(), b, noFailures); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Join([]string{
		`user    count    mean  at                           tags`,
		`----  -------  ------  ---------------------------  ----`,
		`ann         7  0.3333  1970-01-01T00:00:00Z         []`,
		`-     1234567       -  1970-01-01T00:00:00.000001Z  []`,
		`a\tlonger\x1b[2Jname é        1   1e+20  1970-01-01T00:00:00Z         ["x"]`,
		`b                             2   -12.5  1970-01-01T00:00:00Z         []`,
		``,
	}, "\n")
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestTableNumbers(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 1: "1", -2.5: "-2.5", 1234567.125: "1234567.125", 2.0 / 3: "0.6667", 1e-7: "1e-07", 1e20: "1e+20",
		math.Inf(1): "+Inf", 100000000000001: "100000000000001",
	} {
		if got := string(appendNumber(nil, f)); got != want {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
	if got := string(appendNumber(nil, math.NaN())); got != "NaN" {
		t.Error(got)
	}
}

func TestWideCellsStickOut(t *testing.T) {
	var out bytes.Buffer
	s := open(t, &out, formatTable)
	wide := strings.Repeat("w", 100)
	if err := s.Write(context.Background(), batch(row(wide, 1, 1), row("b", 1, 1)), noFailures); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if !strings.Contains(lines[2], wide) || strings.Index(lines[3], "1") != maxWidth+2+4 {
		t.Errorf("got\n%s", out.String())
	}
}

func TestClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	s := open(t, w, formatJSON)
	err = s.Write(context.Background(), batch(row("a", 1, 1)), noFailures)
	var final *gpflow.FinalError
	if !errors.Is(err, syscall.EPIPE) || !errors.As(err, &final) || !strings.Contains(err.Error(), "whoever read it has gone") {
		t.Error(err)
	}
}

func TestFullDisk(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer f.Close()
	s := open(t, f, formatJSON)
	if err := s.Write(context.Background(), batch(row("a", 1, 1)), noFailures); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
}

func TestDescriptor(t *testing.T) {
	if _, err := gpflow.NewRegistry(&Descriptor); err != nil {
		t.Fatal(err)
	}
	in := Descriptor.Infer(&gpflow.Inference{
		Config: gpflow.NewConfig(fields, nil), In: []*gpflow.Schema{schema},
		Report: func(p gpflow.Problem) { t.Error(p) },
	})
	if !slices.Equal(in.Uses[0], schema.Names()) {
		t.Error(in.Uses)
	}
}

func TestAllocatesNothing(t *testing.T) {
	for _, format := range []string{formatJSON, formatTable} {
		f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, f, format)
		b := gpflow.NewBuilder(schema)
		for range 1000 {
			copy(b.Row(0), []gpflow.Value{gpflow.String("u"), gpflow.Int(1), gpflow.Float(1.0 / 3), gpflow.Time(0), gpflow.List(nil)})
		}
		rows, ctx := b.Take(), context.Background()
		if n := testing.AllocsPerRun(10, func() {
			if err := s.Write(ctx, rows, noFailures); err != nil {
				t.Fatal(err)
			}
		}); n > 1 {
			t.Errorf("%s: %v allocations for 1000 rows", format, n)
		}
		f.Close()
	}
}

// Every record is shown at once, and again only where a start is given it again.
func TestRunSink(t *testing.T) {
	one := gpflow.NewSchema(gpflow.Column{Name: "n", Type: gpflow.T(gpflow.KindInt)})
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 1))
		var screen bytes.Buffer
		d := New(&screen)
		optest.RunSink(t, optest.SinkCase{
			Schema: one, Appears: optest.AtOnce, Row: func(item int, row []gpflow.Value) { row[0] = gpflow.Int(int64(item)) },
			Choose: func(_ string, n int) int { return random.IntN(n) },
			Open: func(lineage string, epoch int64, s gpflow.Subtask) (gpflow.Sink, error) {
				return d.NewSink(&gpflow.SinkContext{
					Address: "sink.screen", Config: gpflow.NewConfig(fields, map[string]any{"format": formatJSON}), In: one,
					Subtask: s, Lineage: lineage, Epoch: epoch,
				})
			},
			Visible: func() (items []int, err error) {
				for line := range bytes.Lines(screen.Bytes()) {
					n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(string(line), `{"n":`), "}\n"))
					if err != nil {
						return nil, err
					}
					items = append(items, n)
				}
				return items, nil
			},
		})
	}
}
