package input

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow/spec/diag"
)

// complaints are what the parser says most often, and what stands for it.
var complaints = map[string]diag.Diagnostic{
	"Unclosed configuration block": {
		Summary: "the block is never closed", Detail: "There is no closing brace for it before the file ends.",
		Fix: "Write a } behind it. A brace that is missing further down has the same effect.",
	},
	"Invalid multi-line string": {
		Summary: "the text has no closing quote on its line",
		Fix:     `Close it with ". A text of several lines is written as <<EOT, its lines, and EOT alone on a line.`,
	},
	"Missing newline after argument": {
		Summary: "something follows the value", Detail: "An attribute ends with its line.",
		Fix: "Write each attribute on a line of its own. Text is written in quotes.",
	},
	"Invalid single-argument block definition": {
		Summary: "a block on one line holds one attribute", Fix: "Write each attribute on a line of its own, and the closing brace behind them.",
	},
	"Unexpected comma after argument": {
		Summary: "a comma follows the attribute", Detail: "An attribute ends with its line.", Fix: "Remove the comma.",
	},
	"Extra characters after interpolation expression": {
		Summary: "something follows the value within ${ }", Fix: openBrace,
	},
	"Invalid expression": {
		Summary: "there is no value here", Fix: "Write a value behind the equals sign: a number, text in quotes, true, false, or a list in [ ].",
	},
}

// grammar returns a complaint of the parser in the words of specifications.
func grammar(src []byte, d *hcl.Diagnostic) diag.Diagnostic {
	var from, behind []byte
	if d.Subject != nil {
		from = src[min(d.Subject.Start.Byte, len(src)):]
		behind = bytes.TrimLeft(src[min(d.Subject.End.Byte, len(src)):], " \t")
	}
	e := diag.Diagnostic{Summary: words.Replace(d.Summary), Detail: words.Replace(d.Detail)}
	if known, ok := complaints[d.Summary]; ok {
		e = known
	}
	if known, ok := inText(src, d); ok {
		e = known
	}
	e.Code = diag.CodeSyntax
	switch {
	case d.Summary == "Attribute redefined":
		e.Code, e.Fix = diag.CodeDuplicate, "Remove one."
		e.Summary = "the attribute is written twice"
		if d.Subject != nil {
			e.Summary = fmt.Sprintf("the attribute %q is written twice", d.Subject.SliceBytes(src))
		}
	case d.Summary == "Invalid expression" && bytes.HasPrefix(from, []byte("<<")):
		word := strings.TrimLeft(string(bytes.Fields(from)[0]), "<-")
		e.Summary, e.Fix = noEnd, fmt.Sprintf("Write %s alone on a line behind it.", word)
	case d.Summary != "Argument or block definition required":
	case bytes.HasPrefix(from, []byte("}")):
		e.Summary, e.Detail = "this brace closes nothing", ""
		e.Fix = "Remove it, or a closing brace that is too many before it."
	case bytes.HasPrefix(behind, []byte(":")):
		e.Summary, e.Detail = "a colon stands where an equals sign is wanted", ""
		e.Fix = "Attributes are written as name = value, and blocks as name { ... }."
	default:
		e.Summary = "an attribute or a block is wanted here"
		e.Detail, e.Fix = "", "Attributes are written as name = value, and blocks as name { ... }."
	}
	return e
}
