package storagetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/gpflow/gpflow/storage"
)

// several runs something in n goroutines at once, and waits for them.
func several(n int, do func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	all.Wait()
}

func oneWins(h harness) {
	const racers = 8
	for round := range 10 {
		name := fmt.Sprintf("epoch/%d", round)
		var errs [racers]error
		several(racers, func(i int) {
			errs[i] = h.store.PutIfAbsent(h.ctx, name, fmt.Appendf(nil, "%d", i))
		})
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner < 0:
				winner = i
			case err == nil:
				h.Errorf("%d and %d have won", winner, i)
			case !errors.Is(err, storage.ErrExists):
				h.Errorf("%d: %v; want ErrExists", i, err)
			}
		}
		h.want(name, fmt.Appendf(nil, "%d", winner))
	}
}

func oneWinsWhole(h harness) {
	data := pattern(1 << 20)
	var writers sync.WaitGroup
	writers.Add(3)
	written := make(chan struct{})
	go func() {
		writers.Wait()
		close(written)
	}()
	several(6, func(i int) {
		if i > 2 {
			defer writers.Done()
			err := h.store.PutIfAbsent(h.ctx, "a/b", data)
			if err != nil && !errors.Is(err, storage.ErrExists) {
				h.Error(err)
			}
			return
		}
		for done := false; ; {
			select {
			case <-written:
				done = true
			default:
			}
			got, err := h.store.Get(h.ctx, "a/b")
			if errors.Is(err, storage.ErrNotFound) && !done {
				continue
			}
			if err != nil || string(got) != string(data) {
				h.Errorf("read %s, %v", brief(got), err)
			}
			return
		}
	})
}

// noHalfObjects: who reads while others replace an object sees one of its
// versions, whole; and who reads again sees no older one.
func noHalfObjects(h harness) {
	const versions = 20
	version := func(v int) []byte {
		data := make([]byte, 1+v%3*300_000)
		for i := range data {
			data[i] = byte(v)
		}
		return data
	}
	h.put("a/b", version(0))
	several(3, func(i int) {
		if i == 0 {
			for v := 1; v <= versions; v++ {
				if err := h.store.Put(h.ctx, "a/b", version(v)); err != nil {
					h.Error(err)
				}
			}
			return
		}
		for last := 0; last < versions; {
			data, err := h.store.Get(h.ctx, "a/b")
			if err != nil || len(data) == 0 {
				h.Errorf("read %s, %v", brief(data), err)
				return
			}
			v := int(data[0])
			if v < last || string(data) != string(version(v)) {
				h.Errorf("after version %d, read %s", last, brief(data))
				return
			}
			last = v
			objects, err := h.store.List(h.ctx, "a/")
			if err != nil || len(objects) != 1 || objects[0].Name != "a/b" {
				h.Errorf("listed %v, %v", objects, err)
				return
			}
		}
	})
}

// comeAndGo: removing the last object of a directory does not get into the way
// of who puts another one there.
func comeAndGo(h harness) {
	several(4, func(i int) {
		name := fmt.Sprintf("a/b/%d", i)
		for range 20 {
			if err := h.store.Put(h.ctx, name, []byte(name)); err != nil {
				h.Error(err)
			}
			if got, err := h.store.Get(h.ctx, name); err != nil || string(got) != name {
				h.Errorf("%s is %q, %v", name, got, err)
			}
			if err := h.store.Remove(h.ctx, name); err != nil {
				h.Error(err)
			}
		}
	})
	h.wantList("")
}
