package main

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "write docs/reference/operators.md anew")

// TestReference: the reference of operators is what the program says.
func TestReference(t *testing.T) {
	const name = "../../docs/reference/operators.md"
	want, err := exec.Command(binary(t), "operators", "show", "--format", "markdown").Output()
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what gpflow operators show says; run go test ./cmd/gpflow -run TestReference -rewrite", name)
	}
}

// TestDocumentation types what the documentation says to type, and compares
// what it says comes out.
//
// In a block ```console, a line that begins with "$ " is run by a shell, in a
// copy of the repository that the blocks of one document share. What follows
// it is what it prints, to the output and the error output together; a line
// "..." stands for any number of lines, and "..." within one for any text. One
// that ends with "&" runs beside those behind it, which are tried again until
// they print what they should; what it prints itself is not looked at. A
// make that prints nothing is not run, but its target must exist. A block with
// file=PATH behind the language is written to that file.
func TestDocumentation(t *testing.T) {
	root := repository(t)
	for _, name := range documents(t, root) {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			d := &document{t: t, name: name}
			for _, b := range blocks(string(text)) {
				d.block(root, b)
			}
		})
	}
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// documents returns the paths of the documents, from the root.
func documents(t *testing.T, root string) []string {
	t.Helper()
	names := []string{"README.md", "CONTRIBUTING.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(at string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(at) != ".md" {
			return err
		}
		name, err := filepath.Rel(root, at)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// fenced is a block of a document.
type fenced struct {
	info  string // behind the fence
	line  int    // of the fence, from 1
	lines []string
}

// blocks returns the fenced blocks of a document.
func blocks(text string) []fenced {
	var all []fenced
	inside := false
	for i, line := range strings.Split(text, "\n") {
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !inside:
			all = append(all, fenced{info: info, line: i + 1})
			inside = true
		case fence:
			inside = false
		case inside:
			b := &all[len(all)-1]
			b.lines = append(b.lines, line)
		}
	}
	return all
}

// document is a document that is being tried.
type document struct {
	t    *testing.T
	name string
	dir  string // a copy of the repository; "": not made yet
	ran  bool   // a command runs beside the others, or has
}

func (d *document) block(root string, b fenced) {
	language, attributes, _ := strings.Cut(b.info, " ")
	file, isFile := strings.CutPrefix(attributes, "file=")
	if !isFile && language != "console" {
		return
	}
	if d.dir == "" {
		d.dir = d.t.TempDir()
		copyRepository(d.t, root, d.dir)
	}
	if isFile {
		d.write(file, strings.Join(b.lines, "\n")+"\n")
		return
	}
	for i := 0; i < len(b.lines); {
		command, ok := strings.CutPrefix(b.lines[i], "$ ")
		if !ok {
			d.t.Fatalf("%s:%d: output before the first command", d.name, b.line+1+i)
		}
		at := b.line + 1 + i
		i++
		from := i
		for i < len(b.lines) && !strings.HasPrefix(b.lines[i], "$ ") {
			i++
		}
		d.command(at, command, b.lines[from:i])
	}
}

func (d *document) write(file, text string) {
	d.t.Helper()
	name := filepath.Join(d.dir, filepath.FromSlash(file))
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, []byte(text), 0o644)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// programs are what a document may run.
var programs = []string{"gpflow", "bin/gpflow", "cat", "head", "wc", "ls", "printf", "make"}

var (
	comment    = regexp.MustCompile(`\s+#.*$`)
	separators = regexp.MustCompile(`\||&&|;`)
)

// command runs a line, and compares what it prints.
func (d *document) command(line int, command string, want []string) {
	d.t.Helper()
	command = comment.ReplaceAllString(command, "")
	command, beside := strings.CutSuffix(command, " &")
	for _, part := range separators.Split(command, -1) {
		if words := strings.Fields(part); len(words) == 0 || !slices.Contains(programs, words[0]) {
			d.t.Fatalf("%s:%d: %q runs something else than %s", d.name, line, command, strings.Join(programs, ", "))
		}
	}
	if strings.ContainsAny(command, "`$()&") && !strings.Contains(command, "&&") {
		d.t.Fatalf("%s:%d: %q is more than a plain command", d.name, line, command)
	}
	if strings.HasPrefix(command, "make ") && len(want) == 0 {
		command = "make --dry-run " + strings.TrimPrefix(command, "make ") + " >/dev/null"
	}
	if beside {
		d.beside(command)
		return
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var out []byte
	for began := time.Now(); ; <-tick.C {
		var err error
		out, err = d.shell(command).CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			d.t.Fatal(err)
		}
		if pattern(want).Match(out) || !d.ran || time.Since(began) > patience/4 {
			break
		}
	}
	if !pattern(want).Match(out) {
		d.t.Errorf("%s:%d: %s\nprints\n%s\nand the document says\n%s", d.name, line, command, indented(string(out)), indented(strings.Join(want, "\n")))
	}
}

func (d *document) shell(command string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary(d.t))+string(os.PathListSeparator)+os.Getenv("PATH"), "TERM=dumb")
	return cmd
}

// beside starts a command, which is killed at the end of the test.
func (d *document) beside(command string) {
	cmd := d.shell("exec " + command)
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ran = true
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // likewise
	})
}

func indented(s string) string { return indent(strings.TrimRight(s, "\n"), "\t") }

// pattern matches what a document says a command prints. Lines without text at
// the end do not count.
func pattern(want []string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`^`)
	for _, line := range want {
		if line == "..." {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		for i, part := range strings.Split(strings.TrimRight(line, " "), "...") {
			if i > 0 {
				b.WriteString(`.*`)
			}
			b.WriteString(regexp.QuoteMeta(part))
		}
		b.WriteString(` *\n`)
	}
	b.WriteString(`\n*$`)
	return regexp.MustCompile(b.String())
}

// TestPattern: what stands for anything is "..." alone.
func TestPattern(t *testing.T) {
	for _, c := range []struct {
		want, out string
		match     bool
	}{
		{"a\nb", "a\nb\n", true},
		{"a\nb", "a\nx\nb\n", false},
		{"a\n...\nb", "a\nx\ny\nb\n\n", true},
		{"a\n...\nb", "a\nb\n", true},
		{"a\n...", "a\nb\n", true},
		{"...\na", "a\nb\n", false},
		{"took ... s", "took 1.5 s\n", true},
		{"took ... s", "took 1.5\ns\n", false},
		{"a.b", "axb\n", false},
		{"", "\n", true},
	} {
		if got := pattern(strings.Split(c.want, "\n")).MatchString(c.out); got != c.match {
			t.Errorf("%q for %q: %v", c.want, c.out, got)
		}
	}
}

// copyRepository copies what is in the repository, and not what was built.
func copyRepository(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(at string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(from, at) // at lies within
		switch {
		case err != nil:
			return err
		case e.IsDir() && (name == ".git" || name == "bin" || name == "out" || e.Name() == ".gpflow"):
			return fs.SkipDir
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !e.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it has just been removed
		} else if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}
