package state

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gpflow/gpflow"
)

type hashed struct {
	key  []byte
	hash uint64
}

// benchKeys returns n keys of one string column.
func benchKeys(n int) []hashed {
	keys := make([]hashed, n)
	for i := range keys {
		k := gpflow.AppendKey(nil, gpflow.String(fmt.Sprint("user-", i)))
		keys[i] = hashed{k, gpflow.HashKey(k)}
	}
	return keys
}

func BenchmarkUpsert(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			keys := benchKeys(n)
			p := newPanesOf(b, 1024, 0, 1024, 2)
			for i := range keys {
				row, _ := p.Upsert(0, keys[i].key, keys[i].hash)
				row[0], row[1] = gpflow.Int(0), gpflow.Int(0)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				k := &keys[uint32(i)*2654435761%uint32(n)]
				row, _ := p.Upsert(0, k.key, k.hash)
				row[0] = gpflow.Int(row[0].Int() + 1)
			}
		})
	}
}

func BenchmarkInsert(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			keys := benchKeys(n)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				p := newPanesOf(b, 1024, 0, 1024, 2)
				for i := range keys {
					p.Upsert(0, keys[i].key, keys[i].hash)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/key")
		})
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPanesOf(b, 1024, 0, 1024, 2)
			for _, k := range benchKeys(n) {
				p.Upsert(0, k.key, k.hash)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				p.get(0).order = nil
				var c gpflow.Cursor
				for ok := true; ok; {
					c, _, _, ok = p.Next(0, c)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/key")
		})
	}
}

func BenchmarkFreeze(b *testing.B) {
	m, _ := filled(b, 1_000_000)
	b.ReportAllocs()
	for b.Loop() {
		f := m.Freeze(true)
		f.Release()
		m.Aborted(f)
	}
}

// cpu reports what a benchmark costs of a processor, which the other work of the
// machine changes less than the time that it takes: MB/cpu-s where there are
// bytes.
func cpu(b *testing.B, bytes int) func() {
	begin := cpuTime()
	return func() {
		spent := (cpuTime() - begin).Seconds() / float64(b.N)
		b.ReportMetric(spent*1e3, "cpu-ms/op")
		if bytes > 0 {
			b.ReportMetric(float64(bytes)/1e6/spent, "MB/cpu-s")
		}
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchStates returns states that encode differently.
func benchStates(b *testing.B) map[string]*Memory {
	counters, _ := filled(b, 1_000_000)
	texts, err := New(1024, 0, 1024, []gpflow.StateDescriptor{everyKind()})
	if err != nil {
		b.Fatal(err)
	}
	for i, k := range benchKeys(100_000) {
		row, _ := texts.Panes("every").Upsert(gpflow.Timestamp(i%10), k.key, k.hash)
		copy(row, valuesOf(i))
	}
	long, err := New(1024, 0, 1024, []gpflow.StateDescriptor{textDesc()})
	if err != nil {
		b.Fatal(err)
	}
	for _, k := range benchKeys(100_000) {
		row, _ := long.Panes("text").Upsert(0, k.key, k.hash)
		row[0] = gpflow.String(strings.Repeat(string(k.key), 20))
	}
	return map[string]*Memory{"counters": counters, "every": texts, "texts": long}
}

func textDesc() gpflow.StateDescriptor {
	return gpflow.StateDescriptor{Name: "text", Kind: "panes", Value: gpflow.NewSchema(gpflow.Column{Name: "t", Type: gpflow.T(gpflow.KindString)})}
}

func BenchmarkEncode(b *testing.B) {
	for name, m := range benchStates(b) {
		b.Run(name, func(b *testing.B) {
			f := m.Freeze(true)
			defer f.Release()
			s, _ := f.Encode()
			defer cpu(b, len(s))()
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				if _, err := f.Encode(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRestore(b *testing.B) {
	for name, m := range benchStates(b) {
		b.Run(name, func(b *testing.B) {
			s := encoded(b, m.Freeze(true))
			b.SetBytes(int64(len(s)))
			defer cpu(b, len(s))()
			for b.Loop() {
				r, _ := New(m.groups, m.from, m.to, m.descs)
				if err := r.Restore([][]byte{s}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
