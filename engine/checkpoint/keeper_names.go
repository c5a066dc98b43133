package checkpoint

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/gpflow/gpflow"
)

// The names of objects. Numbers have ten digits, so that names sort as the
// numbers do; those that have more still count.

func headName(n int64) string { return fmt.Sprintf("head/%010d", n) }

func inLineage(lineage, folder string) string    { return "lineages/" + lineage + "/" + folder + "/" }
func epochName(lineage string, e int64) string   { return numbered(lineage, "epochs", e) }
func currentName(lineage string, n int64) string { return numbered(lineage, "current", n) }
func sealedName(lineage string, n int64) string  { return numbered(lineage, "sealed", n) }

func numbered(lineage, folder string, n int64) string {
	return fmt.Sprintf("%s%010d", inLineage(lineage, folder), n)
}

func manifestName(lineage string, id gpflow.CheckpointID, epoch int64) string {
	return fmt.Sprintf("%s%010d-%010d", inLineage(lineage, "manifests"), id, epoch)
}

func segmentName(lineage string, id gpflow.CheckpointID, epoch int64, n int) string {
	return fmt.Sprintf("%s%010d-%010d-%04d", inLineage(lineage, "segments"), id, epoch, n)
}

// numbers returns the numbers that the name of an object in a folder is made of,
// or nil where no object has that name: it is somebody else's.
func numbers(folder, name string) []int64 {
	rest, ok := strings.CutPrefix(name, folder)
	if !ok {
		return nil
	}
	var all []int64
	var same []string
	for s := range strings.SplitSeq(rest, "-") {
		n, err := strconv.ParseUint(s, 10, 63)
		if err != nil {
			return nil
		}
		digits := 10
		if len(all) == 2 {
			digits = 4
		}
		all, same = append(all, int64(n)), append(same, fmt.Sprintf("%0*d", digits, n))
	}
	if len(all) != numbersOf(folder) || strings.Join(same, "-") != rest {
		return nil
	}
	return all
}

// numbersOf returns how many numbers make a name in a folder.
func numbersOf(folder string) int {
	switch path.Base(folder) {
	case "manifests":
		return 2
	case "segments":
		return 3
	}
	return 1
}

// checkLineage complains unless lineage is an identity that a caller may give:
// hex digits in lower case.
func checkLineage(lineage string) error {
	if len(lineage) < 1 || len(lineage) > 64 || strings.Trim(lineage, "0123456789abcdef") != "" {
		return fmt.Errorf("the lineage is %q; it has 1 to 64 of 0-9 and a-f", lineage)
	}
	return nil
}

// checkSavepoint complains unless name can be a savepoint's: a part of the name
// of an object.
func checkSavepoint(name string) error {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	if len(name) < 1 || len(name) > 100 || name[0] == '.' || name[len(name)-1] == '.' || strings.Trim(name, allowed) != "" {
		return fmt.Errorf("a savepoint cannot be called %q; use 1 to 100 of a-z, A-Z, 0-9, \"_\", \"-\" and, within, \".\"", name)
	}
	return nil
}
