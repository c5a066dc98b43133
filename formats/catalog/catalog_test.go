package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/catalog"
)

// TestFormats writes a row in every format that can carry it and reads it back.
func TestFormats(t *testing.T) {
	text := gpflow.T(gpflow.KindString)
	one := gpflow.NewSchema(gpflow.Column{Name: "a", Type: text})
	two := gpflow.NewSchema(gpflow.Column{Name: "a", Type: text}, gpflow.Column{Name: "b", Type: text})
	list := gpflow.NewSchema(gpflow.Column{Name: "a", Type: gpflow.ListOf(text)})
	carries := map[string][]*gpflow.Schema{"json": {one, two, list}, "csv": {one, two}, "lines": {one}}
	for _, name := range catalog.Names() {
		for _, s := range []*gpflow.Schema{one, two, list} {
			err := catalog.Check(name, s)
			if can := slices.Contains(carries[name], s); can != (err == nil) {
				t.Fatalf("%s of (%s): %v", name, s, err)
			}
			e, eerr := catalog.NewEncoder(name, formats.EncoderOptions{Schema: s})
			d, derr := catalog.NewDecoder(name, formats.DecoderOptions{Declared: s, Read: s})
			if (eerr == nil) != (err == nil) || (derr == nil) != (err == nil) || (e == nil) != (err != nil) || (d == nil) != (err != nil) {
				t.Fatalf("%s of (%s): Check says %v, NewEncoder %v, NewDecoder %v", name, s, err, eerr, derr)
			}
			if err != nil {
				continue
			}
			row := make([]gpflow.Value, s.Width())
			for i := range row {
				row[i] = gpflow.String("x y")
				if s == list {
					row[i] = gpflow.List([]gpflow.Value{gpflow.String("x"), gpflow.String("")})
				}
			}
			data, err := e.Append(e.Begin(nil), row)
			if err != nil {
				t.Fatal(err)
			}
			readOne(t, d, data, row)
		}
	}
	if catalog.Splittable("csv") || !catalog.Splittable("json") || !catalog.Splittable("lines") || catalog.Splittable("x") {
		t.Error("json and lines may be cut at line ends, nothing else")
	}
}

func readOne(t *testing.T, d formats.Decoder, data []byte, want []gpflow.Value) {
	t.Helper()
	for len(data) > 0 {
		n, rec, _, err := d.Frame(data, true)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		data = data[n:]
		if rec == nil {
			continue
		}
		row := make([]gpflow.Value, len(want))
		if err := d.Decode(rec, row); err != nil {
			t.Fatal(err)
		}
		for i := range row {
			if !gpflow.Equal(row[i], want[i]) {
				t.Errorf("slot %d has not come back", i)
			}
		}
	}
}

func TestUnknown(t *testing.T) {
	const want = `there is no format "xml"; there are json, csv, lines`
	_, derr := catalog.NewDecoder("xml", formats.DecoderOptions{})
	_, eerr := catalog.NewEncoder("xml", formats.EncoderOptions{})
	for _, err := range []error{derr, eerr, catalog.Check("xml", nil)} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
