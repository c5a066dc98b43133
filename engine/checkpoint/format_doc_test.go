package checkpoint

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine/keygroup"
)

const formatDoc = "../../docs/reference/checkpoint-format.md"

// The example in the doc is what is written and read.
func TestExampleInTheDoc(t *testing.T) {
	doc, err := os.ReadFile(formatDoc)
	must(t, err)
	_, example, _ := strings.Cut(string(doc), "```hex\n")
	example, _, _ = strings.Cut(example, "```")
	var b []byte
	for line := range strings.Lines(example) {
		digits, _, _ := strings.Cut(line, "#")
		part, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		must(t, err)
		b = append(b, part...)
	}
	want, err := small().Encode()
	must(t, err)
	if !bytes.Equal(b, want) {
		t.Errorf("the example is\n%s\nand is written as\n%s", hex.Dump(b), hex.Dump(want))
	}
	if m, err := Decode("the example", b); err != nil || !reflect.DeepEqual(m, small()) {
		t.Errorf("the example is read as %+v, %v", m, err)
	}
}

// The keys in the doc are those of testdata/keyhash.txt, in the groups and with
// the subtasks that they have.
func TestKeysInTheDoc(t *testing.T) {
	vectors, err := os.ReadFile("../../testdata/keyhash.txt")
	must(t, err)
	doc, err := os.Open(formatDoc)
	must(t, err)
	defer doc.Close()
	rows := 0
	for lines := bufio.NewScanner(doc); lines.Scan(); {
		f := strings.Split(strings.Trim(lines.Text(), "| "), " | ")
		if len(f) != 5 || !strings.HasPrefix(f[2], "`") {
			continue
		}
		rows++
		key, err := hex.DecodeString(strings.Trim(f[1], "`"))
		must(t, err)
		hash := gpflow.HashKey(key)
		group := keygroup.Of(hash, 128)
		want := fmt.Sprintf("`%016x` %d %d", hash, group, keygroup.Owner(group, 128, 3))
		if got := strings.Join(f[2:], " "); got != want {
			t.Errorf("%s: the doc says %s, and it is %s", f[0], got, want)
		}
		if !strings.Contains(string(vectors), fmt.Sprintf("\t%x\t%016x\n", key, hash)) {
			t.Errorf("%s is not in keyhash.txt", f[0])
		}
	}
	if rows < 15 {
		t.Errorf("%d keys in the doc", rows)
	}
	if gpflow.KeyHashName != "xxh64/1" {
		t.Error("the doc is about xxh64/1")
	}
}
