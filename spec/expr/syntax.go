package expr

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// syntax reports what the parser found.
func (c *checker) syntax(err error) {
	var fe *file.Error
	if !errors.As(err, &fe) {
		c.failAt(0, 0, "The expression cannot be read", err.Error())
	}
	from, to := c.src.location(fe.Location)
	if to == from {
		to = min(from+1, len(c.src.text))
		from = min(from, max(to-1, 0))
	}
	msg := fe.Message
	if strings.Contains(msg, " literal") && !strings.Contains(msg, "not terminated") {
		from, to = c.number(fe.From, from, to)
	}
	switch {
	case strings.Contains(msg, "maximum allowed nodes"):
		c.failCode(CodeTooBig, 0, 0, "The expression has too many parts", "It may have 500. Split it over several nodes, or put a long list into a variable.")
	case strings.Contains(msg, "unexpected token EOF"), strings.Contains(msg, "unexpected end of expression"):
		c.early()
	}
	if strings.TrimSpace(c.src.text[from:]) != "" && !strings.Contains(msg, "not terminated") && !strings.Contains(msg, "escape") {
		c.hint(from, to)
	}
	summary, detail := worded(msg, c.src.text[from:to])
	c.failAt(from, to, summary, detail)
}

// number returns the bytes of the number before a rune, which the parser has
// passed when it finds out that the number is none; or else from and to.
func (c *checker) number(before, from, to int) (int, int) {
	tokens, err := lexer.Lex(file.NewSource(c.src.text))
	if err != nil {
		return from, to
	}
	for _, t := range tokens {
		if t.Kind == lexer.Number && (t.From < before || before == 0) {
			from, to = c.src.location(t.Location)
		}
	}
	return from, to
}

// complaints are what the parser says, and what stands for it.
var complaints = []struct{ contains, summary, detail string }{
	{`Operator("#")`, "# is not allowed here", "It stands for the element in a predicate, as in any(tags, # == 'a')."},
	{`Operator(":")`, "Unexpected :", "A map in a predicate is written in parentheses, as in map(tags, ({n: #}))."},
	{"expected at least", "The call has too few arguments", "It takes a list, as in count(tags, # == 'a'). As an aggregate, count() is for windows."},
	{"wrap predicate", "A predicate is missing", "Write it as any(tags, # == 'a')."},
	{"not terminated", "The text has no closing quote", "A text ends with the quote that it begins with, as in 'abc'."},
	{"invalid char escape", "The text has an unknown escape", `There are \n, \t, \', \" and \\, each with a backslash before it where the quotes around the expression need that.`},
	{"float literal", "The number is too large", "A float is at most 1.8e308."},
	{"value out of range", "The number is too large", "An int has 64 bits. As a float it is written with a point, as in 1.0."},
	{"too large", "The number is too large", "An int has 64 bits. As a float it is written with a point, as in 1.0."},
	{"bad number", "This is not a number", "Numbers are written as 12, 1.5, 1e6 or 0xff."},
	{"literal:", "This is not a number", "Numbers are written as 12, 1.5, 1e6 or 0xff."},
	{"cannot be mixed", "?? stands before another operator", "Say which comes first with parentheses, as in (a ?? 0) > 1 or b && (c ?? false)."},
	{"unclosed comment", "The comment has no end", "It ends with */."},
	{"a map key", "The key of a map is a text, a number or a name", "An expression for a key is written in parentheses."},
	{"expected name", "A name is missing", "Write let x = a + b; x * x."},
}

// unopened says of a closing bracket that nothing is open.
const unopened = "There is no bracket open that it would close."

// worded returns in our words what the parser says about a piece of text.
func worded(msg, text string) (summary, detail string) {
	for _, c := range complaints {
		if strings.Contains(msg, c.contains) {
			return c.summary, c.detail
		}
	}
	switch {
	case text == ")" || text == "]" || text == "}":
		detail = unopened
	case strings.Contains(msg, "Identifier("), strings.Contains(msg, "Number("), strings.Contains(msg, "String("):
		detail = "An operator is missing before it, such as + or &&."
	case strings.Contains(msg, "unrecognized"):
		detail = "It means nothing in an expression. Text is written in quotes, as in 'abc'."
	default:
		detail = "A value is missing before it."
	}
	if len(text) > 20 {
		text = "this"
	}
	return "Unexpected " + text, detail
}
