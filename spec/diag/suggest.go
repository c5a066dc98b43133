package diag

import "github.com/gpflow/gpflow"

// Suggest is gpflow.Suggest.
func Suggest(word string, candidates []string) string { return gpflow.Suggest(word, candidates) }
