package filesource

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
	"github.com/gpflow/gpflow/operators/optest"
)

// drawn draws the content of a file in a format.
func drawn(t *rapid.T, format string) []byte {
	pieces := map[string][]string{
		"lines": {"one", "", "\r", "\ufeff", "\xff", strings.Repeat("x", 60), strings.Repeat("y", 61), strings.Repeat("z", 200)},
		"json": {
			`{"user":"a","n":1}`, `{"n":2,"user":"b","x":[1,{"y":"}"}]}`, `{"user":"\n"}`, "", " ", "not json", `{"n":"x"}`,
			`{"user":"` + strings.Repeat("x", 80) + `"}`, "\ufeff{}",
		},
		"csv": {
			"a,1", "b,2", `"c` + "\n" + `d",3`, `"e""",4`, "oops", "f,x", "", `"` + strings.Repeat("g\n", 50) + `",5`, "\ufeffh,6",
		},
	}[format]
	end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
	var b strings.Builder
	if rapid.Bool().Draw(t, "mark") {
		b.WriteString("\ufeff")
	}
	if format == "csv" {
		b.WriteString(rapid.SampledFrom([]string{"user,n", "n,extra,user", "\"user\",n"}).Draw(t, "header") + end)
	}
	for _, p := range rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces") {
		b.WriteString(p + end)
	}
	text := b.String()
	if format != "csv" && rapid.Bool().Draw(t, "cut") {
		text = strings.TrimSuffix(text, end)
	}
	return []byte(text)
}

// config is the configuration of a source of files in a format.
func config(format string, paths ...string) map[string]any {
	c := vals{"path": paths, "format": format, "max_record": int64(60)}
	if format != "lines" {
		c["schema"] = userSchema
	}
	return c
}

// Going on behind any poll gives what an uninterrupted reading gives.
func TestPropertyRunSource(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		format := rapid.SampledFrom([]string{"lines", "json", "csv"}).Draw(rt, "format")
		name := rapid.SampledFrom([]string{"a.x", "a.x.gz", "a.x.zst"}).Draw(rt, "name")
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, compressed(rt, catalog.CompressionOf(path), drawn(rt, format)), 0o644); err != nil {
			rt.Fatal(err)
		}
		optest.RunSource(rt, optest.SourceCase{Descriptor: &Descriptor, Config: config(format, path)})
	})
}

func TestRunSourceOfSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	for i, n := range []int{3, 0, 9, 1} {
		write(t, filepath.Join(dir, fmt.Sprintf("%d.json", i)), lines(n))
	}
	c := optest.SourceCase{Descriptor: &Descriptor, Config: vals{"path": []string{dir}, "schema": userSchema}}
	optest.RunSource(t, c)
	c.Parallelism = 3
	c.Adjust = func(s gpflow.Source) { s.(*source).minRange = 300 }
	optest.RunSource(t, c)
	c.Config["follow"] = true
	optest.RunSource(t, c)
}

// A disk that fails from time to time, amidst a record or between two, costs no
// record and gives none twice.
func TestRunSourceOfADiskThatFails(t *testing.T) {
	for _, c := range []struct {
		name, format string
		follow       bool
	}{{"a.json", "json", false}, {"a.json.gz", "json", false}, {"a.csv", "csv", false}, {"a.json", "json", true}} {
		for seed := range uint64(3) {
			path := filepath.Join(t.TempDir(), c.name)
			text := lines(40)
			if c.format == "csv" {
				text = []byte("user,n\n" + strings.Repeat("a,1\nb,2\n", 20))
			}
			if err := os.WriteFile(path, compressed(t, catalog.CompressionOf(path), text), 0o644); err != nil {
				t.Fatal(err)
			}
			random, failed := rand.New(rand.NewPCG(seed, 1)), 0
			config := config(c.format, path)
			config["follow"] = c.follow
			optest.RunSource(t, optest.SourceCase{
				Descriptor: &Descriptor, Config: config,
				Adjust: func(s gpflow.Source) {
					s.(*source).before = func() error {
						if random.IntN(3) > 0 {
							return nil
						}
						failed++
						return &os.PathError{Op: "read", Path: path, Err: syscall.EIO}
					}
				},
			})
			if failed == 0 {
				t.Error("the disk has not failed")
			}
		}
	}
}

// What is followed is read as what is not, as far as it has line ends.
func TestPropertyRunSourceFollow(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		format := rapid.SampledFrom([]string{"lines", "json", "csv"}).Draw(rt, "format")
		path := filepath.Join(dir, "a.x")
		if err := os.WriteFile(path, drawn(rt, format), 0o644); err != nil {
			rt.Fatal(err)
		}
		c := config(format, path)
		c["follow"] = true
		optest.RunSource(rt, optest.SourceCase{Descriptor: &Descriptor, Config: c})
	})
}

// complaint is what a case that is to fail says.
type complaint struct{ said string }

func (f *complaint) Helper() {}

func (f *complaint) Errorf(format string, args ...any) { f.said += fmt.Sprintf(format, args...) }

func (f *complaint) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}

func (f *complaint) run(c optest.SourceCase) {
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
	}()
	optest.RunSource(f, c)
}

func TestPositionOffByOneIsFound(t *testing.T) {
	for _, follow := range []bool{false, true} {
		path := write(t, "a.json", lines(10))
		var f complaint
		f.run(optest.SourceCase{
			Descriptor: &Descriptor, Config: vals{"path": []string{path}, "schema": userSchema, "follow": follow},
			Adjust: func(s gpflow.Source) { s.(*source).bugs.positionOffByOne = true },
		})
		if !strings.Contains(f.said, "gone on with behind") {
			t.Errorf("follow %t: %q", follow, f.said)
		}
	}
}
