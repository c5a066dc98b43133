package job

// Bug is a mistake that can be switched on, so that the tests which must find
// such mistakes can be seen to find them. No product code switches one on.
type Bug string

// The bugs.
const (
	// RebuildWhileStoring makes regions anew while it is not known yet which
	// checkpoint is current, against C9.
	RebuildWhileStoring Bug = "rebuild while storing"
	// IgnoreDoubt makes a region anew by itself where storing the last checkpoint
	// has failed, and so may have not, against C9.
	IgnoreDoubt Bug = "ignore doubt"
	// RebuildWithoutClaim takes all regions down where storing has failed, and does
	// not ask the store from where they go on, against C6 and C9.
	RebuildWithoutClaim Bug = "rebuild without claim"
	// KeepEnded takes sinks that begin anew for ended where they had been.
	KeepEnded Bug = "keep ended"
)
