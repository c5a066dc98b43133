package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// whole reports whether v is a number without a fraction, of a size that can be
// counted with.
func whole(v cty.Value) bool {
	_, ok := wholeNumber(v.AsBigFloat())
	return ok
}

func natural(v cty.Value) bool { return whole(v) && v.AsBigFloat().Sign() >= 0 }

func positiveWhole(v cty.Value) bool { return whole(v) && v.AsBigFloat().Sign() > 0 }

func base(v cty.Value) bool {
	n, ok := wholeNumber(v.AsBigFloat())
	return ok && n >= 2 && n <= 62
}

func isList(v cty.Value) bool {
	t := v.Type()
	return t.IsTupleType() || t.IsListType() || t.IsSetType()
}

func isObject(v cty.Value) bool { return v.Type().IsObjectType() || v.Type().IsMapType() }

// patternError says why a regular expression cannot be read.
func patternError(v cty.Value) string {
	_, err := syntax.Parse(v.AsString(), syntax.Perl)
	var e *syntax.Error
	if !errors.As(err, &e) {
		return ""
	}
	return fmt.Sprintf(". It cannot be read at %s: %s", e.Expr, e.Code)
}

// place is a place of a format, in an error of it.
var place = regexp.MustCompile(`"%[^"]*"`)

// explain words the error of a call, which is the library's.
func (c *call) explain(args []cty.Value, err error) error {
	if err == nil || errors.Is(err, errOver) {
		return err
	}
	var of function.ArgError
	switch ok := errors.As(err, &of); {
	case ok && of.Index < len(args):
		return c.refuse(of.Index, args[of.Index])
	case c.signature.rule == "" && len(args) > 0:
		return c.refuse(0, args[0])
	}
	rule := strings.TrimSuffix(c.signature.rule, ".")
	if verb := place.FindString(err.Error()); verb != "" && strings.HasPrefix(c.name, "format") {
		rule = "The place " + verb + " and its value do not go together. " + rule
	}
	if c.name == "jsondecode" {
		rule += jsonError(args[0].AsString())
	}
	return errors.New(rule)
}

// jsonError says where text is not JSON.
func jsonError(text string) string {
	var e *json.SyntaxError
	var v any
	if !errors.As(json.Unmarshal([]byte(text), &v), &e) {
		return ""
	}
	if int(e.Offset) >= len(text) && strings.HasPrefix(e.Error(), "unexpected end") {
		return ". The text ends before it is complete"
	}
	return fmt.Sprintf(". It cannot be read from character %d on", utf8.RuneCountInString(text[:min(max(int(e.Offset)-1, 0), len(text))])+1)
}
