// Package operators lists the sources, operators and sinks that come with
// gpflow. There is one folder for each.
package operators

import (
	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/operators/blackhole"
	"github.com/gpflow/gpflow/operators/filesink"
	"github.com/gpflow/gpflow/operators/filesource"
	"github.com/gpflow/gpflow/operators/filter"
	"github.com/gpflow/gpflow/operators/flatmap"
	"github.com/gpflow/gpflow/operators/generate"
	"github.com/gpflow/gpflow/operators/mapper"
	"github.com/gpflow/gpflow/operators/stdout"
	"github.com/gpflow/gpflow/operators/window"
)

// Builtin returns the descriptors.
func Builtin() []*gpflow.Descriptor {
	return []*gpflow.Descriptor{
		&blackhole.Descriptor,
		&filesink.Descriptor,
		&filesource.Descriptor,
		&filter.Descriptor,
		&flatmap.Descriptor,
		&generate.Descriptor,
		&mapper.Descriptor,
		&stdout.Descriptor,
		&window.Descriptor,
	}
}
