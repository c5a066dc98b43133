package gpflow

import (
	"fmt"
	"strings"
)

// reservedNames have a meaning of their own in expressions.
var reservedNames = []string{
	"event", "var", "local", "each", "true", "false", "nil", "null", "in", "not", "and", "or",
	"matches", "contains", "startsWith", "endsWith", "let", "if", "else",
}

// CheckName reports why name cannot be the name of a new column: it begins
// with a letter or _, goes on with letters, digits, _ and -, and is no word of
// the expression language. Dots are for the fields of records, which are
// columns by their path, and cannot be made one by one.
func CheckName(name string) error {
	for i, c := range name {
		switch {
		case c == '_', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', i > 0 && (c == '-' || c >= '0' && c <= '9'):
		case c == '.':
			return fmt.Errorf("%q has a dot in it, which stands for a field of a record; use %q", name, strings.ReplaceAll(name, ".", "_"))
		default:
			return fmt.Errorf("%q has a %q in it; a name begins with a letter or _, and goes on with letters, digits, _ and -", name, c)
		}
	}
	if name == "" {
		return fmt.Errorf("a name must not be empty")
	}
	for _, r := range reservedNames {
		if name == r {
			return fmt.Errorf("%q is a word of the expression language; use another name", name)
		}
	}
	return nil
}
