package yamlspec

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/gpflow/gpflow/spec/diag"
)

var (
	// inBrackets is a line with a template in a flow mapping or sequence.
	inBrackets = regexp.MustCompile(`[:\-] +[\[{].*\$\{`)
	// closing is a line that begins with a closing bracket.
	closing = regexp.MustCompile(`^ *[}\]]`)
	// oneKey is a line of a key with a value of one word at most.
	oneKey = regexp.MustCompile(`^ *[\w-]+:(?: +[^\s"'#:]+)? *(?:#.*)?$`)
	// twoKeys is a line on which another key follows a value of one word.
	twoKeys = regexp.MustCompile(`^[ -]*[\w-]+: +[^\s"'#:]+,? +[\w-]+:(?: |$)`)
	// key is what a line with a key begins with.
	key = regexp.MustCompile(`^ *(?:- +)*(?:[^\s"'#][^#]*?|"[^"]*"|'[^']*'):(?:\s|$)`)
	// tagged is a line with a value that begins with !, up to a comment.
	tagged = regexp.MustCompile(`^ *(?:- +)*(?:[^\s"'#]+: +)?(!.*?)(?: +#.*)?$`)
	// otherSign is a key with something else than a colon and a space behind it.
	otherSign = regexp.MustCompile(`^([\w-]+)(?: *=> *| *= *|:)([^\s=].*?)(?: +#.*)?$`)
)

// noColon finds the line, before the one in which a key cannot stand, that
// makes a text of both because its own colon is missing.
func (p *parser) noColon(message string, line int) (found bool, before int) {
	text := p.lineText(line)
	if !key.MatchString(text) || !strings.Contains(message, "mapping values are not allowed") && !strings.Contains(message, "expected key") {
		return false, 0
	}
	for before = line - 1; before >= 0; before-- {
		other := p.lineText(before)
		if t := strings.TrimSpace(other); t == "" || strings.HasPrefix(t, "#") {
			continue
		}
		return indentOf(other) == indentOf(text) && !key.MatchString(other) && !strings.HasPrefix(strings.TrimSpace(other), "- "), before
	}
	return false, 0
}

func (p *parser) lineText(line int) string {
	from := p.lines[line]
	return string(p.src[from:p.lineEnd(from)])
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// colonMissing says that there is no colon, with a space behind it, in a line.
func colonMissing(line string) (summary, detail, fix string) {
	summary = "a colon is expected behind a key"
	detail = "The line is neither a key with its value nor part of a value."
	fix = "Write it as key: value, or indent it to make it part of the value before."
	if m := otherSign.FindStringSubmatch(line); m != nil {
		detail, fix = "A key is followed by a colon and a space.", fmt.Sprintf("Write it as %s: %s", m[1], m[2])
	}
	return summary, detail, fix
}

// quoteWhole tells to put text in quotes.
func quoteWhole(text string) string {
	switch {
	case !strings.ContainsAny(text, `"\`):
		text = `"` + text + `"`
	case !strings.Contains(text, "'"):
		text = "'" + text + "'"
	default:
		return "Put the value in quotes, or on lines of its own behind key: |"
	}
	return "Put the value in quotes: " + text
}

// hint says more of an error of the parser in the line text than it does
// itself, where the line is written as one that is often meant otherwise. only
// says that it is about the first character of the line.
func hint(d *diag.Diagnostic, message, text string) (only bool) {
	expected, misplaced := strings.Contains(message, "expected key"), strings.Contains(message, "mapping values")
	switch m := tagged.FindStringSubmatch(text); {
	case m != nil && (strings.Contains(message, "comment or line break") || strings.Contains(message, "tag") || strings.Contains(message, "expected '!'")):
		d.Summary, d.Detail = "a ! at the beginning of a value makes a tag of it", ""
		d.Fix = quoteWhole(m[1])
	case inBrackets.MatchString(text) && strings.Contains(message, "expected"):
		d.Fix = `In brackets, put a value with ${ } in quotes: "${...}"`
	case closing.MatchString(text) && expected:
		d.Summary, d.Detail = "this brace closes nothing", ""
		d.Fix = "Remove it, or a closing brace that is too many before it."
		return true
	case twoKeys.MatchString(text) && misplaced:
		d.Summary, d.Detail = "something follows the value", "An attribute ends with its line."
		d.Fix = "Write each attribute on a line of its own. A value with a colon and a space is written in quotes."
	case oneKey.MatchString(text) && (expected || misplaced):
		d.Fix = "Indent it like the keys that it belongs to."
	}
	return false
}
