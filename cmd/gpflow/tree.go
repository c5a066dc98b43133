package main

import (
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
)

// checked is a pipeline that has been compiled.
type checked struct {
	path     string
	pipeline *spec.Pipeline // nil where nothing could be made of it
	list     diag.List
}

// isSpec reports whether a file of that name is a part of the pipeline of its
// directory.
func isSpec(name string) bool {
	for _, ending := range []string{".gp.hcl", ".gp.yaml", ".gp.yml"} {
		if strings.HasSuffix(name, ending) {
			return !strings.HasPrefix(name, ".")
		}
	}
	return name == "pipeline.hcl" || name == "pipeline.yaml" || name == "pipeline.yml"
}

// holdsPipeline reports whether a directory has a file of a pipeline in it.
func holdsPipeline(dir string) bool {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() && isSpec(e.Name()) {
			return true
		}
	}
	return err != nil // to be complained about by whoever loads it
}

// pipelines returns the paths of the pipelines that path stands for, sorted: a
// file or a directory with a pipeline is one, and any other directory stands
// for those below it, save in hidden directories. Where there are none it is
// path itself.
func pipelines(path string) []string {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() || holdsPipeline(path) {
		return []string{path}
	}
	var found []string
	err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || !e.IsDir():
			return nil // an unreadable directory has been found already
		case at != path && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case holdsPipeline(at):
			found = append(found, at)
		}
		return nil
	})
	if err != nil || found == nil {
		return []string{path}
	}
	return found
}

// inOrder does work on each item, several at a time, and yields the results in
// the order of the items, each as soon as it and those before it are done.
func inOrder[T, R any](items []T, work func(T) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		results := make([]chan R, len(items))
		for i := range results {
			results[i] = make(chan R, 1)
		}
		free := make(chan struct{}, runtime.GOMAXPROCS(0))
		stop := make(chan struct{})
		started := make(chan struct{})
		go func() {
			defer close(started)
			for i, item := range items {
				select {
				case free <- struct{}{}:
				case <-stop:
					return
				}
				go func() {
					results[i] <- work(item)
					<-free
				}()
			}
		}()
		defer func() {
			close(stop)
			<-started
		}()
		for _, r := range results {
			if !yield(<-r) {
				return
			}
		}
	}
}
