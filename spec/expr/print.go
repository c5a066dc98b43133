package expr

import (
	"math"
	"strconv"
	"unicode"

	"github.com/gpflow/gpflow"
)

// precedence orders the operators, loosest first.
var precedence = map[string]int{
	"?:": 1, "||": 2, "&&": 3, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "in": 4,
	"contains": 4, "startsWith": 4, "endsWith": 4, "matches": 4,
	"+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "**": 7, "??": 0, "let": 0, "..": 0, "!": 4, "neg": 6,
}

const tight = 10

// operator returns the operator of n, or "" for what needs no parentheses.
func (n *node) operator() string {
	switch n.op {
	case opCond:
		return "?:"
	case opLet:
		return "let"
	case opRange:
		return ".."
	case opOr:
		return "||"
	case opAnd:
		return "&&"
	case opCompare, opArith, opMatch:
		return n.name
	case opIsNull:
		return "=="
	case opIn, opInRange:
		return "in"
	case opCoalesce:
		return "??"
	case opNot:
		return "!"
	case opNeg:
		return "neg"
	case opFloat:
		return n.kids[0].operator()
	}
	return ""
}

// appendText appends the canonical text of n. Two trees have the same text only if
// they are the same.
func appendText(b []byte, n *node) []byte {
	switch n.op {
	case opConst:
		return printConst(b, n.val)
	case opColumn:
		return printName(b, n.name)
	case opVar:
		return append(b, n.name...)
	case opElement:
		return append(b, '#')
	case opLet:
		b = append(append(append(b, "let "...), n.name...), " = "...)
		b = append(inner(b, n.kids[0], 1), "; "...)
		return appendText(b, n.kids[1])
	case opNot:
		if k := n.kids[0]; k.op == opIsNull {
			return append(inner(b, k.kids[0], tight), " != nil"...)
		}
		return inner(append(b, '!'), n.kids[0], tight)
	case opNeg:
		return inner(append(b, '-'), n.kids[0], tight)
	case opIsNull:
		return append(inner(b, n.kids[0], tight), " == nil"...)
	case opFloat:
		return appendText(b, n.kids[0])
	case opInRange:
		b = append(inner(b, n.kids[0], tight), " in "...)
		return printRange(b, n)
	case opRange:
		return printRange(b, n)
	case opCond:
		b = append(inner(b, n.kids[0], 2), " ? "...)
		b = append(inner(b, n.kids[1], 2), " : "...)
		return inner(b, n.kids[2], 2)
	case opList:
		return append(printAll(append(b, '['), n.kids), ']')
	case opMap:
		return printMap(b, n)
	case opMember:
		b = inner(b, n.kids[0], tight)
		if n.optional {
			b = append(b, "?."...)
		}
		return append(appendText(append(b, '['), n.kids[1]), ']')
	case opCall, opLoop:
		b = append(append(b, n.name...), '(')
		if n.op == opLoop && leftmost(n.kids[1]).op == opMap { // a brace would open the predicate
			b = append(appendText(b, n.kids[0]), ", ("...)
			b = append(appendText(b, n.kids[1]), ')')
			for _, k := range n.kids[2:] {
				b = appendText(append(b, ", "...), k)
			}
			return append(b, ')')
		}
		return append(printAll(b, n.kids), ')')
	}
	return printBinary(b, n)
}

// leftmost returns what the text of n begins with.
func leftmost(n *node) *node {
	for {
		switch n.op {
		case opNot:
			if n.kids[0].op != opIsNull {
				return n
			}
		case opMember, opArith, opCompare, opIsNull, opAnd, opOr, opIn, opInRange, opMatch, opCoalesce, opCond, opFloat:
		default:
			return n
		}
		n = n.kids[0]
	}
}

func printMap(b []byte, n *node) []byte {
	b = append(b, '{')
	for i := 0; i < len(n.kids); i += 2 {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(appendText(append(b, '('), n.kids[i]), "): "...)
		b = appendText(b, n.kids[i+1])
	}
	return append(b, '}')
}

func printBinary(b []byte, n *node) []byte {
	op := n.operator()
	p := precedence[op]
	left, right := p, p+1
	switch {
	case op == "??": // the syntax does not mix it with others
		left, right = tight, tight
	case p == 4 || op == "**":
		left = p + 1
	}
	b = append(inner(b, n.kids[0], left), ' ')
	b = append(append(b, op...), ' ')
	return inner(b, n.kids[1], right)
}

// inner appends n, in parentheses where it binds less tightly than min.
func inner(b []byte, n *node, limit int) []byte {
	op := n.operator()
	if op == "!" && n.op == opNot && n.kids[0].op == opIsNull {
		op = "!="
	}
	negative := n.op == opConst && isNumber(n.val) && (number(n.val) < 0 || math.Signbit(number(n.val)))
	if op == "" && !negative || op != "" && precedence[op] >= limit {
		return appendText(b, n)
	}
	if negative && limit <= precedence["neg"] {
		return appendText(b, n)
	}
	return append(appendText(append(b, '('), n), ')')
}

func printAll(b []byte, kids []*node) []byte {
	for i, k := range kids {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendText(b, k)
	}
	return b
}

func printRange(b []byte, n *node) []byte {
	b = append(strconv.AppendInt(b, n.lo, 10), ".."...)
	return strconv.AppendInt(b, n.hi, 10)
}

// keywords are words that the syntax takes for itself.
var keywords = map[string]bool{
	"true": true, "false": true, "nil": true, "and": true, "or": true, "not": true, "in": true, "let": true, "if": true, "else": true,
	"contains": true, "startsWith": true, "endsWith": true, "matches": true, "event": true, "var": true, "local": true,
}

// printName appends a column's name, as event["..."] where it is no name of
// the syntax.
func printName(b []byte, name string) []byte {
	start := true
	if keywords[name] {
		return append(gpflow.AppendQuoted(append(b, "event["...), name), ']')
	}
	for _, r := range name {
		switch {
		case r == '.' && !start:
			start = true
			continue
		case r == '_' || unicode.IsLetter(r) || !start && unicode.IsDigit(r):
			start = false
			continue
		}
		return append(gpflow.AppendQuoted(append(b, "event["...), name), ']')
	}
	return append(b, name...)
}

// printConst appends a constant as the expression that makes it.
func printConst(b []byte, v gpflow.Value) []byte {
	switch v.Kind() {
	case gpflow.KindNull:
		return append(b, "nil"...)
	case gpflow.KindFloat:
		return printFloat(b, v.Float())
	case gpflow.KindString:
		return gpflow.AppendQuoted(b, v.Str())
	case gpflow.KindBytes:
		return strconv.AppendQuote(append(b, 'b'), v.Str())
	case gpflow.KindTimestamp:
		b = gpflow.AppendQuoted(append(b, "timestamp("...), v.Time().String())
		return append(b, ')')
	case gpflow.KindDuration:
		b = gpflow.AppendQuoted(append(b, "duration("...), v.Span().String())
		return append(b, ')')
	case gpflow.KindList:
		b = append(b, '[')
		for i, e := range v.List() {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = printConst(b, e)
		}
		return append(b, ']')
	case gpflow.KindMap:
		b = append(b, '{')
		for i, e := range v.Map() {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(gpflow.AppendQuoted(b, e.Key), ": "...)
			b = printConst(b, e.Value)
		}
		return append(b, '}')
	case gpflow.KindBool:
		return strconv.AppendBool(b, v.Bool())
	}
	if v.Int() == math.MinInt64 { // has no literal
		return append(b, "(-9223372036854775807 - 1)"...)
	}
	return strconv.AppendInt(b, v.Int(), 10)
}

// printFloat appends f so that it is not read as an int.
func printFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		b = gpflow.AppendQuoted(append(b, "float("...), strconv.FormatFloat(f, 'g', -1, 64))
		return append(b, ')')
	}
	n := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, 64)
	for _, c := range b[n:] {
		if c != '-' && (c < '0' || c > '9') {
			return b
		}
	}
	return append(b, ".0"...)
}
