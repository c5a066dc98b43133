package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/gpflow/gpflow"
)

// call checks f(a, b).
func (c *checker) call(n *ast.CallNode) *node {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		if m, isMember := n.Callee.(*ast.MemberNode); isMember {
			if p, isName := m.Property.(*ast.StringNode); isName {
				c.method(n, p.Value)
			}
		}
		c.failAst(n, "A value has no methods", "Functions are called by their name, as in upper(x).")
	}
	return c.named(n, id.Value, n.Arguments)
}

// method reports x.f().
func (c *checker) method(n ast.Node, name string) {
	if lookup(name) != nil {
		c.failAst(n, "A value has no methods", "Write "+name+"(x) for x."+name+"().")
	}
	if a := aliases[strings.ToLower(strings.ReplaceAll(name, "_", ""))]; a != "" {
		c.failAst(n, "A value has no methods", "Write "+a+".")
	}
}

// builtin checks a call of what the syntax knows as a builtin.
func (c *checker) builtin(n *ast.BuiltinNode) *node { return c.named(n, n.Name, n.Arguments) }

// named checks a call by name.
func (c *checker) named(n ast.Node, name string, args []ast.Node) *node {
	if isAggregate(name) && c.aggregate != nil {
		return c.aggregate.call(c, n, name, args)
	}
	if isAggregate(name) && c.inAggregate {
		c.failAst(n, "An aggregate is not allowed in an aggregate", "Aggregate in one window what another window has made.")
	}
	if l := loops[name]; l != nil {
		return c.loop(n, name, l, args)
	}
	f := lookup(name)
	if f == nil {
		c.unknownCall(n, name, args)
	}
	kids := make([]*node, len(args))
	for i, a := range args {
		kids[i] = c.node(a)
	}
	return c.apply(n, f, kids)
}

// unknownCall reports a call of what is no function, and the mistakes of its
// arguments, unless it may have been meant for an aggregate.
func (c *checker) unknownCall(n ast.Node, name string, args []ast.Node) {
	if _, plain := n.(*ast.CallNode); plain && c.aggregate == nil {
		for _, a := range args {
			c.node(a)
		}
	}
	c.unsure = 0
	c.undefined(n, name)
}

// undefined reports a function that does not exist.
func (c *checker) undefined(n ast.Node, name string) {
	if why, ok := refused[name]; ok {
		c.failAst(n, name+" is not allowed in a record expression", why)
	}
	from, to := c.src.location(n.Location())
	if c.schema.Index(name) >= 0 {
		c.failAt(from, to, name+" is a column, not a function", "Write it without parentheses.")
	}
	detail := "Functions are those of strings, numbers, times and lists, such as upper, int, day and len."
	known := functionNames()
	if c.aggregate != nil {
		known = append(known, aggregateNames...)
	}
	for _, k := range known {
		if strings.EqualFold(k, name) {
			c.failCode(CodeUnknownFunction, from, to, "Unknown function "+name, "Did you mean "+k+"?")
		}
	}
	if a := aliases[strings.ToLower(strings.ReplaceAll(name, "_", ""))]; a != "" {
		c.failCode(CodeUnknownFunction, from, to, "Unknown function "+name, "Write "+a+".")
	}
	if c.aggregate != nil {
		detail = "The aggregates are " + strings.Join(aggregateNames, ", ") + "; the other functions are those of strings, numbers, times and lists."
	}
	if s := gpflow.Suggest(name, known); s != "" {
		detail = "Did you mean " + s + "?"
	}
	if isAggregate(name) {
		detail = "It is an aggregate: it is allowed in the aggregate block of a window."
	}
	c.failCode(CodeUnknownFunction, from, to, "Unknown function "+name, detail)
}

// apply checks the arguments of f.
func (c *checker) apply(n ast.Node, f *function, kids []*node) *node {
	if len(kids) < len(f.params)-f.optional || len(kids) > len(f.params) && !f.variadic {
		c.unsure = 0 // whatever the types
		c.failAst(n, fmt.Sprintf("%s does not take %d arguments", f.name, len(kids)), "Write it as "+f.example+".")
	}
	for i, k := range kids {
		if !f.nullable {
			k = c.required(k)
		}
		want := f.params[min(i, len(f.params)-1)]
		if !want.has(k.typ.Kind) && k.typ.Kind != gpflow.KindAny && !(f.nullable && k.typ.Kind == gpflow.KindNull) {
			k = c.wrong(k, tAny, "", fmt.Sprintf("%s is %s; %s takes %s", c.text(k), k.typ, f.name, want), "Write it as "+f.example+".")
		}
		kids[i] = k
	}
	if isAggregate(f.name) && len(kids) == 1 && ordered(kids[0].typ) && kids[0].typ.Kind != gpflow.KindAny {
		c.failAst(n, f.name+" takes a list, or several values", "As an aggregate over records it is for windows.")
	}
	if f.name == "format_time" && kids[1].constant() {
		if _, err := appendTime(nil, goTime(0), kids[1].val.Str()); err != nil {
			c.fail(kids[1], "The layout cannot be read", upperFirst(err.Error())+".")
		}
	}
	t := f.result(kids)
	if t.Kind == gpflow.KindNull {
		c.failAst(n, "The arguments of "+f.name+" have different types", "Convert them to one type.")
	}
	return &node{op: opCall, typ: t, name: f.name, fn: f, kids: kids}
}

// loop checks a builtin with a predicate.
func (c *checker) loop(n ast.Node, name string, l *loop, args []ast.Node) *node {
	if c.element != nil {
		c.failAst(n, name+" is not allowed in a predicate", "Predicates do not nest: the time for one record would have no useful bound.")
	}
	list := c.required(c.node(args[0]))
	if len(args) == 1 {
		f := sumFunction
		if name == "count" {
			f = countFunction
		}
		return c.apply(n, f, []*node{list})
	}
	if list.typ.Kind != gpflow.KindList && list.typ.Kind != gpflow.KindAny {
		list = c.wrong(list, tAny, "", fmt.Sprintf("%s is %s; %s takes a list", c.text(list), list.typ, name), "Write it as "+name+"(list, ...), where # is the element.")
	}
	elem := subject{tAny, list.unknown}
	if list.typ.Kind == gpflow.KindList && list.typ.Elem.Kind != gpflow.KindNull {
		elem.typ = *list.typ.Elem
	}
	c.element = &elem
	delete(c.known, "#")
	body := c.node(args[1].(*ast.PredicateNode).Node)
	c.element = nil
	if l.boolean {
		body = c.truth(body)
	}
	out := &node{op: opLoop, name: name, kids: []*node{list, body}}
	switch name {
	case "sum":
		return c.sum(n, out)
	case "sortBy":
		c.order(out, args[2:])
	}
	out.typ = l.result(list.typ, body.typ)
	return out
}

// sum checks sum(list, body): it is the sum of map(list, body).
func (c *checker) sum(n ast.Node, loop *node) *node {
	body := c.required(loop.kids[1])
	if k := body.typ.Kind; k != gpflow.KindInt && k != gpflow.KindFloat && k != gpflow.KindDuration && k != gpflow.KindAny {
		c.fail(body, fmt.Sprintf("%s cannot be summed", body.typ), "Numbers and durations can be.")
	}
	loop.kids[1] = body
	loop.name, loop.typ = "map", gpflow.ListOf(body.typ)
	loop.from, loop.to = c.src.bytes(n)
	return c.apply(n, sumFunction, []*node{loop})
}

// order checks what sortBy sorts by.
func (c *checker) order(loop *node, args []ast.Node) {
	if body := c.required(loop.kids[1]); !ordered(body.typ) {
		c.fail(body, fmt.Sprintf("%s has no order", body.typ), "Numbers, texts and times have one.")
	}
	for _, a := range args {
		dir := c.node(a)
		if !dir.constant() || dir.val.Kind() != gpflow.KindString || dir.val.Str() != "asc" && dir.val.Str() != "desc" {
			c.fail(dir, "The order is 'asc' or 'desc'", "Write it as sortBy(list, #, 'desc').")
		}
		loop.kids = append(loop.kids, dir)
	}
}

// slice checks a[b:c].
func (c *checker) slice(n *ast.SliceNode) *node {
	kids := []*node{c.node(n.Node), literal(tInt, gpflow.Int(0))}
	if n.From != nil {
		kids[1] = c.node(n.From)
	} else {
		kids[1].from, kids[1].to = c.src.bytes(n)
	}
	if n.To != nil {
		kids = append(kids, c.node(n.To))
	}
	return c.apply(n, lookup("slice"), kids)
}
