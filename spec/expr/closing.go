package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// Closing returns the offset of the bracket that closes the one at text[open],
// which is (, [ or { and stands before an expression in a longer text. What
// follows the closing bracket may be anything.
//
// It is found by the tokens of the language: brackets come in pairs of one kind,
// and those in quotes and in comments are none. The error has places in text.
func Closing(text string, open int) (int, *Error) {
	l := lexer.New()
	l.Reset(file.NewSource(text[open:]))
	at, runes := open, 0 // the same place, in bytes of text and in runes behind open
	var opened []int
	for {
		t, err := l.Next()
		if err != nil {
			return 0, unread(text, open, err)
		}
		if t.Kind == lexer.EOF {
			return 0, unclosed(text, opened[len(opened)-1])
		}
		if t.Kind != lexer.Bracket {
			continue
		}
		for ; runes < t.From; runes++ {
			_, n := utf8.DecodeRuneInString(text[at:])
			at += n
		}
		if strings.Contains("([{", t.Value) {
			opened = append(opened, at)
			continue
		}
		last := opened[len(opened)-1]
		switch closes := pairs[text[last]] == text[at]; {
		case !closes && last == open:
			return 0, &Error{From: at, To: at + 1, Summary: "Unexpected " + t.Value, Detail: unopened}
		case !closes:
			return 0, unclosed(text, last)
		}
		if opened = opened[:len(opened)-1]; len(opened) == 0 {
			return at, nil
		}
	}
}

// pairs are the brackets that close others.
var pairs = map[byte]byte{'(': ')', '[': ']', '{': '}'}

func unclosed(text string, at int) *Error {
	return &Error{
		From: at, To: at + 1, Summary: "The " + text[at:at+1] + " is not closed",
		Detail: "Write the " + string(pairs[text[at]]) + " that belongs to it. Brackets in quotes do not count.",
	}
}

// unread says what makes no token behind text[open].
func unread(text string, open int, err error) *Error {
	return newChecker(text[open:], Env{}).unreadable(err).Within(open, len(text)-open)
}

// unreadable returns what syntax reports.
func (c *checker) unreadable(err error) (e *Error) {
	defer c.catch(&e)
	c.syntax(err)
	return nil
}

// Within returns the mistakes of an expression of n bytes as those of a longer
// text, in which it begins at byte at.
func (e *Error) Within(at, n int) *Error {
	out := *e
	if out.To == 0 {
		out.From, out.To = 0, n
	}
	out.From, out.To = out.From+at, out.To+at
	out.More = nil
	for _, m := range e.More {
		out.More = append(out.More, m.Within(at, n))
	}
	return &out
}
