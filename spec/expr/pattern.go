package expr

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/gpflow/gpflow/spec/regex"
)

// pattern is a regular expression.
type pattern struct {
	*regexp.Regexp
	cost int // instructions
}

// pattern returns the regular expression of a constant, which is compiled once
// for an expression. What is too large is not compiled at all; those of one
// expression have the size of one together.
func (c *checker) pattern(n *node) *pattern {
	text := n.val.Str()
	if p := c.patterns[text]; p != nil {
		return p
	}
	size, err := regex.Measure(text)
	if c.instructions += size.Instructions; c.instructions > regex.Max {
		c.failCode(CodeTooBig, n.from, n.to, "The regular expressions are too large",
			fmt.Sprintf("Those of one expression may have %d instructions. A repetition as in a{1000} counts each time.", regex.Max))
	}
	var re *regexp.Regexp
	if err == nil {
		re, err = regexp.Compile(text)
	}
	if err != nil {
		c.fail(n, "The regular expression cannot be read", upperFirst(strings.TrimPrefix(err.Error(), "error parsing regexp: "))+".")
	}
	p := &pattern{re, size.Instructions}
	if c.patterns == nil {
		c.patterns = make(map[string]*pattern)
	}
	c.patterns[text] = p
	return p
}
