package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// source finds the bytes that a node of the syntax tree was written as. The
// parser keeps one token of each node, counted in runes.
type source struct {
	text   string
	runes  []int // the byte offset of each rune, and of the end; nil: ASCII
	tokens []lexer.Token
	spans  map[ast.Node]span
}

// span is a run of tokens, both ends included.
type span struct{ lo, hi int }

func newSource(text string) *source {
	s := &source{text: text, spans: map[ast.Node]span{}}
	if utf8.RuneCountInString(text) != len(text) {
		for i := range text {
			s.runes = append(s.runes, i)
		}
		s.runes = append(s.runes, len(text))
	}
	return s
}

// offset returns the byte offset of a rune.
func (s *source) offset(r int) int {
	if s.runes == nil {
		return min(max(r, 0), len(s.text))
	}
	return s.runes[min(max(r, 0), len(s.runes)-1)]
}

// location returns the bytes of a place that the parser named.
func (s *source) location(l file.Location) (from, to int) {
	return s.offset(l.From), s.offset(max(l.To, l.From))
}

// bytes returns the bytes of n: all of its tokens and the brackets that belong
// to them.
func (s *source) bytes(n ast.Node) (from, to int) {
	sp := s.span(n)
	if sp.lo > sp.hi || sp.hi >= len(s.tokens) {
		return 0, 0
	}
	from, _ = s.location(s.tokens[sp.lo].Location)
	_, to = s.location(s.tokens[sp.hi].Location)
	return from, to
}

// short returns a piece of the text on one line, or long where it is that.
func (s *source) short(from, to int, long string) string {
	if text := strings.Join(strings.Fields(s.text[from:to]), " "); len(text) <= 40 {
		return text
	}
	return long
}

// token returns the index of the token that starts at a rune.
func (s *source) token(r int) int {
	lo, hi := 0, len(s.tokens)
	for lo < hi {
		if mid := (lo + hi) / 2; s.tokens[mid].From < r {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (s *source) span(n ast.Node) span {
	if sp, ok := s.spans[n]; ok {
		return sp
	}
	sp := span{len(s.tokens), -1}
	add := func(o span) { sp.lo, sp.hi = min(sp.lo, o.lo), max(sp.hi, o.hi) }
	own := s.token(n.Location().From)
	switch n := n.(type) {
	case *ast.ConditionalNode, *ast.PairNode, *ast.ChainNode, *ast.SequenceNode, *ast.PredicateNode:
	case *ast.CallNode, *ast.BuiltinNode:
		add(span{own, s.closing(own + 1)})
	case *ast.MemberNode:
		add(span{own, own})
		if s.is(own, "[") {
			add(span{own, s.closing(own)})
		}
	case *ast.SliceNode, *ast.ArrayNode, *ast.MapNode:
		add(span{own, s.closing(own)})
	case *ast.PointerNode:
		add(span{own, own})
		if n.Name != "" {
			add(span{own, own + 1})
		}
	default:
		add(span{own, own})
	}
	for _, k := range children(n) {
		add(s.span(k))
	}
	sp = s.balance(sp)
	switch n := n.(type) {
	case *ast.ConditionalNode:
		if !n.Ternary && s.is(sp.lo-1, "if") {
			sp.lo--
		}
		if !n.Ternary && s.is(sp.hi+1, "}") {
			sp.hi++
		}
	case *ast.VariableDeclaratorNode:
		if s.is(sp.lo-1, "let") {
			sp.lo--
		}
	}
	s.spans[n] = sp
	return sp
}

func (s *source) is(i int, value string) bool {
	return i >= 0 && i < len(s.tokens) && s.tokens[i].Value == value &&
		(s.tokens[i].Kind == lexer.Bracket || s.tokens[i].Kind == lexer.Operator)
}

// depth returns how token i changes the depth of brackets.
func (s *source) depth(i int) int {
	if s.tokens[i].Kind != lexer.Bracket {
		return 0
	}
	switch s.tokens[i].Value {
	case "(", "[", "{":
		return 1
	}
	return -1
}

// closing returns the token that closes the bracket at i; i-1 where there is
// none.
func (s *source) closing(i int) int {
	if i >= len(s.tokens) || s.depth(i) != 1 {
		return i - 1
	}
	d := 0
	for j := i; j < len(s.tokens); j++ {
		if d += s.depth(j); d == 0 {
			return j
		}
	}
	return i
}

// balance extends sp so that its brackets are closed.
func (s *source) balance(sp span) span {
	d, low := 0, 0
	for i := sp.lo; i <= sp.hi && i < len(s.tokens); i++ {
		d += s.depth(i)
		low = min(low, d)
	}
	for need := low; need < 0 && sp.lo > 0; {
		sp.lo--
		need += s.depth(sp.lo)
	}
	for open := d - low; open > 0 && sp.hi+1 < len(s.tokens); {
		sp.hi++
		open += s.depth(sp.hi)
	}
	return sp
}

// children returns the nodes below n, without those that are absent.
func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.SliceNode:
		kids := []ast.Node{n.Node}
		if n.From != nil {
			kids = append(kids, n.From)
		}
		if n.To != nil {
			kids = append(kids, n.To)
		}
		return kids
	case *ast.CallNode:
		return append([]ast.Node{n.Callee}, n.Arguments...)
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.VariableDeclaratorNode:
		return []ast.Node{n.Value, n.Expr}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.MapNode:
		return n.Pairs
	case *ast.PairNode:
		return []ast.Node{n.Key, n.Value}
	}
	return nil
}
