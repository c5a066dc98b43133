package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// copySpecs are one pipeline in both syntaxes, from a file to a file.
var copySpecs = map[string]string{
	"p.hcl": `
pipeline "p" {}
variable "in" {}
variable "out" {}
source "file" "in" {
  path   = var.in
  schema = { n = int, text = string }
}
sink "file" "out" {
  from = source.in
  path = var.out
}
`,
	"p.yaml": `
pipeline: {p: {}}
variable: {in: {}, out: {}}
source:
  file:
    in: {path: "${var.in}", schema: {n: int, text: string}}
sink:
  file:
    out: {from: source.in, path: "${var.out}"}
`,
}

// Places of the nodes of copySpecs.
var copyPlaces = map[string]struct{ in, out string }{
	"p.hcl":  {"p.hcl:5,1: source.in", "p.hcl:9,1: sink.out"},
	"p.yaml": {"p.yaml:6,5: source.in", "p.yaml:9,5: sink.out"},
}

// workplace makes a directory that every user may enter, with copySpecs and
// in.jsonl, of so many records.
func workplace(t *testing.T, records int) string {
	t.Helper()
	dir := t.TempDir()
	var in strings.Builder
	for i := range records {
		fmt.Fprintf(&in, `{"n":%d,"text":"%s"}`+"\n", i, strings.Repeat("x", 80))
	}
	put(t, filepath.Join(dir, "in.jsonl"), in.String())
	for name, spec := range copySpecs {
		put(t, filepath.Join(dir, name), spec)
	}
	return dir
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lineage is what the names of staged files have behind them.
var lineage = regexp.MustCompile("-[0-9a-f]{32}")

// refused runs a command, which has to exit with 1 and to say want and nothing
// else on its standard error, but for lineages.
func refused(t *testing.T, cmd *exec.Cmd, want string) {
	t.Helper()
	var talk bytes.Buffer
	cmd.Stderr = &talk
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || lineage.ReplaceAllString(talk.String(), "") != "gpflow: "+want+"\n" {
		t.Errorf("%s: %v; it says\n%swant\ngpflow: %s", cmd, err, talk.String(), want)
	}
}

// The disk is full: the file that was there stays, or there is none.
func TestDiskFull(t *testing.T) {
	dir := workplace(t, 40_000)
	own := "-m"
	if os.Geteuid() != 0 {
		own = "-rm"
	}
	if out, err := exec.Command("unshare", own, "true").CombinedOutput(); err != nil {
		t.Skipf("no small disk can be mounted here: unshare %s: %v %s", own, err, out)
	}
	for _, packed := range []string{"", ".gz"} {
		for spec, at := range copyPlaces {
			// The mount is seen by this shell alone, and ends with it.
			const script = `
mkdir -p small && mount -t tmpfs -o size=16k none small || exit 9
printf old >"small/old.jsonl$2"
for name in old new; do
  "$0" run --quiet "$1" --var in=in.jsonl --var out="small/$name.jsonl$2" 2>"talk.$name"
  echo $? >"code.$name"
done
ls small >ls; cat "small/old.jsonl$2" >kept`
			cmd := exec.Command("unshare", own, "sh", "-c", script, binary(t), spec, packed)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			want := map[string]string{"code.old": "1\n", "code.new": "1\n", "kept": "old", "ls": "old.jsonl" + packed + "\n"}
			for _, name := range []string{"old", "new"} {
				want["talk."+name] = fmt.Sprintf("gpflow: %s[0]: write the output for small/%s.jsonl%s: no space left on device; "+
					"the file itself has not been touched; make room there, or choose another path, and run the pipeline again\n"+
					"  To have tried again what may pass, set on_error = \"retry\" in that node\n", at.out, name, packed)
			}
			for file, text := range want { // the compressor may have kept all until it was closed
				if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || strings.Replace(string(got), "[0]: prepare the output:", "[0]:", 1) != text {
					t.Errorf("%s%s: %s is %q, want %q, %v", spec, packed, file, got, text, err)
				}
			}
		}
	}
}

// nobody is a user without rights, and makes cmd run as it where this user may
// do all.
func nobody(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return cmd
}

// Files and directories that may not be read or written.
func TestNoPermission(t *testing.T) {
	bin := binary(t)
	dir := workplace(t, 2)
	if err := errors.Join(os.Chmod(filepath.Dir(bin), 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "shut.jsonl"), "{}")
	for _, name := range []string{"tree", "tree/shut", "locked", "open", ".gpflow"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "tree/a.jsonl"), "")
	put(t, filepath.Join(dir, "tree/shut/a.jsonl"), "")
	put(t, filepath.Join(dir, "locked/old.jsonl"), "old")
	for name, mode := range map[string]os.FileMode{"tree/shut": 0, "locked": 0o555, "open": 0o777, ".gpflow": 0o777, "shut.jsonl": 0} {
		path := filepath.Join(dir, name)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(path, 0o755) }) // so that it can be removed
	}
	const mayRead = "permission denied; give the user that runs gpflow the permission to read it"
	const may = "permission denied; gpflow has to write in the directory of the file: give it the permission, or choose another path"
	for spec, at := range copyPlaces {
		for _, c := range []struct{ in, out, want string }{
			{"shut.jsonl", "open/out.jsonl", at.in + "[0]: open shut.jsonl: " + mayRead},
			{"tree", "open/out.jsonl", at.in + ": read the directory tree: open tree/shut: " + mayRead},
			{"tree/shut/a.jsonl", "open/out.jsonl", at.in + ": read tree/shut/a.jsonl: " + mayRead},
			{"in.jsonl", "locked/new.jsonl", at.out + ": stage the output for locked/new.jsonl in locked/.new.jsonl.gpflow-staged: " + may},
			{"in.jsonl", "locked/old.jsonl", at.out + ": stage the output for locked/old.jsonl in locked/.old.jsonl.gpflow-staged: " + may},
			{"in.jsonl", "locked/deep/new.jsonl", at.out + ": make the directory of locked/deep/new.jsonl: mkdir locked/deep: " + may},
			{"in.jsonl", "tree/shut/new.jsonl", at.out + ": write tree/shut/new.jsonl: " + may},
		} {
			cmd := nobody(t, exec.Command(bin, "run", "--quiet", spec, "--var", "in="+c.in, "--var", "out="+c.out))
			cmd.Dir = dir
			refused(t, cmd, c.want)
		}
		cmd := nobody(t, exec.Command(bin, "run", "--quiet", spec, "--var", "in=in.jsonl", "--var", "out=open/out.jsonl", "--summary", "locked/ledger.json"))
		cmd.Dir = dir
		refused(t, cmd, "--summary locked/ledger.json: permission denied; name a file in a directory that exists and can be written. The pipeline was not started")
	}
	left, err := os.ReadDir(filepath.Join(dir, "open"))
	for _, e := range left {
		if !strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is there", e.Name())
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// A file that is cut while it is read ends the run; its records do not pass for
// all there were. One that is removed while it is read is read to its end.
func TestFileChangesWhileItIsRead(t *testing.T) {
	const records = 100_000
	spec := `
pipeline "p" {}
source "file" "in" {
  path   = "in.jsonl"
  schema = { n = int, text = string }
}
sink "file" "out" {
  from = source.in
  path = "out.jsonl"
}
sink "stdout" "screen" { from = source.in }
`
	for _, change := range []string{"cut", "removed"} {
		source := filepath.Join(workplace(t, records), "in.jsonl")
		p := start(t, strings.Replace(spec, "in.jsonl", source, 1), "--quiet")
		if _, err := p.screen.ReadByte(); err != nil { // the rest is not read, and so holds the source
			t.Fatalf("%v; it says\n%s", err, p.talk)
		}
		var err error
		if change == "cut" {
			err = os.Truncate(source, 1<<20)
		} else {
			err = os.Remove(source)
		}
		if err != nil {
			t.Fatal(err)
		}
		screen, err := io.ReadAll(p.screen)
		if err != nil {
			t.Fatal(err)
		}
		_, missing := os.Stat(filepath.Join(p.dir, "out.jsonl"))
		if change == "removed" {
			p.ends(0)
			if n := bytes.Count(screen, []byte("\n")); n != records || missing != nil {
				t.Errorf("%d records, %v", n, missing)
			}
			continue
		}
		p.ends(1)
		if !errors.Is(missing, os.ErrNotExist) {
			t.Errorf("the output of a file that was cut is there: %v", missing)
		}
		if talk := p.talk.String(); !strings.Contains(talk, "p.hcl:3,1: source.in[0]: read "+source+": it had ") ||
			!strings.Contains(talk, "it was cut while it was read: run the pipeline again when the file is complete") {
			t.Errorf("it says\n%s", talk)
		}
	}
}

// Two runs do not write one file: the second is refused, and the first goes on.
func TestTwoRunsOfOneFile(t *testing.T) {
	p := start(t, endless)
	if _, err := p.screen.ReadBytes('\n'); err != nil {
		t.Fatalf("%v; it says\n%s", err, p.talk)
	}
	other := strings.Replace(endless, `pipeline "endless"`, `pipeline "other"`, 1)
	put(t, filepath.Join(p.dir, "other.hcl"), other)
	for spec, want := range map[string]string{
		"other.hcl": "another run, is writing the same file",
		"p.hcl":     "the pipeline endless is running already: ",
	} {
		cmd := exec.Command(binary(t), "run", "--quiet", spec)
		cmd.Dir = p.dir
		var talk bytes.Buffer
		cmd.Stderr = &talk
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(talk.String(), want) {
			t.Errorf("the second run, of %s: %v; it says\n%s", spec, err, talk.String())
		}
	}
	p.signal(os.Interrupt)
	if _, err := io.Copy(io.Discard, p.screen); err != nil {
		t.Fatal(err)
	}
	p.ends(0)
}

// The disk is full, and is freed again while a sink with on_error = "retry" waits: the
// run goes on, and every record is there once.
func TestDiskFullAndFreed(t *testing.T) {
	dir := workplace(t, 40_000)
	own := "-m"
	if os.Geteuid() != 0 {
		own = "-rm"
	}
	if out, err := exec.Command("unshare", own, "true").CombinedOutput(); err != nil {
		t.Skipf("no small disk can be mounted here: unshare %s: %v %s", own, err, out)
	}
	put(t, filepath.Join(dir, "retry.hcl"), strings.Replace(copySpecs["p.hcl"], "path = var.out", `path = var.out
  on_error {
    action  = "retry"
    retries = 1000
    backoff = "10ms"
  }`, 1))
	const script = `
mkdir -p small && mount -t tmpfs -o size=8m none small || exit 9
dd if=/dev/zero of=small/filler bs=4k count=2040 2>/dev/null
"$0" run --quiet retry.hcl --var in=in.jsonl --var out=small/out.jsonl 2>talk &
tries=0
until grep -q "is made again" talk; do
  tries=$((tries + 1)); [ $tries -lt 1200 ] || exit 8
  sleep 0.1
done
rm small/filler
wait $! || exit 7
cp small/out.jsonl out.jsonl`
	cmd := exec.Command("unshare", own, "sh", "-c", script, binary(t))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		talk, _ := os.ReadFile(filepath.Join(dir, "talk"))
		t.Fatalf("%v: %s; the run says %s", err, out, talk)
	}
	want, err := os.ReadFile(filepath.Join(dir, "in.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes are written of %d, or others: %v", len(got), len(want), err)
	}
}
