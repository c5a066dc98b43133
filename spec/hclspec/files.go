package hclspec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gpflow/gpflow/spec/diag"
)

// The names of files of pipelines.
const (
	extension = ".gp.hcl"
	plainName = "pipeline.hcl"
)

// maxSize bounds the files that are read, in bytes.
const maxSize = 16 << 20

// find returns the files that paths stand for, each once.
func (r *reader) find(paths []string) []string {
	var files []string
	if len(paths) == 0 {
		r.cannot(diag.CodeNoFile, "", "no file was named", "", "Name a file or a directory.")
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			r.unreadable(path, err)
		case info.IsDir():
			files = append(files, r.directory(path)...)
		default:
			files = append(files, path)
		}
	}
	seen := make(map[string]bool)
	return slices.DeleteFunc(files, func(f string) bool {
		twice := seen[filepath.Clean(f)]
		seen[filepath.Clean(f)] = true
		return twice
	})
}

func (r *reader) directory(path string) []string {
	entries, err := os.ReadDir(path)
	if err != nil {
		r.unreadable(path, err)
		return nil
	}
	var files []string
	plain := false
	for _, e := range entries {
		switch {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case strings.HasSuffix(e.Name(), extension):
			files = append(files, filepath.Join(path, e.Name()))
		case e.Name() == plainName:
			plain = true
		}
	}
	if len(files) == 0 && plain {
		files = append(files, filepath.Join(path, plainName))
	}
	if len(files) == 0 {
		r.cannot(diag.CodeNothingToDo, path, "there is no pipeline in the directory",
			fmt.Sprintf("A pipeline is made of the files of a directory whose names end in %s, or of its file %s.", extension, plainName), "Name another directory, or a file.")
	}
	return files
}

func (r *reader) cannot(code, file, summary, detail, fix string) {
	r.broken = true
	r.diags = append(r.diags, diag.Diagnostic{Code: code, Range: diag.Range{File: file}, Summary: summary, Detail: detail, Fix: fix})
}

func (r *reader) unreadable(path string, err error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint := ""
		if entries, err := os.ReadDir(filepath.Dir(path)); err == nil {
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			if near := diag.Suggest(filepath.Base(path), names); near != "" {
				hint = fmt.Sprintf("Did you mean %q?", filepath.Join(filepath.Dir(path), near))
			}
		}
		r.cannot(diag.CodeNoFile, path, "there is no such file or directory", "", hint)
	case errors.Is(err, fs.ErrPermission):
		r.cannot(diag.CodeNoFile, path, "the file may not be read", "This user has no permission to read it.", "Change the permissions, or run as another user.")
	default:
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		r.cannot(diag.CodeNoFile, path, "the file cannot be read", fmt.Sprintf("The system says: %v.", err), "")
	}
}

// read reads a file of text.
func (r *reader) read(name string) ([]byte, bool) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxSize {
		r.cannot(diag.CodeTooBig, name, "the file is too big", fmt.Sprintf("It has %d bytes, and a file of a specification at most %d.", info.Size(), maxSize),
			"Spread the pipeline over several files of one directory.")
		return nil, false
	}
	src, err := os.ReadFile(name)
	if err != nil {
		r.unreadable(name, err)
		return nil, false
	}
	return r.clean(name, src)
}
