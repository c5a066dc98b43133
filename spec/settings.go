package spec

import (
	"fmt"

	"github.com/gpflow/gpflow"
)

// PipelineFields returns the fields of the pipeline block.
func PipelineFields() []gpflow.Field {
	return []gpflow.Field{
		{
			Name: "parallelism", Kind: gpflow.FieldInt, Default: int64(1), Update: gpflow.Migrate, Example: "4",
			Doc:   "The number of subtasks of the nodes that do not say it themselves.",
			Check: between(1, 1024, "parallelism is a number of subtasks"),
		},
		{
			Name: "key_groups", Kind: gpflow.FieldInt, Default: int64(1024), Update: gpflow.Drop, Example: "1024",
			Doc:   "The number of parts that keyed state is divided into, and so the highest parallelism. It is fixed for the life of the state.",
			Check: between(1, 32768, "key_groups is a number of key groups"),
		},
		gpflow.OnErrorField,
		{Name: "description", Kind: gpflow.FieldString, Update: gpflow.Live, Doc: "What the pipeline is for. Shown, never interpreted."},
		{Name: "labels", Kind: gpflow.FieldMap, Update: gpflow.Live, Doc: "Names and values of your own. Shown, never interpreted.", Example: `{ team = "payments" }`},
	}
}

func between(low, high int64, what string) func(any) error {
	return func(v any) error {
		if n := v.(int64); n < low || n > high {
			return fmt.Errorf("%s from %d to %d", what, low, high)
		}
		return nil
	}
}
