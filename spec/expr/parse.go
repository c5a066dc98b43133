package expr

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/parser/lexer"
)

// The limits of an expression.
const (
	maxNodes = 500
	maxBytes = 16 << 10
	maxRange = 10_000 // elements of a..b
)

// parse returns the syntax tree of the text.
func (c *checker) parse() ast.Node {
	text := c.src.text
	switch {
	case len(text) > maxBytes:
		c.failCode(CodeTooBig, 0, 0, "The expression is too long", "It may have 16 KiB. Split it, or keep the data in a file and join with it.")
	case strings.TrimSpace(text) == "":
		c.failAt(0, 0, "The expression is empty", "")
	}
	if i := strings.Index(text, "${"); i >= 0 {
		to := i + 2
		if j := strings.IndexByte(text[i:], '}'); j > 0 {
			to = i + j + 1
		}
		c.failCode(CodeTemplate, i, to, "Interpolation is not allowed in a record expression",
			"Refer to the variable directly, as in var.x: it is a typed constant of the expression.")
	}
	cfg := conf.CreateNew()
	cfg.MaxNodes = maxNodes
	for _, name := range c.calls {
		cfg.Functions[name] = &builtin.Function{Name: name}
	}
	tree, err := parser.ParseWithConfig(text, cfg)
	if err != nil {
		c.syntax(err)
	}
	if c.src.tokens, err = lexer.Lex(file.NewSource(text)); err != nil {
		c.syntax(err)
	}
	return tree.Node
}

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
	switch {
	case strings.Contains(msg, "maximum allowed nodes"):
		c.failCode(CodeTooBig, 0, 0, "The expression has too many parts", "It may have 500. Split it over several nodes, or put a long list into a variable.")
	case strings.Contains(msg, "unexpected token EOF"), strings.Contains(msg, "unexpected end of expression"):
		end := len(strings.TrimRight(c.src.text, " \t\r\n"))
		c.failAt(max(end-1, 0), end, "The expression ends too early", "Something is missing after this.")
	case strings.Contains(msg, `Operator("#")`):
		c.failAt(from, to, "# is not allowed here", "It stands for the element in a predicate, as in any(tags, # == 'a').")
	}
	detail := ""
	switch {
	case strings.Contains(msg, "expected at least"):
		c.failAt(from, to, "The call has too few arguments", "It takes a list, as in count(tags, # == 'a'). As an aggregate, count() is for windows.")
	case strings.Contains(msg, `Operator("=")`):
		detail = "Equality is written ==."
	case strings.Contains(msg, `Operator(":")`):
		detail = "A map in a predicate is written in parentheses, as in map(tags, ({n: #}))."
	}
	c.failAt(from, to, "Syntax error: "+msg, detail)
}
