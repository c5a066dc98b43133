package expr

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// signs are operators of other languages, with ours.
var signs = map[string]string{
	"=": "Equality is written ==.", "===": "Equality is written ==.", "!==": "Inequality is written !=.", "<>": "Inequality is written !=.",
	"=<": "It is written <=.", "=>": "At least is written >=. In a predicate the element is #, as in any(tags, # == 'a').",
	"->": "In a predicate the element is #, as in any(tags, # == 'a').", ":=": "Equality is written ==. A part gets a name with let x = a; b.",
	"&": "Both conditions are joined with &&.", "|": "Either condition is joined with ||. A single | hands a value to a function, as in s | upper().",
	"=~": "Write x matches '^a'.", "~": "Write x matches '^a'.", "~=": "Write x matches '^a', or x != y.", "!~": "Write not (x matches '^a').",
	"+=": "An expression changes nothing. Write x + 1.", "-=": "An expression changes nothing. Write x - 1.",
	"++": "An expression changes nothing. Write x + 1.", "--": "An expression changes nothing. Write x - 1.",
	"<<": "There are no operators on bits. Multiply by a power of 2.", ">>": "There are no operators on bits. Divide by a power of 2.",
}

// habits are words of other languages, with ours. They are found in capitals
// and in small letters.
var habits = map[string]string{
	"AND": "It is written &&, or and.", "OR": "It is written ||, or or.", "NOT": "It is written !, or not.", "XOR": "Write a != b.",
	"IS NULL": "Write x == nil.", "IS NOT NULL": "Write x != nil.", "IS": "Write x == nil, or x != nil.", "IS NOT": "Write x != y.",
	"IN": "It is written in, as in x in ['a', 'b'].", "NOT IN": "It is written not in, as in x not in ['a', 'b'].",
	"LIKE": likeHint, "ILIKE": likeHint, "NOT LIKE": "Write x not contains 'a', or not (x matches '^a').", "RLIKE": "Write x matches '^a'.", "REGEXP": "Write x matches '^a'.",
	"BETWEEN": "Write x >= a && x <= b.", "NOT BETWEEN": "Write x < a || x > b.",
	"THEN": "Write c ? a : b.", "WHEN": "Write c ? a : b.", "CASE": "Write c ? a : b.", "DIV": "Write int(a / b).", "MOD": "It is written %.",
	"AS": "Write int(x), float(x) or string(x).", "DISTINCT": "Nothing counts what is different.", "FILTER": "Write the condition inside, as in sum(c ? x : 0).",
	"CONTAINS": "It is written contains.", "STARTSWITH": "It is written startsWith.", "ENDSWITH": "It is written endsWith.", "MATCHES": "It is written matches.",
}

const likeHint = "Write x contains 'a', x startsWith 'a', or x matches '^a'."

// own are the operators that are words.
var own = map[string]bool{
	"and": true, "or": true, "not": true, "in": true, "contains": true, "startsWith": true, "endsWith": true, "matches": true,
}

// leading are the habits that the parser takes for a name, and stumbles over
// what follows.
var leading = []string{"NOT", "CASE", "DISTINCT"}

// foreign are names of values in other languages, with ours.
var foreign = map[string]string{
	"True": "true", "TRUE": "true", "False": "false", "FALSE": "false",
	"null": "nil", "NULL": "nil", "Null": "nil", "None": "nil", "none": "nil", "undefined": "nil", "NIL": "nil",
}

// aliases are functions of other languages, in small letters and without _,
// with what to write.
var aliases = map[string]string{
	"coalesce": "a ?? b", "ifnull": "a ?? b", "nvl": "a ?? b", "isnull": "x == nil", "nullif": "a == b ? nil : a", "if": "c ? a : b", "iif": "c ? a : b",
	"length": "len(x)", "lenght": "len(x)", "size": "len(x)", "strlen": "len(x)", "arraylength": "len(x)", "cardinality": "len(x)",
	"substr": "s[0:3]", "substring": "s[0:3]", "left": "s[:3]", "right": "s[-3:]", "tostring": "string(x)", "str": "string(x)", "text": "string(x)", "varchar": "string(x)",
	"toint": "int(x)", "integer": "int(x)", "parseint": "int(x)", "tofloat": "float(x)", "double": "float(x)", "number": "float(x)", "cast": "int(x), float(x) or string(x)",
	"toupper": "upper(s)", "uppercase": "upper(s)", "touppercase": "upper(s)", "tolower": "lower(s)", "lowercase": "lower(s)", "tolowercase": "lower(s)",
	"contains": "s contains 'a'", "startswith": "s startsWith 'a'", "endswith": "s endsWith 'a'", "matches": "s matches '^a'", "regexplike": "s matches '^a'",
	"average": "mean(list), or avg(x) in a window", "countif": "count(list, condition), or sum(c ? 1 : 0) in a window", "sumif": "sum(c ? x : 0)",
	"pow": "a ** b", "power": "a ** b", "sqrt": "a ** 0.5", "mod": "a % b", "strftime": "format_time(t, '%Y-%m-%d')", "dateformat": "format_time(t, '%Y-%m-%d')",
	"datetrunc": "truncate(t, duration('1h'))", "totimestamp": "timestamp(s)", "extract": "year(t), month(t) or hour(t)", "strip": "trim(s)", "includes": "x in list", "exists": "any(list, # > 1)",
}

// hint looks for a habit at the bytes that the parser stumbled over.
func (c *checker) hint(from, to int) {
	text := c.src.text
	if lo, hi := run(text, from, isSign); signs[text[lo:hi]] != "" {
		c.failAt(lo, hi, "Unexpected "+text[lo:hi], signs[text[lo:hi]])
	}
	if end, why := phrase(text, from); why != "" {
		c.failAt(from, end, "Unexpected "+text[from:end], why)
	}
	before := strings.TrimRight(text[:from], " \t\r\n")
	lo, hi := run(text, len(before)-1, isWord)
	if word := text[lo:hi]; slices.Contains(leading, strings.ToUpper(word)) && word != "not" {
		c.failAt(lo, hi, "Unexpected "+word, habits[strings.ToUpper(word)])
	}
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(text[from:])
	switch {
	case next == '*' && last == '(' && strings.HasPrefix(text[from:], "*)"):
		c.failAt(from, to, "Unexpected *", "Records are counted with count(), in a window.")
	case last == '|' && !strings.HasSuffix(before, "||"):
		c.failAt(len(before)-1, len(before), "Unexpected |", signs["|"])
	case len(before) == from && strings.ContainsRune(`'"`, last) && isWord(next):
		c.failAt(from, to, "The text ends before this", `A quote ends it. Inside of a text it has a backslash before it, or the text stands in quotes of the other kind.`)
	case strings.ContainsRune("‘’“”„«»´", next):
		c.failAt(from, from+utf8.RuneLen(next), "Unexpected "+string(next), "Text is written in straight quotes, as in 'abc'.")
	case strings.ContainsRune(`'"`, last) && strings.ContainsRune(`'"`, next):
		c.failAt(from, to, "Two texts in a row", "They are joined with +.")
	case next == ',' && unicode.IsDigit(last) && from+1 < len(text) && unicode.IsDigit(rune(text[from+1])):
		c.failAt(from, to, "Unexpected ,", "A number has no commas. Write 1000, or 1_000.")
	case next == ',' && strings.HasPrefix(strings.TrimSpace(text), "if"):
		c.failAt(from, to, "Unexpected ,", "A condition is written c ? a : b.")
	}
	c.unit(from)
	c.closes(from)
}

// unit looks for a number with a unit of time.
func (c *checker) unit(at int) {
	text := c.src.text
	lo, hi := run(text, at, isWord)
	if digits := strings.TrimRight(text[lo:hi], "smhdun"); digits != "" && len(digits) < hi-lo && strings.Trim(digits, "0123456789") == "" {
		c.failAt(lo, hi, "This is not a number", "A span of time is written as duration('"+text[lo:hi]+"').")
	}
}

// closes looks for a bracket that closes another kind than was opened.
func (c *checker) closes(at int) {
	pair := map[byte]byte{')': '(', ']': '[', '}': '{'}
	open := c.open(at)
	if want := pair[c.src.text[at]]; want != 0 && len(open) > 0 && c.src.text[open[len(open)-1]] != want {
		kind := c.src.text[open[len(open)-1]]
		c.failAt(at, at+1, "Unexpected "+c.src.text[at:at+1], "A "+closing(kind)+" is missing before it.")
	}
}

// early reports a text that ends where it must not.
func (c *checker) early() {
	text := strings.TrimRight(c.src.text, " \t\r\n")
	end := len(text)
	lo, _ := run(text, end-1, isWord)
	before := strings.TrimRight(text[:lo], " \t\r\n")
	if strings.HasSuffix(before, "|") && !strings.HasSuffix(before, "||") {
		c.failAt(len(before)-1, len(before), "Unexpected |", signs["|"])
	}
	if lo, hi := run(text, end-1, isSign); signs[text[lo:hi]] != "" {
		c.failAt(lo, hi, "Unexpected "+text[lo:hi], signs[text[lo:hi]])
	}
	last, _ := utf8.DecodeLastRuneInString(text)
	value := isWord(last) && !own[text[lo:end]] || strings.ContainsRune("'\"`)]}", last)
	if open := c.open(end); value && len(open) > 0 {
		at := open[len(open)-1]
		kind := text[at]
		c.failAt(at, at+1, "A "+closing(kind)+" is missing", "This "+string(rune(kind))+" is not closed.")
	}
	if i := strings.LastIndexByte(text, '?'); value && i >= 0 && !strings.HasSuffix(text[:i], "?") && !strings.Contains(text[i:], ":") {
		c.failAt(i, i+1, "The condition has no :", "Both branches are given, as in c ? a : b.")
	}
	_, size := utf8.DecodeLastRuneInString(text)
	c.failAt(end-size, end, "The expression ends too early", "A value is missing after this.")
}

func closing(open byte) string {
	return map[byte]string{'(': ")", '[': "]", '{': "}"}[open]
}

// open returns the brackets that are open at a place, outermost first. Text
// and comments have none.
func (c *checker) open(at int) []int {
	text := c.src.text
	var open []int
	for i := 0; i < at; i++ {
		switch ch := text[i]; {
		case ch == '\'' || ch == '"' || ch == '`':
			for i++; i < at && text[i] != ch; i++ {
				if text[i] == '\\' && ch != '`' {
					i++
				}
			}
		case strings.HasPrefix(text[i:], "//"):
			for i < at && text[i] != '\n' {
				i++
			}
		case strings.HasPrefix(text[i:], "/*"):
			if j := strings.Index(text[i:], "*/"); j > 0 {
				i += j + 1
			}
		case strings.IndexByte("([{", ch) >= 0:
			open = append(open, i)
		case strings.IndexByte(")]}", ch) >= 0 && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	return open
}

// phrase returns the end of the longest habit that starts at from, and what to
// write for it.
func phrase(text string, from int) (end int, why string) {
	words := ""
	for i := from; i < len(text) && len(words) < 20; {
		lo, hi := run(text, i, isWord)
		if lo != i || hi == lo {
			break
		}
		if own[text[lo:hi]] {
			break
		}
		words = strings.TrimPrefix(words+" "+strings.ToUpper(text[lo:hi]), " ")
		if h := habits[words]; h != "" {
			end, why = hi, h
		}
		i = hi + len(text[hi:]) - len(strings.TrimLeft(text[hi:], " \t\r\n"))
	}
	return end, why
}

// run returns the bytes around a place that hold for is.
func run(text string, at int, is func(rune) bool) (lo, hi int) {
	if at < 0 || at >= len(text) {
		return max(at, 0), max(at, 0)
	}
	lo, hi = at, at
	for lo > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:lo])
		if !is(r) {
			break
		}
		lo -= size
	}
	for hi < len(text) {
		r, size := utf8.DecodeRuneInString(text[hi:])
		if !is(r) {
			break
		}
		hi += size
	}
	return lo, hi
}

func isSign(r rune) bool { return strings.ContainsRune("=<>!&|~:+-", r) }

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
