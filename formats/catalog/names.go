package catalog

import "strings"

// The compressions, as a spec calls them. Auto is that which a file's name says.
const (
	Auto = "auto"
	None = "none"
	Gzip = "gzip"
	Zstd = "zstd"
)

var compressions = []struct{ suffix, name string }{
	{".gz", Gzip},
	{".zst", Zstd},
}

var suffixes = []struct{ suffix, format string }{
	{".json", "json"},
	{".jsonl", "json"},
	{".ndjson", "json"},
	{".csv", "csv"},
	{".txt", "lines"},
	{".log", "lines"},
}

// CompressionOf returns the compression that a file's extension says; None where
// it says none.
func CompressionOf(path string) string {
	low := strings.ToLower(path)
	for _, c := range compressions {
		if strings.HasSuffix(low, c.suffix) {
			return c.name
		}
	}
	return None
}

// FormatOf returns the format that a file's extension says, behind that of its
// compression, or "".
func FormatOf(path string) string {
	low := strings.ToLower(path)
	for _, c := range compressions {
		low = strings.TrimSuffix(low, c.suffix)
	}
	for _, s := range suffixes {
		if strings.HasSuffix(low, s.suffix) {
			return s.format
		}
	}
	return ""
}
