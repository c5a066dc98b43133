package gpflow_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/gpflow/gpflow"
	"pgregory.net/rapid"
)

// keyValue draws a value that can be part of a key.
func keyValue() *rapid.Generator[gpflow.Value] {
	return rapid.Custom(func(t *rapid.T) gpflow.Value {
		return rapid.Custom(scalarValue).Filter(func(v gpflow.Value) bool { return v.Kind() != gpflow.KindFloat }).Draw(t, "part")
	})
}

func keyBytes(vs []gpflow.Value) (b []byte) {
	for _, v := range vs {
		b = gpflow.AppendKey(b, v)
	}
	return b
}

func TestKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(keyValue(), 0, 4).Draw(t, "key")
		b := keyBytes(vs)
		got, err := gpflow.DecodeKey(b, len(vs))
		if err != nil || !slices.EqualFunc(got, vs, gpflow.Equal) {
			t.Fatalf("%x was read as %v, %v", b, got, err)
		}
		for _, v := range got {
			for _, m := range memories(nil, v) {
				for _, o := range memories(nil, gpflow.Bytes(b)) {
					if m.from < o.to && o.from < m.to {
						t.Fatal("a decoded key shares the bytes it was read from")
					}
				}
			}
		}
		for _, n := range []int{max(len(vs)-1, 0), len(vs) + 1} {
			if _, err := gpflow.DecodeKey(b, n); err == nil && n != len(vs) {
				t.Fatalf("%x of %d columns was read as one of %d", b, len(vs), n)
			}
		}
	})
}

// TestKeyIsInjective: different keys have different bytes, also where the
// columns' boundaries could be mistaken.
func TestKeyIsInjective(t *testing.T) {
	small := rapid.OneOf(keyValue(), rapid.Map(rapid.StringOfN(rapid.SampledFrom([]rune{'a', 5, 0, 1}), 0, 3, -1), gpflow.String))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3).Draw(t, "columns")
		a := rapid.SliceOfN(small, n, n).Draw(t, "a")
		b := rapid.SliceOfN(small, n, n).Draw(t, "b")
		if bytes.Equal(keyBytes(a), keyBytes(b)) != slices.EqualFunc(a, b, gpflow.Equal) {
			t.Fatalf("%v and %v have the bytes %x and %x", a, b, keyBytes(a), keyBytes(b))
		}
	})
}

func TestDecodeKeyRefusesWhatIsNotAKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.ByteRange(0, 8))).Draw(t, "bytes")
		n := rapid.IntRange(0, 4).Draw(t, "columns")
		vs, err := gpflow.DecodeKey(b, n)
		if err == nil && !bytes.Equal(keyBytes(vs), b) {
			t.Fatalf("%x was read as the key whose bytes are %x", b, keyBytes(vs))
		}
	})
}

func TestHashKeyIsXXH64(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "bytes")
		if got, want := gpflow.HashKey(b), xxhash.Sum64(b); got != want {
			t.Fatalf("%x has the hash %016x, want %016x", b, got, want)
		}
	})
	long := bytes.Repeat([]byte("gpflow"), 100)
	for n := range long {
		if got, want := gpflow.HashKey(long[:n]), xxhash.Sum64(long[:n]); got != want {
			t.Fatalf("%d bytes have the hash %016x, want %016x", n, got, want)
		}
	}
}

func TestKeyer(t *testing.T) {
	s := gpflow.NewSchema(
		gpflow.Column{Name: "a", Type: gpflow.T(gpflow.KindInt)},
		gpflow.Column{Name: "f", Type: gpflow.T(gpflow.KindFloat)},
		gpflow.Column{Name: "b", Type: gpflow.T(gpflow.KindString).Opt()},
	)
	k, err := gpflow.NewKeyer(s, []string{"b", "a"})
	if err != nil || !slices.Equal(k.Slots(), []int{2, 0}) {
		t.Fatalf("slots %v, %v", k.Slots(), err)
	}
	row := []gpflow.Value{gpflow.Int(1), gpflow.Float(2), gpflow.String("x")}
	if got, want := k.Append([]byte("before"), row), append([]byte("before"), keyBytes([]gpflow.Value{row[2], row[0]})...); !bytes.Equal(got, want) {
		t.Errorf("key %x, want %x", got, want)
	}
	for _, columns := range [][]string{{"f"}, {"c"}, {"a", "f"}} {
		if _, err := gpflow.NewKeyer(s, columns); err == nil {
			t.Errorf("%v was taken as a key", columns)
		}
	}
}

// keyVectors are the keys of testdata/keyhash.txt.
var keyVectors = []struct {
	name string
	key  []gpflow.Value
}{
	{"no columns", nil},
	{"null", []gpflow.Value{gpflow.Null}},
	{"two nulls", []gpflow.Value{gpflow.Null, gpflow.Null}},
	{"false", []gpflow.Value{gpflow.Bool(false)}},
	{"true", []gpflow.Value{gpflow.Bool(true)}},
	{"int 0", []gpflow.Value{gpflow.Int(0)}},
	{"int 1", []gpflow.Value{gpflow.Int(1)}},
	{"int -1", []gpflow.Value{gpflow.Int(-1)}},
	{"int min", []gpflow.Value{gpflow.Int(-1 << 63)}},
	{"int max", []gpflow.Value{gpflow.Int(1<<63 - 1)}},
	{"empty string", []gpflow.Value{gpflow.String("")}},
	{"string a", []gpflow.Value{gpflow.String("a")}},
	{"string größe", []gpflow.Value{gpflow.String("größe")}},
	{"string of 127 x", []gpflow.Value{gpflow.String(strings.Repeat("x", 127))}},
	{"string of 128 x", []gpflow.Value{gpflow.String(strings.Repeat("x", 128))}},
	{"empty bytes", []gpflow.Value{gpflow.Bytes(nil)}},
	{"bytes 00 ff", []gpflow.Value{gpflow.Bytes([]byte{0, 0xff})}},
	{"timestamp 0", []gpflow.Value{gpflow.Time(0)}},
	{"timestamp 2001-01-01T00:47:00Z", []gpflow.Value{gpflow.Time(978310020000000)}},
	{"duration 1s", []gpflow.Value{gpflow.Span(gpflow.Second)}},
	{"strings a, b", []gpflow.Value{gpflow.String("a"), gpflow.String("b")}},
	{"strings ab, empty", []gpflow.Value{gpflow.String("ab"), gpflow.String("")}},
	{"string ORD, int 7, null, true", []gpflow.Value{gpflow.String("ORD"), gpflow.Int(7), gpflow.Null, gpflow.Bool(true)}},
}

var update = flag.Bool("update", false, "write the test vectors of keys anew; a changed line breaks every checkpoint")

// TestKeyVectors holds the canonical bytes and the hash to what they have
// always been.
func TestKeyVectors(t *testing.T) {
	const file = "testdata/keyhash.txt"
	var now bytes.Buffer
	fmt.Fprintf(&now, "# Keys, their canonical bytes and the hash %s of these: name, number of columns, bytes, hash.\n", gpflow.KeyHashName)
	fmt.Fprintf(&now, "# What stands here is part of every checkpoint, and does not change under this name of the hash.\n")
	for _, v := range keyVectors {
		b := keyBytes(v.key)
		fmt.Fprintf(&now, "%s\t%d\t%x\t%016x\n", v.name, len(v.key), b, gpflow.HashKey(b))
	}
	if *update {
		if err := os.WriteFile(file, now.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(now.Bytes(), want) {
		t.Errorf("keys are no longer what %s says; now:\n%s", file, &now)
	}
	for lines := bufio.NewScanner(bytes.NewReader(want)); lines.Scan(); {
		f := strings.Split(lines.Text(), "\t")
		if len(f) != 4 {
			continue
		}
		if b, err := hex.DecodeString(f[2]); err != nil || fmt.Sprintf("%016x", xxhash.Sum64(b)) != f[3] {
			t.Errorf("%s: %s is not XXH64 of %s (%v)", f[0], f[3], f[2], err)
		}
	}
}
