package spec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// What is written by people stays far below these. The parser goes into itself
// for each level, and text without an end would take the whole process down.
const (
	maxDepth = 200 // brackets and templates within each other
	maxChain = 500 // operators of one expression, in one pair of brackets
)

// Nesting returns the place where a text is nested too deeply to be parsed. It
// is to be asked before the parser is.
func Nesting(tokens hclsyntax.Tokens) (at hcl.Range, deep bool) {
	type level struct {
		lines bool // a line ends an expression
		chain int
	}
	levels := []level{{lines: true}}
	for _, t := range tokens {
		top := &levels[len(levels)-1]
		switch t.Type {
		case hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOBrace, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			if t.Type != hclsyntax.TokenTemplateInterp { // the parts of a text are no chain
				top.chain++
			}
			levels = append(levels, level{lines: t.Type == hclsyntax.TokenOBrace})
		case hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd:
			if len(levels) > 1 {
				levels = levels[:len(levels)-1]
			}
		case hclsyntax.TokenComma:
			top.chain = 0
		case hclsyntax.TokenNewline:
			if top.lines {
				top.chain = 0
			}
		case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit,
			hclsyntax.TokenOQuote, hclsyntax.TokenCQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenCHeredoc, hclsyntax.TokenComment, hclsyntax.TokenEOF:
		default:
			top.chain++
		}
		if len(levels) > maxDepth || levels[len(levels)-1].chain > maxChain {
			return t.Range, true
		}
	}
	return at, false
}
