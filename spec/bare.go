package spec

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow/spec/diag"
)

var (
	bareAddress = regexp.MustCompile(`^(?:var|local)\.[a-z_][a-zA-Z0-9_]*$`)
	hasAddress  = regexp.MustCompile(`(?:^|[^a-zA-Z0-9_."'])(?:var|local)\.[a-z_]`)
)

// bare reports a value that is the name of a variable or a local where text
// needs no quotes, and so stands for itself: its author means the value.
func (b *builder) bare(owner, name string, expr hcl.Expression) bool {
	syntax, text := b.syntaxOf(expr.Range().Filename), b.text(expr.Range())
	if syntax == nil || !syntax.Bare() || !bareAddress.MatchString(text) {
		return false
	}
	b.report(diag.Diagnostic{
		Code: diag.CodeValueType, Range: b.rng(expr.Range()), Summary: fmt.Sprintf("%s%q is the text %s, and not its value", owner, name, text),
		Detail: "Values are computed within ${ } only.",
		Fix:    fmt.Sprintf("Write it as %s. If the text is meant, put it in quotes.", syntax.Attribute(name, "${"+text+"}")),
	})
	return true
}

// computed returns a fix for text that was meant to be computed, or "".
func (d *decoder) computed(name string, expr hcl.Expression) string {
	if text, _, ok := d.syntax.Literal(expr); ok && d.syntax.Bare() && hasAddress.MatchString(text) {
		return "Write it as " + d.syntax.Attribute(name, "${"+text+"}")
	}
	return ""
}
