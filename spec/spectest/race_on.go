//go:build race

package spectest

import "time"

// hangs is how long nothing takes that ends by itself, with the race detector.
const hangs = 20 * time.Second
