//go:build !race

package spectest

import "time"

// hangs is how long nothing takes that ends by itself.
const hangs = 5 * time.Second
