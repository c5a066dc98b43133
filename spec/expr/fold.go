package expr

import (
	"strings"

	"github.com/gpflow/gpflow"
)

// What the constant parts of one expression may take together.
const (
	maxFolded    = 1 << 20 // bytes of text
	maxFoldSteps = 100_000
)

// fold replaces an operation on constants by its result.
func (c *checker) fold(n *node) *node {
	switch n.op {
	case opConst, opColumn, opVar, opElement, opLet, opLoop, opMap, opRange:
		return n
	case opCond:
		if k := n.kids[0]; k.constant() && k.val.Kind() == gpflow.KindBool {
			return c.chosen(n, k.val.Bool())
		}
		return n
	}
	if !n.allConstant() || n.op != opList && (n.typ.Optional || !printable.has(n.typ.Kind) || n.typ.Elem != nil) {
		return n // the text of the result would not tell its type
	}
	g := &gen{}
	cd := g.node(n)
	if len(g.machines) > 0 {
		return n
	}
	var fr frame
	fr.begin(nil)
	fr.made, fr.steps = maxMade-(maxFolded-c.folded), maxSteps-(maxFoldSteps-c.foldSteps) // what is left fails in time
	v := cd.value()(&fr)
	if fr.made > maxMade || fr.steps > maxSteps {
		c.failCode(CodeTooBig, n.from, n.to, "The constant parts take too much to compute",
			"Those of one expression may make 1 MiB of text and take 100,000 steps. Compute them beforehand, as a local.")
	}
	if fr.err != nil {
		if e, ok := fr.err.(*gpflow.RecordError).Err.(*Error); ok {
			c.constantFails(n, e)
		}
	}
	c.folded, c.foldSteps = maxFolded-(maxMade-fr.made), maxFoldSteps-(maxSteps-fr.steps)
	return &node{op: opConst, typ: n.typ, val: v, from: n.from, to: n.to}
}

// constantFails reports a part that fails without a record. What the failure of
// a record says on one line becomes two.
func (c *checker) constantFails(n *node, e *Error) {
	summary, detail, _ := strings.Cut(e.Summary, "; ")
	if detail == "" {
		detail = "Every record would fail"
	}
	from, to := e.From, e.To
	if to == 0 {
		from, to = n.from, n.to
	}
	c.failAt(from, to, upperFirst(summary), upperFirst(detail)+".")
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// chosen returns the branch that a constant condition takes, with the type of
// both.
func (c *checker) chosen(n *node, truth bool) *node {
	k := n.kids[2]
	if truth {
		k = n.kids[1]
	}
	switch {
	case !k.typ.Equal(n.typ), k.op == opFloat && k.typ.Optional:
		return n
	case k.op == opFloat: // stands alone now, so it is to be seen in the text
		return &node{op: opCall, typ: k.typ, name: "float", fn: lookup("float"), kids: k.kids, from: k.from, to: k.to}
	}
	return k
}
