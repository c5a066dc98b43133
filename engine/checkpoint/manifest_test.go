package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"pgregory.net/rapid"
)

// drawManifest draws a manifest that can be encoded, in order.
func drawManifest(t *rapid.T) *Manifest {
	text := rapid.StringN(0, 4, 12)
	data := rapid.Custom(func(t *rapid.T) []byte {
		if b := rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "bytes"); len(b) > 0 {
			return b
		}
		return nil
	})
	part := rapid.Custom(func(t *rapid.T) Part {
		return Part{rapid.SampledFrom(kinds).Draw(t, "kind"), text.Draw(t, "name"), rapid.IntRange(0, 1<<32-1).Draw(t, "subtask")}
	})
	split := rapid.Custom(func(t *rapid.T) gpflow.Split { return gpflow.Split{ID: text.Draw(t, "id"), Data: data.Draw(t, "data")} })
	number := rapid.Int64Range(1, 1<<62)
	m := &Manifest{
		Semantics: rapid.Int().Draw(t, "semantics"), Pipeline: text.Draw(t, "pipeline"),
		Lineage: rapid.StringMatching("[0-9a-f]{1,64}").Draw(t, "lineage"), Epoch: number.Draw(t, "epoch"),
		ID: gpflow.CheckpointID(number.Draw(t, "id")), Time: gpflow.Timestamp(rapid.Int64().Draw(t, "time")),
		Outcome: rapid.SampledFrom([]string{OutcomeRunning, OutcomeFinished, OutcomeStopped}).Draw(t, "outcome"),
		Name:    text.Draw(t, "savepoint"), KeyGroups: rapid.IntRange(1, 1<<32-1).Draw(t, "key groups"),
		Plan: data.Draw(t, "plan"), Ledger: data.Draw(t, "ledger"),
	}
	m.Sources = some(t, "sources", rapid.Custom(func(t *rapid.T) SourceState {
		return SourceState{
			text.Draw(t, "address"), some(t, "found", split), some(t, "ended", text), some(t, "queue", split), rapid.Bool().Draw(t, "done"),
		}
	}), func(s SourceState) any { return s.Address })
	m.Parts = some(t, "parts", rapid.Custom(func(t *rapid.T) PartState {
		return PartState{part.Draw(t, "part"), data.Draw(t, "data"), rapid.Bool().Draw(t, "gone"), some(t, "segments", rapid.Custom(func(t *rapid.T) SegmentRef {
			return SegmentRef{"s/" + text.Draw(t, "object"), rapid.Int64Min(0).Draw(t, "size"), Sum{rapid.Uint64().Draw(t, "hash"), rapid.Uint32().Draw(t, "crc")}}
		}))}
	}), func(p PartState) any { return p.Part })
	m.Committables = some(t, "committables", rapid.Custom(func(t *rapid.T) Pending {
		return Pending{part.Draw(t, "part"), gpflow.CheckpointID(rapid.Int64().Draw(t, "id")), append(gpflow.Committable{}, data.Draw(t, "committable")...)}
	}))
	m.sort()
	return m
}

// some draws up to three elements, nil for none; by tells the same from others.
func some[E any](t *rapid.T, what string, one *rapid.Generator[E], by ...func(E) any) (all []E) {
	seen := make(map[any]bool)
	for range rapid.IntRange(0, 3).Draw(t, what) {
		e := one.Draw(t, what)
		if len(by) > 0 {
			if seen[by[0](e)] {
				continue
			}
			seen[by[0](e)] = true
		}
		all = append(all, e)
	}
	return all
}

func TestManifestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawManifest(t)
		b, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode("m", b)
		if err != nil || !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v was read as %+v, %v", m, got, err)
		}
		// The order in which things are handed in does not matter, and
		// encoding changes nothing.
		shuffled := m.copy()
		slices.Reverse(shuffled.Parts)
		slices.Reverse(shuffled.Sources)
		slices.Reverse(shuffled.Committables)
		before := shuffled.copy()
		if again, err := shuffled.Encode(); err != nil || !bytes.Equal(again, b) || !reflect.DeepEqual(shuffled, before) {
			t.Fatalf("in another order, it has other bytes, or has been changed: %v", err)
		}
	})
}

// small is a manifest of the doc, and one to damage.
func small() *Manifest {
	return &Manifest{
		Semantics: 1, Pipeline: "clicks", Lineage: "5eed", Epoch: 2, ID: 7, Time: 978307200000000, KeyGroups: 16, Plan: []byte("{}"),
		Sources: []SourceState{{Address: "source.in", Found: []gpflow.Split{{ID: "a"}, {ID: "b", Data: []byte{1}}}, Ended: []string{"a"}, Done: true}},
		Parts: []PartState{
			{Part: Part{Reader, "source.in", 0}, Data: []byte("at 12"), Gone: true},
			{Part: Part{Task, "1", 0}, Segments: []SegmentRef{{"lineages/5eed/segments/0000000007-0000000002-0000", 5, SumOf([]byte("state"))}}},
		},
		Committables: []Pending{{Part{Writer, "sink.out", 0}, 7, gpflow.Committable("rename x")}},
		Ledger:       []byte("{}"),
	}
}

// Every flipped bit, every cut and anything appended is noticed, and said to be
// a damage of that object.
func TestDamagedManifest(t *testing.T) {
	b, err := small().Encode()
	must(t, err)
	refused := func(how string, at int, b []byte) {
		t.Helper()
		m, err := Decode("some/object", b)
		var d *Damaged
		if m != nil || !errors.As(err, &d) || d.Object != "some/object" || !strings.HasPrefix(err.Error(), "some/object is damaged: ") {
			t.Fatalf("%s at %d: read as %v, %v", how, at, m, err)
		}
	}
	for i := range b {
		for bit := range 8 {
			refused("flipped", i, flip(b, i, 1<<bit))
		}
		refused("zeroed or set", i, flip(b, i, 0xff))
		refused("cut off", i, b[:i])
		refused("torn", i, append(slices.Clone(b[:i]), make([]byte, len(b)-i)...))
		refused("a byte lost", i, slices.Delete(slices.Clone(b), i, i+1))
		refused("a byte too many", i, slices.Insert(slices.Clone(b), i, 'x'))
	}
	refused("longer", 0, append(slices.Clone(b), 0))
	refused("twice", 0, append(slices.Clone(b), b...))
}

func TestNewerManifest(t *testing.T) {
	b, err := small().Encode()
	must(t, err)
	b = b[:len(b)-sumSize]
	binary.LittleEndian.PutUint32(b[8:], FormatVersion+1)
	b = seal(append(b, "what this build does not know"...))
	var newer *Newer
	if _, err := Decode("m", b); !errors.As(err, &newer) || newer.Version != FormatVersion+1 || newer.Known != FormatVersion {
		t.Errorf("a newer manifest: %v", err)
	}
}

func TestManifestOfAnotherKeyHash(t *testing.T) {
	b, err := small().Encode()
	must(t, err)
	i := bytes.Index(b, []byte(gpflow.KeyHashName))
	b[i]++
	var hash *KeyHash
	if _, err := Decode("m", seal(b[:len(b)-sumSize])); !errors.As(err, &hash) || hash.Name == gpflow.KeyHashName {
		t.Errorf("a manifest of another hash: %v", err)
	}
}

func TestEncodeRefusesWhatDecodeWould(t *testing.T) {
	for name, change := range map[string]func(*Manifest){
		"no number":         func(m *Manifest) { m.ID = 0 },
		"no epoch":          func(m *Manifest) { m.Epoch = 0 },
		"no key groups":     func(m *Manifest) { m.KeyGroups = 0 },
		"no lineage":        func(m *Manifest) { m.Lineage = "" },
		"a strange lineage": func(m *Manifest) { m.Lineage = "../x" },
		"another outcome":   func(m *Manifest) { m.Outcome = "lost" },
		"a part twice":      func(m *Manifest) { m.Parts[1].Part = m.Parts[0].Part },
		"a source twice":    func(m *Manifest) { m.Sources = append(m.Sources, m.Sources[0]) },
		"another kind":      func(m *Manifest) { m.Parts[0].Kind = "cook" },
		"no kind":           func(m *Manifest) { m.Committables[0].Part.Kind = "" },
		"no such subtask":   func(m *Manifest) { m.Parts[0].Subtask = -1 },
		"no object":         func(m *Manifest) { m.Parts[1].Segments[0].Object = "" },
		"a negative size":   func(m *Manifest) { m.Parts[1].Segments[0].Size = -1 },
	} {
		m := small()
		change(m)
		if _, err := m.Encode(); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
}

// FuzzDecode gives Decode bodies whose checksum is right: what it takes has
// been written by Encode, to the byte.
func FuzzDecode(f *testing.F) {
	b, err := small().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[headerSize : len(b)-sumSize])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = Decode("raw", body)
		b := seal(append(header(manifestMagic, FormatVersion), body...))
		m, err := Decode("m", b)
		if err != nil {
			if !isOfObject(err) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if again, err := m.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x was read, and is written as %x, %v", b, again, err)
		}
	})
}

func FuzzDecodeNote(f *testing.F) {
	n := note{kind: currentNote, lineage: "ab", number: 7, epoch: 1, who: "x", id: 3, object: "o", size: 5}.encode()
	f.Add(n[headerSize : len(n)-sumSize])
	f.Fuzz(func(t *testing.T, body []byte) {
		b := seal(append(header(noteMagic, noteVersion), body...))
		if n, err := decodeNote("current/0000000007", b); err == nil && !bytes.Equal(n.encode(), b) {
			t.Fatalf("%x was read, and is written as %x", b, n.encode())
		}
	})
}
