package yamlspec

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/gpflow/gpflow/spec/diag"
)

// maxSearch bounds the files in which the line of a syntax error is searched
// for, in bytes. In others the line is where the parser gave up.
const maxSearch = 4 << 20

// saying is what a message of the YAML parser means.
type saying struct{ message, summary, detail, fix string }

const inQuotes = "Put a value that is text or an expression in quotes, or on lines of its own behind key: |"

const inBraces = "Put a value that is text or an expression in quotes, or on a line of its own, without brackets around it."

var sayings = []saying{
	{"mapping values are not allowed", "a key cannot stand here", "A colon with a space behind it makes a key of what stands before it. This one is within a value, or indented further than the keys around it.", inQuotes},
	{"did not find expected key", "a key is expected here", "The line is not indented like the keys around it, or something follows a value that is complete.", inQuotes},
	{"could not find expected ':'", "a colon is expected behind a key", "The line is neither a key with its value nor part of a value.", "Write it as key: value, or indent it to make it part of the value before."},
	{"did not find expected '-' indicator", "an element with a - is expected here", "The line is not indented like the elements of the list.", ""},
	{"did not find expected ',' or ']'", "a bracket [ is not closed", "A comma or a ] is missing, or an element holds a bracket or a comma that is not in quotes.", inBraces},
	{"did not find expected ',' or '}'", "a bracket { is not closed", "A comma or a } is missing, or a value holds a bracket or a comma that is not in quotes.", inBraces},
	{"did not find expected node content", "a value is expected here", "A closing bracket or a comma stands where a value begins.", inQuotes},
	{"block sequence entries are not allowed", "an element with a - cannot stand here", "The elements of a list begin on lines of their own.", inQuotes},
	{"block mapping", "a key cannot stand here", "", inQuotes},
	{"tab character", tabs, "", "Indent with spaces."},
	{"found unexpected end of stream", "a quote is not closed", "", "Put the closing quote where the value ends. In single quotes, a quote is written twice."},
	{"found unexpected document indicator", "a quote is not closed", "A line of --- ends the document.", ""},
	{"found unknown escape character", "there is no such escape in double quotes", "", `Write a backslash as \\, or put the value in single quotes, where it stands for itself.`},
	{"hexdecimal", "the escape in double quotes is not a character", "", `Write a backslash as \\, or put the value in single quotes, where it stands for itself.`},
	{"Unicode character escape", "the escape in double quotes is not a character", "", ""},
	{"comment or line break", "only a comment may stand behind | or >", "They begin a value on the lines that follow.", inQuotes},
	{"indentation indicator", "the indentation behind | or > is a digit from 1 to 9", "", ""},
	{"alphabetic or numeric character", "& and * need the name of an anchor", "A value that begins with & or * is an anchor or an alias.", inQuotes},
	{"unknown anchor", "there is no such anchor", "A value that begins with * stands for the value that an anchor & names, further up.", inQuotes},
	{"control characters", "the file has a control character", "", "Remove it."},
	{"tag", "a ! begins a tag, and this is none", "", inQuotes},
	{"expected '!'", "a ! begins a tag, and this is none", "", inQuotes},
	{"expected '>'", "a ! begins a tag, and this is none", "", inQuotes},
	{"directive", "a line that begins with % is a directive", "A specification has none.", ""},
	{"version number", "a line that begins with % is a directive", "A specification has none.", ""},
	{"document", "a line that begins with % is a directive", "A specification has none.", ""},
	{"exceeded max depth", "the values are nested too deeply", "", ""},
}

const tabs = "a tab indents the line"

var leadingLine = regexp.MustCompile(`^line \d+: `)

// syntaxError reports an error of the parser on the line that causes it.
func (p *parser) syntaxError(bad *failure) {
	if p.openQuote(bad) {
		return
	}
	message := leadingLine.ReplaceAllString(bad.message, "")
	line := p.lineOf(message, bad.read)
	noColon, before := p.noColon(message, line)
	if noColon {
		line = before
	}
	from := p.lines[line]
	text := string(p.src[from:p.lineEnd(from)])
	d := diag.Diagnostic{Code: diag.CodeSyntax, Summary: "the text is not YAML", Detail: fmt.Sprintf("The parser says: %s.", message)}
	for _, s := range sayings {
		if strings.Contains(message, s.message) {
			d.Summary, d.Detail, d.Fix = s.summary, s.detail, s.fix
			break
		}
	}
	from += len(text) - len(strings.TrimLeft(text, " \t"))
	to := p.lineEnd(p.lines[line])
	indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	switch i := strings.IndexByte(indent, '\t'); {
	case i >= 0:
		d.Summary, d.Detail, d.Fix = tabs, "", "Indent with spaces."
		from, to = p.lines[line]+i, p.lines[line]+i+1
	case strings.Contains(message, "cannot start any token"):
		d.Detail, d.Fix = "", inQuotes
		d.Summary = "a value cannot begin with this character"
		if m := firstBad.FindStringIndex(text); m != nil {
			from, to = p.lines[line]+m[1]-1, p.lines[line]+m[1]
			d.Summary = fmt.Sprintf("a value cannot begin with %s", text[m[1]-1:m[1]])
		}
	case strings.Contains(message, "control characters") && bad.read > 0:
		from, to = bad.read-1, bad.read
		d.Detail = fmt.Sprintf("The byte 0x%02x at offset %d does not belong there.", p.src[from], from)
	case noColon:
		d.Summary, d.Detail, d.Fix = colonMissing(strings.TrimSpace(text))
	default:
		if hint(&d, message, text) {
			to = from + 1
		}
	}
	d.Range = toRange(p.rng(from, max(from, to)))
	p.fail(d)
}

// firstBad ends with a character that begins no value.
var firstBad = regexp.MustCompile("(?:^|[:\\-\\[{,] ?) *[@`%]")

// lineOf returns the line, from 0, of the error with the given message: the
// last of the fewest lines with which the parser says the same. read is how
// many bytes it had read of the whole.
func (p *parser) lineOf(message string, read int) int {
	last := p.pos(min(read, len(p.src))).Line
	if len(p.src) > maxSearch {
		return last - 1
	}
	same := func(lines int) bool {
		end := len(p.src)
		if lines < len(p.lines) {
			end = p.lines[lines]
		}
		_, _, bad := parse(p.src[:end])
		if bad == nil {
			return false
		}
		other := leadingLine.ReplaceAllString(bad.message, "")
		return other == message || strings.Contains(message, "expected ','") && strings.Contains(other, "node content")
	}
	// The fewest lines are in (low, high].
	low, high := 0, last
	for step := 1; high-step > 0; step *= 2 {
		if !same(high - step) {
			low = high - step
			break
		}
		high -= step
	}
	for high-low > 1 {
		if mid := (low + high) / 2; same(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high - 1
}

// separator is a line that begins another document.
var separator = regexp.MustCompile(`(?m)^---(?:[ \t\r\n]|$)`)

// secondDocument reports a second document, whose content, or whose end, is on
// the given line.
func (p *parser) secondDocument(line int) {
	end := len(p.src)
	if line < len(p.lines) {
		end = p.lines[line]
	}
	at := end
	if all := separator.FindAllIndex(p.src[:end], -1); len(all) > 0 {
		at = all[len(all)-1][0]
	}
	p.fail(diag.Diagnostic{
		Code: diag.CodeSyntax, Range: toRange(p.rng(at, min(at+3, len(p.src)))), Summary: "a second document begins here",
		Detail: "A file is one document; all the files of a directory are one pipeline.", Fix: "Remove the line ---, or put what follows into a file of its own.",
	})
}
