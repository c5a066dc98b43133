package expr

import (
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
