package filesource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats/catalog"
)

// lines makes n JSON records of various lengths.
func lines(n int) []byte {
	var b bytes.Buffer
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		fmt.Fprintf(&b, `{"user":"u%d%s","other":[1,2],"n":%d}`+"\n", i, strings.Repeat("x", r.IntN(300)), i)
	}
	return b.Bytes()
}

func TestReadsEveryKindOfFile(t *testing.T) {
	content := lines(5000)
	for _, name := range []string{"a.json", "a.jsonl.gz", "a.NDJSON.zst"} {
		t.Run(name, func(t *testing.T) {
			path := write(t, name, content)
			s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema}})
			got, err := drain(s, discover(t, s), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 5000 {
				t.Fatalf("%d records", len(got))
			}
			offset := 0
			for i, r := range got {
				if r.split != path || r.pos != int64(offset) || r.line != int64(i+1) || !strings.HasSuffix(r.text, fmt.Sprint("|", i)) || r.code != "" {
					t.Fatalf("record %d is %+v, and stands at %d", i, r, offset)
				}
				offset += bytes.IndexByte(content[offset:], '\n') + 1
			}
		})
	}
}

func TestDecodesWhatIsRead(t *testing.T) {
	path := write(t, "a.json", lines(2000))
	for _, columns := range [][]string{{"n"}, {"user"}, {}} {
		read := userSchema.Select(func(c string) bool { return slices.Contains(columns, c) })
		s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema}, read: read})
		got, err := drain(s, discover(t, s), nil)
		if err != nil || len(got) != 2000 {
			t.Fatalf("%q: %d records, %v", columns, len(got), err)
		}
		if len(columns) == 1 && columns[0] == "n" && got[1999].text != "1999" {
			t.Errorf("the last record is %+v", got[1999])
		}
	}
}

func TestBadRecordsFailAlone(t *testing.T) {
	path := write(t, "a.json", []byte("{\"user\":\"a\",\"n\":1}\n\nnot json\n{\"user\":\"b\",\"n\":2,\"x\":1}\r\n{\"user\":\"c\",\"n\":3}"))
	s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema, "unknown_fields": "error"}})
	got, err := drain(s, discover(t, s), nil)
	want := []record{
		{path, 0, 1, "a|1", ""},
		{path, 20, 3, "not json", "decode"},
		{path, 29, 4, `{"user":"b","n":2,"x":1}`, "decode"},
		{path, 55, 5, "c|3", ""},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
}

func TestCSVPositions(t *testing.T) {
	path := write(t, "a.csv", []byte("n;extra;user\r\n1;x;\"a\nb\"\"c\"\r\n\r\n2;y;d\n3;oops\n4;z;e"))
	s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema, "csv": csvBlock(true, ";")}})
	want := []record{
		{path, 14, 2, "a\nb\"c|1", ""},
		{path, 30, 5, "d|2", ""},
		{path, 36, 6, "3;oops", "decode"},
		{path, 43, 7, "e|4", ""},
	}
	splits := discover(t, s)
	got, err := drain(s, splits, nil)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("got %v, %v\nwant %v", got, err, want)
	}
	for i, w := range want {
		got := resumed(t, s, splits[0], place{w.pos, w.line})
		if !slices.Equal(got, want[i:]) {
			t.Errorf("from %d: got %v", w.pos, got)
		}
	}
}

func csvBlock(header bool, delimiter string) gpflow.Config {
	i := slices.IndexFunc(fields, func(f gpflow.Field) bool { return f.Name == "csv" })
	return gpflow.NewConfig(fields[i].Fields, vals{"header": header, "delimiter": delimiter})
}

func TestCSVHeader(t *testing.T) {
	path := write(t, "a.csv", []byte("1,a\n"))
	s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema}})
	if _, err := drain(s, discover(t, s), nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a header that lacks the columns gives %v", err)
	}
	path = write(t, "b.csv", []byte("a,1\nb,2\n"))
	s = open(t, options{vals: vals{"path": []string{path}, "schema": userSchema, "csv": csvBlock(false, ",")}})
	got, err := drain(s, discover(t, s), nil)
	if err != nil || !slices.Equal(texts(got), []string{"a|1", "b|2"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

// resumed reads a split from a place to its end.
func resumed(t failure, s *source, split gpflow.Split, from place) []record {
	r, err := s.Reader(&gpflow.ReaderContext{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Assign(split, position{place: from, head: headOfSplit(t, split)}.encode()); err != nil {
		t.Fatal(err)
	}
	_, _, got, err := drainOne(r, nil, nil, nil)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return got
}

// content draws text of lines, some of them long, blank or without an end.
func content(t *rapid.T) []byte {
	b := []byte(strings.Join(rapid.SliceOfN(rapid.OneOf(
		rapid.StringMatching(`[a-z"]{0,12}\r?`),
		rapid.StringMatching(`[a-z]{60,200}`),
	), 0, 40).Draw(t, "lines"), "\n"))
	if rapid.Bool().Draw(t, "ends") {
		b = append(b, '\n')
	}
	return b
}

// Every record is read exactly once, wherever the file is cut.
func TestPropertyRanges(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		data := content(rt)
		path := dir + "/a.log"
		if err := os.WriteFile(path, data, 0o644); err != nil {
			rt.Fatal(err)
		}
		o := options{vals: vals{"path": []string{path}, "max_record": int64(100)}}
		whole, err := drain(open(t, o), discover(rt, open(t, o)), nil)
		if err != nil {
			rt.Fatal(err)
		}
		o.parallelism = rapid.IntRange(2, 9).Draw(rt, "parts")
		o.minRange = rapid.Int64Range(1, 30).Draw(rt, "least")
		s := open(t, o)
		ranges, err := drain(s, discover(rt, s), func() bool { return rapid.Bool().Draw(rt, "stop") })
		if err != nil {
			rt.Fatal(err)
		}
		same := func(a, b record) bool {
			return a.pos == b.pos && a.text == b.text && a.code == b.code && (a.line == b.line || b.line == 0)
		}
		if !slices.EqualFunc(whole, ranges, same) {
			rt.Fatalf("whole  %v\nranges %v", whole, ranges)
		}
	})
}

// Whatever the format and the compression, reading from a record's position
// gives that record and the rest.
func TestPropertyResume(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom([]string{"a.log", "a.csv", "a.log.gz", "a.csv.zst"}).Draw(rt, "name")
		data := content(rt)
		if strings.Contains(name, "csv") {
			data = append([]byte("line\n"), data...)
		}
		path := dir + "/" + name
		if err := os.WriteFile(path, compressed(rt, catalog.CompressionOf(path), data), 0o644); err != nil {
			rt.Fatal(err)
		}
		s := open(t, options{vals: vals{"path": []string{path}, "schema": linesSchema(), "max_record": int64(100)}})
		split := discover(rt, s)
		whole, err := drain(s, split, nil)
		if err != nil {
			rt.Fatal(err)
		}
		if len(whole) == 0 {
			return
		}
		i := rapid.IntRange(0, len(whole)-1).Draw(rt, "from")
		if whole[i].pos == 0 {
			return
		}
		if got := resumed(rt, s, split[0], place{whole[i].pos, whole[i].line}); !slices.Equal(got, whole[i:]) {
			rt.Fatalf("got  %v\nwant %v", got, whole[i:])
		}
	})
}

// Stopping after any poll and going on elsewhere loses and doubles nothing.
func TestResumeAtEveryPoll(t *testing.T) {
	for _, name := range []string{"a.json", "a.json.gz"} {
		path := write(t, name, lines(6000))
		s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema}})
		whole, err := drain(s, discover(t, s), nil)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		parts, err := drain(s, discover(t, s), func() bool { n++; return true })
		if err != nil || n < 5 || !slices.Equal(whole, parts) {
			t.Errorf("%s: %d polls, %d and %d records, %v", name, n, len(whole), len(parts), err)
		}
	}
}

func TestLongRecords(t *testing.T) {
	long := strings.Repeat("y", 3<<20)
	quoted := `"` + strings.Repeat(`a,""`+"\n", 1<<19) + `"`
	for _, c := range []struct {
		name, content string
		want          []record
	}{
		{"a.log", "one\n" + long + "\r\ntwo\n", []record{
			{"", 0, 1, "one", ""}, {"", 4, 2, long[:rawLimit], "too_long"}, {"", 4 + 3<<20 + 2, 3, "two", ""},
		}},
		{"a.log.gz", long, []record{{"", 0, 1, long[:rawLimit], "too_long"}}},
		{"a.csv", "line\n" + quoted + "\n\"b\"\n", []record{
			{"", 5, 2, quoted[:rawLimit], "too_long"}, {"", int64(5 + len(quoted) + 1), 3 + 1<<19, "b", ""},
		}},
	} {
		path := write(t, c.name, []byte(c.content))
		for i := range c.want {
			c.want[i].split = path
		}
		s := open(t, options{vals: vals{"path": []string{path}, "schema": linesSchema()}})
		got, err := drain(s, discover(t, s), nil)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, and %d records", c.name, err, len(got))
		}
	}
}

func TestLongestRecord(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", ""} {
		path := write(t, "a.log", []byte(strings.Repeat("x", chunk+10)+"\n"+strings.Repeat("y", 100)+end))
		for _, c := range []struct{ max, failed int }{{99, 2}, {100, 1}, {chunk + 9, 1}, {chunk + 10, 0}} {
			s := open(t, options{vals: vals{"path": []string{path}, "max_record": int64(c.max)}})
			got, err := drain(s, discover(t, s), nil)
			failed := 0
			for _, r := range got {
				if r.code != "" {
					failed++
				}
			}
			if err != nil || len(got) != 2 || failed != c.failed {
				t.Errorf("max_record %d, end %q: %d of %d records failed, %v", c.max, end, failed, len(got), err)
			}
		}
	}
}

func TestDamagedFiles(t *testing.T) {
	content := lines(3000)
	for _, c := range []struct {
		name   string
		damage func([]byte) []byte
		want   string
	}{
		{"a.json.gz", func(b []byte) []byte { return b[:len(b)/2] }, "the gzip data is cut short after byte"},
		{"a.json.gz", func(b []byte) []byte { return b[:len(b)-3] }, fmt.Sprintf("cut short after byte %d", len(content))},
		{"a.json.gz", func(b []byte) []byte { return nil }, "cut short after byte 0"},
		{"a.json.gz", func(b []byte) []byte { b[len(b)-6] ^= 1; return b }, "gzip data is damaged"},
		{"a.json.gz", func(b []byte) []byte { return content }, "does not begin as gzip data does"},
		{"a.json.gz", func(b []byte) []byte { return content[:1] }, "does not begin as gzip data does"},
		{"a.json.gz", func(b []byte) []byte { return b[:1] }, "cut short after byte 0"},
		{"a.json.zst", func(b []byte) []byte { return b[:len(b)/2] }, "the zstd data is cut short after byte"},
		{"a.json.zst", func(b []byte) []byte { return nil }, "cut short after byte 0"},
		{"a.json.zst", func(b []byte) []byte { return content }, "does not begin as zstd data does"},
	} {
		path := write(t, c.name, content)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, c.damage(data), 0o644); err != nil {
			t.Fatal(err)
		}
		s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema}})
		got, err := drain(s, discover(t, s), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.want)
		}
		for i, r := range got {
			if r.code != "" {
				t.Errorf("%s: record %d is %+v", c.name, i, r)
			}
		}
	}
}

// A byte order mark is one at the beginning of a file only, wherever reading
// begins.
func TestByteOrderMark(t *testing.T) {
	const mark = "\ufeff"
	path := write(t, "a.log", []byte(mark+"one\n"+mark+"two\n"+mark+"three\n"))
	s := open(t, options{vals: vals{"path": []string{path}}, parallelism: 3, minRange: 8})
	got, err := drain(s, discover(t, s), func() bool { return true })
	if err != nil || !slices.Equal(texts(got), []string{"one", mark + "two", mark + "three"}) {
		t.Errorf("got %q, %v", texts(got), err)
	}
	s = open(t, options{vals: vals{"path": []string{path}}})
	if got := resumed(t, s, discover(t, s)[0], place{7, 2}); !slices.Equal(texts(got), []string{mark + "two", mark + "three"}) {
		t.Errorf("resumed: got %q", texts(got))
	}
}

// What is allocated is arenas and what belongs to a poll, nothing for a record.
func TestAllocations(t *testing.T) {
	const records = 20000
	path := write(t, "a.json", lines(records))
	s := open(t, options{vals: vals{"path": []string{path}, "schema": userSchema}})
	split := discover(t, s)[0]
	out := gpflow.NewReading(userSchema)
	n := testing.AllocsPerRun(3, func() {
		r, _ := s.Reader(&gpflow.ReaderContext{})
		if err := r.Assign(split, nil); err != nil {
			t.Fatal(err)
		}
		for done := false; !done; {
			p, err := r.Poll(context.Background(), out)
			if err != nil {
				t.Fatal(err)
			}
			done = p.Ended != ""
			if b, _, _, _ := out.TakeReading(); b != nil {
				b.Release()
			}
		}
	})
	if n > records/50 { // the race detector empties the pool of batches now and then
		t.Errorf("%v allocations for %d records", n, records)
	}
}

func TestSmallFilesHaveSmallArenas(t *testing.T) {
	path := write(t, "a.log", []byte("one\n"))
	s := open(t, options{vals: vals{"path": []string{path}}})
	d, err := decodeSplit(discover(t, s)[0])
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.open(d, position{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.fill(context.Background()); err != nil || cap(in.arena) > 2*minFree {
		t.Errorf("an arena of %d bytes, %v", cap(in.arena), err)
	}
	if err := in.close(); err != nil {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	path := write(t, "a.log", lines(10))
	s := open(t, options{vals: vals{"path": []string{path}}})
	r, _ := s.Reader(&gpflow.ReaderContext{})
	if err := r.Assign(discover(t, s)[0], nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Poll(ctx, gpflow.NewReading(linesSchema())); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestSplitsAreQueued(t *testing.T) {
	dir := tree(t, "a.log", "b.log", "c.log")
	s := open(t, options{vals: vals{"path": []string{dir}, "format": "lines"}})
	r, _ := s.Reader(&gpflow.ReaderContext{})
	for _, sp := range discover(t, s) {
		if err := r.Assign(sp, nil); err != nil {
			t.Fatal(err)
		}
	}
	var got []record
	var err error
	for range 3 {
		if _, _, got, err = drainOne(r, got, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(texts(got), []string{"a.log", "b.log", "c.log"}) {
		t.Error(got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
