package filesource

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

// enumerator finds the files, once.
type enumerator struct {
	*source
	done   bool
	passed map[string]bool // what has been said to be passed over
}

// found is a file to be read.
type found struct {
	path string
	info fs.FileInfo
}

// pass says, once, that a file is not read.
func (e *enumerator) pass(path, why string) {
	if e.passed[path] {
		return
	}
	if e.passed == nil {
		e.passed = make(map[string]bool)
	}
	e.passed[path] = true
	e.log.Warn("a file is passed over", "path", path, "because", why)
}

// Discover returns one split a file, or several ranges of it, in the order in
// which they are to be read.
func (e *enumerator) Discover(ctx context.Context) ([]gpflow.Split, bool, error) {
	if e.done {
		return nil, true, nil
	}
	sorted, err := e.files(ctx)
	if err != nil {
		return nil, false, err
	}
	whole := make([]splitData, len(sorted))
	for i, f := range sorted {
		d, err := e.describe(f)
		if err != nil {
			return nil, false, err
		}
		whole[i] = d
	}
	parts := cut(whole, e.parts, e.minRange)
	if err := mark(parts); err != nil {
		return nil, false, err
	}
	var splits []gpflow.Split
	for _, d := range parts {
		splits = append(splits, d.split())
	}
	e.done = true
	return splits, true, nil
}

// reportNew says that there are files that were not there when the known splits
// were found, and are not read therefore. What is gone is its reader's affair.
func (e *enumerator) reportNew(known []gpflow.Split) {
	paths := make(map[string]bool)
	for _, k := range known {
		if d, err := decodeSplit(k); err == nil {
			paths[d.Path] = true
		}
	}
	files, err := e.files(context.Background())
	files = slices.DeleteFunc(files, func(f found) bool { return paths[f.path] })
	if err != nil || len(files) == 0 {
		return
	}
	e.log.Warn("files have appeared since the pipeline began, and are not read; read them with another run, or all anew with --fresh, or follow the path",
		"files", len(files), "first", files[0].path)
}

// files returns the files that the paths name, in the order in which they are
// to be read.
func (e *enumerator) files(ctx context.Context) ([]found, error) {
	files := make(map[string]found)
	for _, p := range e.paths {
		if err := e.expand(ctx, p, files); err != nil {
			return nil, err
		}
	}
	sorted := make([]found, 0, len(files))
	for _, f := range files {
		sorted = append(sorted, f)
	}
	slices.SortFunc(sorted, func(a, b found) int {
		if e.order == orderMtime {
			if c := a.info.ModTime().Compare(b.info.ModTime()); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.path, b.path)
	})
	return sorted, nil
}

// Close does nothing.
func (e *enumerator) Close() error { return nil }

// expand adds the files that one path names.
func (e *enumerator) expand(ctx context.Context, path string, files map[string]found) error {
	if path == stdin {
		info, err := e.stdin.Stat()
		if err != nil {
			return fmt.Errorf("read standard input: %w", reason(err))
		}
		files[stdin] = found{stdin, info}
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil:
		return e.add(ctx, path, info, files)
	case e.follow && errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(path, `*?[`):
		return nil // not yet
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("read %s: %w%s", path, reason(err), denied(err))
	case !strings.ContainsAny(path, `*?[`):
		return fmt.Errorf("read %s: %w; path names a file, a directory or a pattern, from the directory that gpflow was started in", path, reason(err))
	}
	matches, err := filepath.Glob(path)
	if err != nil {
		return fmt.Errorf("read %s: it is not a pattern; write \\[ where the name has a [", path)
	}
	n := 0
	dotted := strings.HasPrefix(filepath.Base(path), ".")
	for _, m := range matches {
		if strings.HasPrefix(filepath.Base(m), ".") && !dotted {
			continue
		}
		n++
		info, err := os.Stat(m)
		if e.follow && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s, found by %s: %w", m, path, reason(err))
		}
		if err := e.add(ctx, m, info, files); err != nil {
			return err
		}
	}
	if n == 0 && !e.follow {
		return fmt.Errorf("no file matches %s; a * matches within one directory, and no hidden files", path)
	}
	return nil
}

// add adds a file, or all files of a directory.
func (e *enumerator) add(ctx context.Context, path string, info fs.FileInfo, files map[string]found) error {
	path = filepath.Clean(path)
	if !info.IsDir() {
		files[path] = found{path, info}
		return nil
	}
	n := 0
	root := strings.TrimSuffix(path, "/") + "/" // the directory, where path is a link to it
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if e.follow && errors.Is(err, fs.ErrNotExist) {
			return nil // gone meanwhile
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if p != root && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		read, err := e.entry(p, files)
		if read {
			n++
		}
		return err
	})
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case err != nil:
		return fmt.Errorf("read the directory %s: %w%s", path, err, denied(err))
	case n == 0 && !e.follow:
		return fmt.Errorf("the directory %s holds no files to read; hidden ones are not read, and a path may name one of them", path)
	}
	return nil
}

// entry adds a file of a directory, and reports whether it is one to be read.
func (e *enumerator) entry(path string, files map[string]found) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case e.follow && errors.Is(err, fs.ErrNotExist):
		return false, nil // gone meanwhile
	case err != nil:
		return false, err
	case info.IsDir():
		e.pass(path, "it is a symbolic link to a directory; name it in path to have its files read")
		return false, nil
	case !info.Mode().IsRegular():
		e.pass(path, "it is not a regular file but "+info.Mode().Type().String())
		return false, nil
	}
	files[path] = found{path, info}
	return true, nil
}

// describe says how a file is to be read as a whole.
func (e *enumerator) describe(f found) (splitData, error) {
	d := splitData{
		Path: f.path, Format: e.format, Compression: e.compression, To: math.MaxInt64,
		Size: f.info.Size(), Stream: f.path == stdin || !f.info.Mode().IsRegular(),
	}
	if d.Format == "" {
		d.Format = catalog.FormatOf(f.path)
	}
	if d.Compression == catalog.Auto {
		d.Compression = catalog.CompressionOf(f.path)
	}
	switch {
	case d.Format == "":
		return d, fmt.Errorf("read %s: its name does not say the format of its records; set format to one of %s",
			f.path, strings.Join(catalog.Names(), ", "))
	case d.Format != "lines" && e.anySchema:
		return d, fmt.Errorf("read %s: its format is %s, which needs a schema; add schema = schema.NAME to the source", f.path, d.Format)
	}
	if err := catalog.Check(d.Format, e.decoder.Declared); err != nil {
		return d, fmt.Errorf("read %s: the format %s cannot carry the schema: %w", f.path, d.Format, err)
	}
	return d, nil
}

// mark gives ranges the fingerprints of their files.
func mark(parts []splitData) error {
	for i := range parts {
		d := &parts[i]
		switch {
		case d.To == math.MaxInt64 && d.From == 0:
			continue
		case d.From > 0 && i > 0 && parts[i-1].Path == d.Path:
			d.Head = parts[i-1].Head
			continue
		}
		f, err := d.openFile()
		if err != nil {
			return err
		}
		d.Head, err = headOf(f, headSize)
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("read %s: %w", d.Path, reason(err))
		}
	}
	return nil
}

// cut cuts files into ranges, so that there are at least parts splits of about
// one size, none below least bytes. Files whose records cannot be found from
// the middle stay whole.
func cut(whole []splitData, parts int, least int64) []splitData {
	if parts <= 1 {
		return whole
	}
	var total int64
	for _, d := range whole {
		total += d.Size
	}
	size := max(least, (total+int64(parts)-1)/int64(parts))
	var out []splitData
	for _, d := range whole {
		n := min((d.Size+size-1)/size, d.Size/least)
		if n < 2 || d.Stream || d.Compression != catalog.None || !catalog.Splittable(d.Format) {
			out = append(out, d)
			continue
		}
		for i := range n {
			part := d
			part.From = d.Size / n * i
			if i < n-1 {
				part.To = d.Size / n * (i + 1)
			}
			out = append(out, part)
		}
	}
	return out
}
