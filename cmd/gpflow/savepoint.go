package main

import "path/filepath"

// savepointDir returns where a savepoint lies.
func savepointDir(dir, name string) string { return filepath.Join(dir, "savepoints", name) }
