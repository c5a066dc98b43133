package filesource

import (
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
	"github.com/gpflow/gpflow/formats/timefmt"
)

// checkSchema reports the layouts of a schema that are none, and, where the
// format is known, the columns that it cannot carry.
func checkSchema(s *gpflow.Schema, format string, report func(gpflow.Problem)) bool {
	ok := true
	for _, c := range s.Columns {
		ok = checkLayouts("schema."+c.Name, c.Type, report) && ok
	}
	if !ok || format == "" {
		return ok
	}
	err := catalog.Check(format, s)
	if err == nil {
		return true
	}
	summary := fmt.Sprintf("the format %s cannot carry this schema", format)
	placed := false
	for _, c := range s.Columns {
		if format == "lines" { // which is about the whole
			break
		}
		if err := catalog.Check(format, gpflow.NewSchema(c)); err != nil {
			placed = true
			report(gpflow.Problem{Path: "schema." + c.Name, Summary: summary, Detail: err.Error()})
		}
	}
	if !placed {
		report(gpflow.Problem{Path: "schema", Summary: summary, Detail: err.Error()})
	}
	return false
}

// checkLayouts reports the layouts in a type that are none.
func checkLayouts(path string, t gpflow.Type, report func(gpflow.Problem)) bool {
	ok := true
	if t.Kind == gpflow.KindTimestamp {
		if _, err := timefmt.Compile(t.Layout); err != nil {
			ok = false
			if why := errors.Unwrap(err); why != nil {
				err = why
			}
			report(gpflow.Problem{
				Path: path + ".layout", Summary: fmt.Sprintf("%q is not a layout of timestamps", t.Layout), Detail: err.Error(),
			})
		}
	}
	if t.Elem != nil {
		ok = checkLayouts(path, *t.Elem, report) && ok
	}
	for _, f := range t.Fields {
		ok = checkLayouts(path+"."+f.Name, f.Type, report) && ok
	}
	return ok
}
