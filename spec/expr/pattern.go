package expr

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/gpflow/gpflow/spec/regex"
)

// pattern is a regular expression. It is safe for concurrent use.
type pattern struct {
	text string
	cost int // instructions
	once sync.Once
	re   *regexp.Regexp
}

// match reports whether s matches. The first call compiles the pattern, which
// has been read before: to check an expression takes no more than that.
func (p *pattern) match(s string) bool {
	p.once.Do(func() { p.re = regexp.MustCompile(p.text) })
	return p.re.MatchString(s)
}

// pattern returns the regular expression of a constant, one for an expression
// however often it stands there. What is too large is not compiled at all; those of one
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
	if err != nil {
		c.fail(n, "The regular expression cannot be read", upperFirst(strings.TrimPrefix(err.Error(), "error parsing regexp: "))+".")
	}
	p := &pattern{text: text, cost: size.Instructions}
	if c.patterns == nil {
		c.patterns = make(map[string]*pattern)
	}
	c.patterns[text] = p
	return p
}
