package filesource

import "strings"

// The compressions.
const (
	compressionAuto = "auto"
	compressionNone = "none"
	compressionGzip = "gzip"
	compressionZstd = "zstd"
)

var compressionSuffixes = []struct{ suffix, compression string }{
	{".gz", compressionGzip},
	{".zst", compressionZstd},
}

var formatSuffixes = []struct{ suffix, format string }{
	{".json", "json"},
	{".jsonl", "json"},
	{".ndjson", "json"},
	{".csv", "csv"},
	{".txt", "lines"},
	{".log", "lines"},
}

// compressionByName returns the compression that a file's extension says.
func compressionByName(path string) string {
	low := strings.ToLower(path)
	for _, s := range compressionSuffixes {
		if strings.HasSuffix(low, s.suffix) {
			return s.compression
		}
	}
	return compressionNone
}

// formatByName returns the format that a file's extension says, behind that of
// its compression, or "".
func formatByName(path string) string {
	low := strings.ToLower(path)
	for _, s := range compressionSuffixes {
		low = strings.TrimSuffix(low, s.suffix)
	}
	for _, s := range formatSuffixes {
		if strings.HasSuffix(low, s.suffix) {
			return s.format
		}
	}
	return ""
}
