package expr

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxInstructions is how many instructions the regular expressions of one
// expression have together. A class of characters counts as one for each eight
// of its ranges.
const maxInstructions = 10_000

// pattern is a regular expression.
type pattern struct {
	*regexp.Regexp
	cost int // instructions
}

// pattern returns the regular expression of a constant, which is compiled once
// for an expression. What is too large is not compiled at all.
func (c *checker) pattern(n *node) *pattern {
	text := n.val.Str()
	if p := c.patterns[text]; p != nil {
		return p
	}
	var parsed *syntax.Regexp
	err := error(nil)
	cost := len(text)
	if len(text) <= maxInstructions {
		if parsed, err = syntax.Parse(text, syntax.Perl); err == nil {
			cost = instructions(parsed)
		}
	}
	if c.instructions += min(cost, maxInstructions+1); c.instructions > maxInstructions {
		c.failCode(CodeTooBig, n.from, n.to, "The regular expressions are too large",
			fmt.Sprintf("Those of one expression may have %d instructions. A repetition as in a{1000} counts each time.", maxInstructions))
	}
	var re *regexp.Regexp
	if err == nil {
		re, err = regexp.Compile(text)
	}
	if err != nil {
		c.fail(n, "The regular expression cannot be read", upperFirst(strings.TrimPrefix(err.Error(), "error parsing regexp: "))+".")
	}
	p := &pattern{re, cost}
	if c.patterns == nil {
		c.patterns = make(map[string]*pattern)
	}
	c.patterns[text] = p
	return p
}

// instructions returns about how many instructions a regular expression is
// compiled to.
func instructions(re *syntax.Regexp) int {
	n := 1
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass:
		n += len(re.Rune) / 16
	case syntax.OpConcat, syntax.OpRepeat:
		n = 0
	case syntax.OpCapture:
		n = 2
	}
	for _, sub := range re.Sub {
		n = min(n+instructions(sub), maxInstructions+1)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, maxInstructions+1)
}
