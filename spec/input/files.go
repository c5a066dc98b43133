package input

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
var (
	extensions = []string{".gp.hcl", ".gp.yaml", ".gp.yml"}
	plainNames = []string{"pipeline.hcl", "pipeline.yaml", "pipeline.yml"}
)

// maxSize bounds the files that are read, in bytes.
const maxSize = 16 << 20

// Find returns the files that paths stand for, each once. A directory stands
// for those of its files that are named as files of a pipeline.
func (r *Reader) Find(paths []string) []string {
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

func (r *Reader) directory(path string) []string {
	entries, err := os.ReadDir(path)
	if err != nil {
		r.unreadable(path, err)
		return nil
	}
	var files, plain []string
	for _, e := range entries {
		switch {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case slices.ContainsFunc(extensions, func(x string) bool { return strings.HasSuffix(e.Name(), x) }):
			files = append(files, filepath.Join(path, e.Name()))
		case slices.Contains(plainNames, e.Name()):
			plain = append(plain, filepath.Join(path, e.Name()))
		}
	}
	if len(files) == 0 {
		files = plain
	}
	if len(files) == 0 {
		r.cannot(diag.CodeNothingToDo, path, "there is no pipeline in the directory",
			"A pipeline is made of the files of a directory whose names end in .gp.hcl or .gp.yaml, or of its file pipeline.hcl or pipeline.yaml.", "Name another directory, or a file.")
	}
	return files
}

func (r *Reader) cannot(code, file, summary, detail, fix string) {
	r.broken = true
	r.diags = append(r.diags, diag.Diagnostic{Code: code, Range: diag.Range{File: file}, Summary: summary, Detail: detail, Fix: fix})
}

func (r *Reader) unreadable(path string, err error) {
	target, linked := os.Readlink(path)
	switch {
	case linked == nil && errors.Is(err, fs.ErrNotExist):
		r.cannot(diag.CodeNoFile, path, "the file is a link that leads nowhere", fmt.Sprintf("It leads to %s, which does not exist.", target), "Point it to a file that is there, or name that file.")
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

// Read reads a file of text. ok is false where that failed, which is reported.
func (r *Reader) Read(name string) (src []byte, ok bool) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxSize {
		r.cannot(diag.CodeTooBig, name, "the file is too big", fmt.Sprintf("It has %d bytes, and a file of a specification at most %d.", info.Size(), maxSize),
			"Spread the pipeline over several files of one directory.")
		return nil, false
	}
	src, err = os.ReadFile(name)
	if err != nil {
		r.unreadable(name, err)
		return nil, false
	}
	return r.clean(name, src)
}
