package storage

import (
	"fmt"
	"strings"
)

// The longest names, in bytes: shorter than what any store takes, so that a
// store can be moved, and has room for temporary names.
const (
	MaxPart = 200
	MaxName = 800
)

// CheckName returns an error that wraps ErrInvalid and says why unless name is
// a name of an object: parts of a-z, A-Z, 0-9, ".", "_" and "-" that are
// separated by "/". A part has 1 to MaxPart bytes, and a dot is neither its
// first nor its last; a name has up to MaxName.
func CheckName(name string) error {
	if len(name) > MaxName {
		return fmt.Errorf("%w: the name %.40q... has %d bytes; %d at most", ErrInvalid, name, len(name), MaxName)
	}
	for part := range strings.SplitSeq(name, "/") {
		if why := checkPart(part); why != "" {
			return fmt.Errorf("%w: the name %q has a part %q, which %s", ErrInvalid, name, part, why)
		}
	}
	return nil
}

// CheckPrefix is CheckName for what List takes: a name, a name with "/" at its
// end, or nothing.
func CheckPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	return CheckName(strings.TrimSuffix(prefix, "/"))
}

// CheckRange returns an error that wraps ErrInvalid unless offset and n are what
// GetRange takes.
func CheckRange(offset, n int64) error {
	if offset < 0 || n < 0 {
		return fmt.Errorf("%w: a range of %d bytes from %d on; neither may be negative", ErrInvalid, n, offset)
	}
	return nil
}

// checkPart returns what is wrong with a part of a name.
func checkPart(part string) string {
	switch {
	case part == "":
		return "is empty"
	case len(part) > MaxPart:
		return fmt.Sprintf("has %d bytes; %d at most", len(part), MaxPart)
	case part[0] == '.':
		return "begins with a dot"
	case part[len(part)-1] == '.':
		return "ends with a dot"
	}
	for i := range len(part) {
		c := part[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return fmt.Sprintf("has the byte %q; letters, digits, ., _ and - are allowed", c)
		}
	}
	return ""
}
