// Package catalog finds formats by the name that a spec calls them.
package catalog

import (
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
	"github.com/gpflow/gpflow/formats/csvfmt"
	"github.com/gpflow/gpflow/formats/jsonfmt"
	"github.com/gpflow/gpflow/formats/linesfmt"
)

// entry is a format.
type entry struct {
	name       string
	splittable bool
	check      func(*gpflow.Schema) error
	decoder    func(formats.DecoderOptions) (formats.Decoder, error)
	encoder    func(formats.EncoderOptions) (formats.Encoder, error)
}

var entries = []entry{
	{"json", true, jsonfmt.Check, decoder(jsonfmt.NewDecoder), encoder(jsonfmt.NewEncoder)},
	{"csv", false, csvfmt.Check, decoder(csvfmt.NewDecoder), encoder(csvfmt.NewEncoder)},
	{"lines", true, linesfmt.Check, decoder(linesfmt.NewDecoder), encoder(linesfmt.NewEncoder)},
}

func decoder[D formats.Decoder](f func(formats.DecoderOptions) (D, error)) func(formats.DecoderOptions) (formats.Decoder, error) {
	return func(o formats.DecoderOptions) (formats.Decoder, error) {
		d, err := f(o)
		if err != nil {
			return nil, err
		}
		return d, nil
	}
}

func encoder[E formats.Encoder](f func(formats.EncoderOptions) (E, error)) func(formats.EncoderOptions) (formats.Encoder, error) {
	return func(o formats.EncoderOptions) (formats.Encoder, error) {
		e, err := f(o)
		if err != nil {
			return nil, err
		}
		return e, nil
	}
}

func find(name string) (*entry, error) {
	for i := range entries {
		if entries[i].name == name {
			return &entries[i], nil
		}
	}
	return nil, fmt.Errorf("there is no format %q; there are %s", name, strings.Join(Names(), ", "))
}

// Names returns the names of the formats, in the order in which to show them.
func Names() []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.name
	}
	return names
}

// NewDecoder returns a decoder of the named format. It is an error where there
// is no such format, or where it cannot carry o.Declared.
func NewDecoder(name string, o formats.DecoderOptions) (formats.Decoder, error) {
	e, err := find(name)
	if err != nil {
		return nil, err
	}
	return e.decoder(o)
}

// NewEncoder returns an encoder of the named format. It is an error where there
// is no such format, or where it cannot carry o.Schema.
func NewEncoder(name string, o formats.EncoderOptions) (formats.Encoder, error) {
	e, err := find(name)
	if err != nil {
		return nil, err
	}
	return e.encoder(o)
}

// Check says whether the named format can carry rows of s. The error says why
// not, and what to do.
func Check(name string, s *gpflow.Schema) error {
	e, err := find(name)
	if err != nil {
		return err
	}
	return e.check(s)
}

// Splittable reports whether data of the named format may be cut at any line
// end, so that parts of it are read by themselves.
func Splittable(name string) bool {
	e, err := find(name)
	return err == nil && e.splittable
}
