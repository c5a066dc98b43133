package exchange

// Bug is a mistake that can be switched on, so that the tests which must find
// such mistakes can be seen to find them. No product code switches one on.
type Bug uint8

// The bugs.
const (
	// NoBug is how a Channel works unless Plant is called.
	NoBug Bug = iota
	// EndNeedsCredit has a sender wait for credit behind the end of time, where the
	// receiver may wait for the sender.
	EndNeedsCredit
)

// Plant switches a bug on. It is called before c is used.
func (c *Channel) Plant(b Bug) { c.bug = b }
