package expr

// Semantics is the version of what expressions mean. State that was computed
// with one version is not gone on with in another: it is raised by every change
// that gives a record another value, or another error.
const Semantics = 1
