package spec

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// parameter is what a function of values takes at one place.
type parameter struct {
	name  string
	takes string               // behind "takes"
	good  func(cty.Value) bool // of a known value of the right type; nil: all are
	why   func(cty.Value) string
}

// signature is what a function takes: it is the source of what is said of calls
// that are wrong.
type signature struct {
	params []parameter // in their order; the last one stands for any number of them where its name ends in dots
	rule   string      // what holds for the arguments together
}

const (
	aNumber    = "a number"
	wholeWords = "a whole number"
	aList      = "a list"
	anObject   = "an object"
	anyValue   = "any value"
	someText   = "text"
	textList   = "a list of text, without null"
	aPattern   = "a regular expression, in which all groups have names or none"
	formatRule = "Each place of the format takes a value: %s text or a number, %d a whole number, %f and %g a number, %t true or false, %v any; none is null. There are as many values as places; %% is a percent sign."
)

var (
	numberParam = parameter{name: "number", takes: aNumber}
	textParam   = parameter{name: "text", takes: someText}
	listParam   = parameter{name: "list", takes: aList, good: isList}
	listsParam  = parameter{name: "lists...", takes: aList, good: isList}
	objectParam = parameter{name: "object", takes: anObject, good: isObject}
	valueParam  = parameter{name: "value", takes: anyValue}
	pattern     = parameter{name: "pattern", takes: aPattern, why: patternError}
	oneText     = signature{params: []parameter{textParam}}
	oneNumber   = signature{params: []parameter{numberParam}}
)

// signatures are those of all functions.
var signatures = map[string]signature{
	"abs": oneNumber, "ceil": oneNumber, "floor": oneNumber,
	"signum": {params: []parameter{{name: "number", takes: wholeWords, good: whole}}},
	"max":    {[]parameter{{name: "numbers...", takes: aNumber}}, "The function takes at least one number."},
	"min":    {[]parameter{{name: "numbers...", takes: aNumber}}, "The function takes at least one number."},
	"parseint": {params: []parameter{
		{name: "text", takes: "the digits of a whole number in its base"}, {name: "base", takes: "a base from 2 to 62", good: base},
	}},
	"pow": {
		[]parameter{numberParam, {name: "power", takes: aNumber}},
		"A negative number has no power that is not whole.",
	},

	"chomp": oneText, "lower": oneText, "strlen": oneText, "title": oneText, "trimspace": oneText, "upper": oneText,
	"format":     {[]parameter{{name: "format", takes: "the text of a format"}, {name: "values...", takes: "as many values as its format has places"}}, formatRule},
	"formatlist": {[]parameter{{name: "format", takes: "the text of a format"}, {name: "lists...", takes: "lists of one length for the places of its format"}}, formatRule},
	"indent":     {params: []parameter{{name: "spaces", takes: "a number of spaces, 0 or more", good: natural}, textParam}},
	"join":       {[]parameter{{name: "separator", takes: someText}, {name: "lists...", takes: textList}}, "The function takes a separator and at least one list."},
	"regex":      {[]parameter{pattern, textParam}, "The regular expression is found nowhere in the text. Where that may be, use regexall, which gives an empty list."},
	"regexall":   {params: []parameter{pattern, textParam}},
	"replace":    {params: []parameter{textParam, {name: "old", takes: someText}, {name: "new", takes: someText}}},
	"split":      {params: []parameter{{name: "separator", takes: someText}, textParam}},
	"substr": {params: []parameter{
		textParam, {name: "offset", takes: wholeWords, good: whole}, {name: "length", takes: wholeWords + ", where -1 is the rest", good: whole},
	}},
	"trim":       {params: []parameter{textParam, {name: "characters", takes: someText}}},
	"trimprefix": {params: []parameter{textParam, {name: "prefix", takes: someText}}},
	"trimsuffix": {params: []parameter{textParam, {name: "suffix", takes: someText}}},

	"chunklist":    {params: []parameter{listParam, {name: "size", takes: "a size that is a whole number, 1 or more", good: positiveWhole}}},
	"coalesce":     {[]parameter{{name: "values...", takes: anyValue}}, "The function takes values of one type, of which at least one is not null."},
	"coalescelist": {[]parameter{listsParam}, "The function takes lists, of which at least one is not empty."},
	"compact":      {params: []parameter{{name: "list", takes: "a list of text"}}},
	"concat":       {[]parameter{listsParam}, "The function takes at least one list."},
	"contains":     {params: []parameter{listParam, valueParam}},
	"distinct":     {params: []parameter{{name: "list", takes: "a list of values of one type"}}},
	"element":      {[]parameter{listParam, {name: "index", takes: "an index that is a whole number", good: whole}}, "The function takes a list that is not empty."},
	"flatten":      {params: []parameter{listParam}},
	"keys":         {params: []parameter{objectParam}},
	"length":       {params: []parameter{{name: "list", takes: "a list or an object", good: cty.Value.CanIterateElements}}},
	"lookup":       {params: []parameter{objectParam, {name: "key", takes: someText}, {name: "default", takes: anyValue}}},
	"merge":        {params: []parameter{{name: "objects...", takes: anObject, good: isObject}}},
	"range": {
		[]parameter{{name: "limits...", takes: "numbers: an end, or a start and an end, or these and a step that leads from one to the other"}},
		"The function takes an end, or a start and an end, or these and a step other than 0, and gives at most 1024 numbers.",
	},
	"reverse":    {params: []parameter{listParam}},
	"setproduct": {[]parameter{listsParam}, "The function takes at least two lists."},
	"slice": {params: []parameter{
		listParam,
		{name: "start", takes: "a start that is a whole number from 0 to its end", good: natural},
		{name: "end", takes: "an end that is a whole number from its start to the length of the list", good: natural},
	}},
	"sort":   {params: []parameter{{name: "list", takes: textList}}, rule: "The function takes " + textList + "."},
	"values": {params: []parameter{objectParam}},
	"zipmap": {
		[]parameter{{name: "keys", takes: textList}, {name: "values", takes: aList, good: isList}},
		"The function takes as many values as keys, and keys that are not null.",
	},

	"csvdecode": {
		[]parameter{textParam},
		"The function takes comma-separated values. The first line names the columns, each once, every other line has as many fields, and quotes are closed.",
	},
	"jsondecode": {[]parameter{textParam}, "The function takes one JSON value."},
	"jsonencode": {params: []parameter{valueParam}},

	"tobool":   {params: []parameter{{name: "value", takes: `true, false, or the text of one of them`}}},
	"tonumber": {params: []parameter{{name: "value", takes: "a number, or the text of one"}}},
	"tostring": {params: []parameter{{name: "value", takes: "text, a number, true or false"}}},
	"tolist":   {params: []parameter{{name: "value", takes: "a list whose elements can have one type"}}},
	"tomap":    {params: []parameter{{name: "value", takes: "an object whose values can have one type"}}},
}

// at returns the parameter of an argument.
func (s signature) at(i int) parameter { return s.params[min(i, len(s.params)-1)] }

// form writes the function as it is called.
func (s signature) form(name string) string {
	var names []string
	for _, p := range s.params {
		names = append(names, p.name)
	}
	return name + "(" + strings.Join(names, ", ") + ")"
}

// refuse is the error of a function that does not take its argument i.
func (c *call) refuse(i int, v cty.Value) error {
	p := c.signature.at(i)
	more := ""
	if p.why != nil && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		more = p.why(v)
	}
	return function.NewArgErrorf(i, "the function takes %s%s", p.takes, more)
}
