package yamlspec

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gpflow/gpflow/spec/diag"
)

// maxRepairs bounds the bytes that are parsed to find a quote that is not
// closed, and maxRepaired how often.
const maxRepairs, maxRepaired = 4 << 20, 64

// maxBefore bounds what is looked at before a quote, in bytes.
const maxBefore = 128

// begins is what stands before a quote with which a value or a key begins.
var begins = regexp.MustCompile(`(?:^|: |- |[\[{,])[ \t]*(?:[&!][^ ]* +)*$`)

// openQuote reports the quote that is the cause of an error of the parser: one
// that is not closed on its line, and with which, were it closed there, the
// parser would get further.
func (p *parser) openQuote(bad *failure) bool {
	left := min(maxRepaired, maxRepairs/(len(p.src)+1))
	for _, from := range p.lines {
		if from > bad.read {
			return false
		}
		end := p.lineEnd(from)
		at := unclosed(string(p.src[from:end]))
		if at < 0 {
			continue
		}
		at += from
		for _, close := range p.ends(at, end) {
			if close <= at+1 {
				continue
			}
			if left--; left < 0 {
				return false
			}
			if p.helps(bad, at, close) {
				p.quoteNotClosed(at, close)
				return true
			}
		}
	}
	return false
}

// ends returns where a text that begins with the quote at may end on its line:
// before brackets and commas, before what looks like a comment, or with it.
func (p *parser) ends(at, end int) []int {
	text := p.src[at:end]
	if i := bytes.Index(text, []byte(" #")); i >= 0 {
		text = bytes.TrimRight(text[:i], " \t")
	}
	return slices.Compact([]int{at + len(bytes.TrimRight(text, " \t,]}")), at + len(text), end})
}

// unclosed returns where the quote stands that opens a scalar on a line and is
// not closed on it, or -1.
func unclosed(line string) int {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '#' && (i == 0 || blank(line[i-1])):
			return -1
		case (c == '"' || c == '\'') && begins.MatchString(line[max(0, i-maxBefore):i]):
			end := closes(line[i+1:], c)
			if end < 0 {
				return i
			}
			i += 1 + end
		}
	}
	return -1
}

// closes returns where a text in the given quotes ends, or -1.
func closes(text string, quote byte) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] != quote:
		case quote == '\'' && strings.HasPrefix(text[i+1:], "'"):
			i++
		default:
			return i
		}
	}
	return -1
}

// helps reports whether the parser gets further than to bad when the quote at
// is closed.
func (p *parser) helps(bad *failure, at, close int) bool {
	repaired := bytes.Join([][]byte{p.src[:close], p.src[at : at+1], p.src[close:]}, nil)
	_, _, other := parse(repaired)
	if other == nil {
		return true
	}
	const noEnd = "unexpected end of stream"
	if strings.Contains(bad.message, noEnd) {
		return !strings.Contains(other.message, noEnd)
	}
	return other.read > p.lineAfter(bad.read)
}

// lineAfter returns the end of the line with the byte at offset.
func (p *parser) lineAfter(offset int) int {
	return p.lineEnd(min(offset, len(p.src))) + 1
}

// quoteNotClosed reports the quote at, which should be closed at another place.
func (p *parser) quoteNotClosed(at, close int) {
	quote := p.src[at]
	what := map[byte]string{'"': "double", '\'': "single"}[quote]
	detail := fmt.Sprintf("There is no other %s quote in the file.", what)
	if next := closes(string(p.src[at+1:]), quote); next >= 0 {
		detail = fmt.Sprintf("The next %s quote closes it, on line %d.", what, p.pos(at+1+next).Line)
	}
	p.fail(diag.Diagnostic{
		Code: diag.CodeSyntax, Range: toRange(p.rng(at, close)), Summary: "the quote that is opened here is not closed on its line",
		Detail: detail, Fix: fmt.Sprintf("Close it where the value ends: %s%c", p.src[at:close], quote),
	})
}
