package filesource

import (
	"errors"
	"fmt"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
	"github.com/gpflow/gpflow/formats/timefmt"
)

// checkSchema reports the layouts of a schema that are none, and, where the
// format is known, which the fields from say, the columns that it cannot carry.
func checkSchema(s *gpflow.Schema, format string, from []string, report func(gpflow.Problem)) {
	var good []gpflow.Column
	for _, c := range s.Columns {
		if checkLayouts("schema."+c.Name, c.Type, report) {
			good = append(good, c)
		}
	}
	if format == "" || len(good) < len(s.Columns) && format == "lines" {
		return
	}
	err := catalog.Check(format, gpflow.NewSchema(good...))
	if err == nil {
		return
	}
	summary := fmt.Sprintf("the format %s cannot carry this schema", format)
	placed := false
	for _, c := range good {
		if format == "lines" { // which is about the whole
			break
		}
		if err := catalog.Check(format, gpflow.NewSchema(c)); err != nil {
			placed = true
			report(gpflow.Problem{Path: "schema." + c.Name, Needs: from, Summary: summary, Detail: err.Error()})
		}
	}
	if !placed {
		report(gpflow.Problem{Path: "schema", Needs: from, Summary: summary, Detail: err.Error()})
	}
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
