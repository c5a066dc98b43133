package filesink

import (
	"strconv"

	"github.com/gpflow/gpflow"
)

// What stands in a path for a null and for the empty string.
const (
	nullSegment  = "__null__"
	emptySegment = "__empty__"
)

// appendSafe appends a value as a part of a path: letters, digits and . _ - = as
// they are, and all other bytes as % and two hexadecimal digits, as well as a
// dot at the beginning, which would hide the directory or lead out of it.
func appendSafe(dst []byte, v gpflow.Value) []byte {
	at := len(dst)
	switch v.Kind() {
	case gpflow.KindNull:
		return append(dst, nullSegment...)
	case gpflow.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	case gpflow.KindInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case gpflow.KindString:
		dst = appendEscaped(dst, v.Str())
	case gpflow.KindBytes:
		dst = appendEscaped(dst, string(v.Bytes()))
	case gpflow.KindTimestamp:
		var text [40]byte
		dst = appendEscaped(dst, string(gpflow.AppendTime(text[:0], v.Time())))
	default:
		dst = appendEscaped(dst, v.Span().String())
	}
	switch string(dst[at:]) {
	case "":
		return append(dst, emptySegment...)
	case nullSegment: // a text that looks like a null
		return append(dst[:at], "%5F"+nullSegment[1:]...)
	case emptySegment:
		return append(dst[:at], "%5F"+emptySegment[1:]...)
	}
	return dst
}

func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '=' || c == '.' && i > 0 {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '%', hex[c>>4], hex[c&15])
	}
	return dst
}
