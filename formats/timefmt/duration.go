package timefmt

import (
	"strconv"

	"github.com/gpflow/gpflow"
)

// AppendDuration appends d as its String method returns it.
func AppendDuration(dst []byte, d gpflow.Duration) []byte {
	if d == 0 {
		return append(dst, "0s"...)
	}
	u := uint64(d)
	if d < 0 {
		dst = append(dst, '-')
		u = -u
	}
	for _, unit := range units {
		if n := u / uint64(unit.d); n > 0 {
			dst = append(strconv.AppendUint(dst, n, 10), unit.name...)
			u -= n * uint64(unit.d)
		}
	}
	return dst
}

var units = [...]struct {
	name string
	d    gpflow.Duration
}{
	{"d", gpflow.Day},
	{"h", gpflow.Hour},
	{"m", gpflow.Minute},
	{"s", gpflow.Second},
	{"ms", gpflow.Millisecond},
	{"us", gpflow.Microsecond},
}
