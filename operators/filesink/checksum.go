package filesink

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumOf returns the CRC-32C of the first n bytes of a file.
func sumOf(path string, n int64) (uint32, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close() // it is only read
	h := crc32.New(castagnoli)
	_, err = io.CopyN(h, f, n)
	return h.Sum32(), err
}

// unchanged returns the CRC-32C of the first n bytes of a staged file, and refuses
// one that is not what they had when they were written. nil: that is not known.
func unchanged(path string, n int64, written *uint32) (uint32, error) {
	sum, err := sumOf(path, n)
	if err != nil {
		return 0, fmt.Errorf("read the first %d bytes of the staged file %s: %w", n, path, reason(err))
	}
	if written != nil && *written != sum {
		return 0, fmt.Errorf("the staged file %s is not what was written: the checksum of its first %d bytes is %08x, and was %08x; something else has written to it; %s",
			path, n, sum, *written, afresh)
	}
	return sum, nil
}
