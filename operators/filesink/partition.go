package filesink

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/gpflow/gpflow/spec/expr"
)

// template is the path of parts: text, and record expressions in braces. It is
// immutable.
//
// A { begins an expression, and the bracket that closes it by the tokens of the
// language ends it: brackets within nest, and those in quotes and in comments do
// not count. Outside of that neither { nor } can stand. Space around an expression
// does not belong to it. One that is the name of a column is that column, whatever
// else it could mean; a name of which the language makes no tokens ends with the
// next brace.
type template struct {
	root   string // the directory before the first expression
	pieces []piece
}

// piece is a text, or an expression.
type piece struct {
	text string // "": it is an expression
	expr string
	at   int // the byte of the path where the expression begins
	// wrong says why expr cannot be read. It may be the name of a column all the
	// same: those that a source declares are any text.
	wrong *expr.Error
}

// parseTemplate takes a path like "out/{day}/{lower(origin)}/" apart. The error
// has places in the path.
func parseTemplate(path string) (*template, *expr.Error) {
	first := strings.IndexAny(path, "{}")
	if first < 0 {
		return &template{root: filepath.Clean(path)}, nil
	}
	cut := strings.LastIndexByte(path[:first], '/') + 1
	t := &template{root: filepath.Clean(path[:cut])}
	masked := []byte(path) // with x for each byte of an expression
	for at := cut; at < len(path); {
		n := strings.IndexAny(path[at:], "{}")
		if n < 0 {
			n = len(path) - at
		}
		if n > 0 {
			t.pieces = append(t.pieces, piece{text: path[at : at+n]})
			at += n
			continue
		}
		p, end, err := parsePiece(path, at)
		if err != nil {
			return nil, err
		}
		t.pieces = append(t.pieces, p)
		copy(masked[at:end], strings.Repeat("x", end-at))
		at = end
	}
	return t, leadsDown(string(masked), cut)
}

// parsePiece reads the expression in braces at a byte of the path, and returns
// the byte behind it.
func parsePiece(path string, at int) (p piece, end int, err *expr.Error) {
	if path[at] == '}' {
		return p, 0, &expr.Error{
			From: at, To: at + 1, Summary: "There is no { before this }",
			Detail: `A record expression stands between { and }, as in "out/{day}/". Neither can be part of a name.`,
		}
	}
	if end, err = expr.Closing(path, at); err != nil {
		n := strings.IndexAny(path[at+1:], "{}")
		if n < 0 || path[at+1+n] == '{' {
			return p, 0, err
		}
		p.wrong, end = err, at+1+n
	}
	inside := path[at+1 : end]
	p.expr = strings.TrimSpace(inside)
	p.at = at + 1 + strings.Index(inside, p.expr)
	if end++; p.expr == "" {
		return p, 0, &expr.Error{
			From: at, To: end, Summary: "There is nothing between the braces",
			Detail: `A column stands there, or another record expression, as in "out/{day}/".`,
		}
	}
	return p, end, nil
}

// leadsDown refuses the names that would lead up again behind byte cut of a path.
func leadsDown(path string, cut int) *expr.Error {
	for at := cut; at < len(path); {
		name, _, _ := strings.Cut(path[at:], "/")
		if name == "." || name == ".." {
			return &expr.Error{
				From: at, To: at + len(name), Summary: name + " stands behind an expression", Detail: "Write a path that leads down only.",
			}
		}
		at += len(name) + 1
	}
	return nil
}

// keys returns the expressions, each once, in the order of the path; nil where it
// has none.
func (t *template) keys() []string {
	var all []string
	for _, p := range t.pieces {
		if p.expr != "" && !slices.Contains(all, p.expr) {
			all = append(all, p.expr)
		}
	}
	return all
}

// claim returns the path in a form that paths to the same directories share.
func (t *template) claim() string {
	if len(t.pieces) == 0 {
		return t.root
	}
	var b strings.Builder
	if t.root != "." {
		b.WriteString(strings.TrimSuffix(t.root, "/") + "/")
	}
	for i, p := range t.pieces {
		switch last := i == len(t.pieces)-1; {
		case p.expr != "":
			b.WriteString("{" + p.expr + "}")
		case last:
			b.WriteString(strings.TrimRight(oneSlash(p.text), "/"))
		default:
			b.WriteString(oneSlash(p.text))
		}
	}
	return b.String()
}

// pattern returns a pattern of the directories.
func (t *template) pattern() string {
	var b strings.Builder
	for _, p := range t.pieces {
		if p.expr != "" {
			b.WriteByte('*')
		} else {
			b.WriteString(literal(p.text))
		}
	}
	return filepath.Join(literal(t.root), b.String())
}

// literal returns the pattern of one path.
func literal(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// oneSlash returns text with one slash for several in a row.
func oneSlash(text string) string {
	for strings.Contains(text, "//") {
		text = strings.ReplaceAll(text, "//", "/")
	}
	return text
}
