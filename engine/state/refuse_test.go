package state

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
)

func TestNewRefuses(t *testing.T) {
	d := desc(1)
	other := d
	other.Kind = "list"
	bare := d
	bare.Value = nil
	for _, c := range []struct {
		groups, from, to int
		descs            []gpflow.StateDescriptor
		want             string
	}{
		{8, 3, 3, nil, "not a range"},
		{8, 0, 9, nil, "not a range"},
		{8, 0, 8, []gpflow.StateDescriptor{d, d}, "declared twice"},
		{8, 0, 8, []gpflow.StateDescriptor{other}, `kind is "list"`},
		{8, 0, 8, []gpflow.StateDescriptor{bare}, "no schema"},
	} {
		if _, err := New(c.groups, c.from, c.to, c.descs); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%d, %d, %d) = %v, want %q", c.groups, c.from, c.to, err, c.want)
		}
	}
}

func wantPanic(t *testing.T, text string, f func()) {
	t.Helper()
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), text) {
			t.Errorf("recovered %v, want a panic with %q", r, text)
		}
	}()
	f()
}

func TestPanics(t *testing.T) {
	m, _ := New(8, 0, 8, nil)
	wantPanic(t, "not declared", func() { m.Panes("x") })
	p := newPanesOf(t, 8, 0, 4, 1)
	wantPanic(t, "groups 0 to 3", func() { p.Upsert(0, []byte("k"), 7<<61) })
	p.Upsert(0, []byte("k"), 1)
	wantPanic(t, "a key of group 7", func() { p.Upsert(0, []byte("l"), 7<<61) })
}
