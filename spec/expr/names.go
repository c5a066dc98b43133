package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/gpflow/gpflow"
)

// dotted returns the names of a.b.c, or nil where n is something else.
func dotted(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return []string{n.Value}
	case *ast.ChainNode:
		return dotted(n.Node)
	case *ast.MemberNode:
		p, ok := n.Property.(*ast.StringNode)
		if base := dotted(n.Node); ok && base != nil {
			return append(base, p.Value)
		}
	}
	return nil
}

// member checks a.b and a[b].
func (c *checker) member(n *ast.MemberNode) *node {
	if path := dotted(n); path != nil {
		if out := c.name(n, path, true); out != nil {
			return out
		}
	}
	base := c.node(n.Node)
	if base.op == opElement && c.dotElement(n) {
		base.from, base.to = c.src.bytes(n)
	}
	out := &node{op: opMember, optional: n.Optional, name: "[]"}
	if base.typ.Optional && !n.Optional {
		if !c.chained(n.Node) {
			base = c.wrong(base, base.typ.NonNull(), CodeOptional, c.text(base)+" may be null", fmt.Sprintf("Reach into it with ?., as in %s?.x, or check it first, as in %s != nil && ....", c.text(base), c.text(base)))
		}
		out.optional = true
	}
	if base.typ.Kind == gpflow.KindList {
		c.noLength(n)
	}
	key := c.required(c.node(n.Property))
	var elem gpflow.Type
	switch base.typ.Kind {
	case gpflow.KindList:
		if key = c.want(key, gpflow.KindInt, "The position in a list"); base.typ.Elem != nil {
			elem = *base.typ.Elem
		}
	case gpflow.KindMap:
		key = c.want(key, gpflow.KindString, "The key of a map")
		elem = base.typ.Elem.Opt()
	case gpflow.KindAny:
		elem = tAny
	case gpflow.KindString:
		c.noLength(n)
		c.failAst(n, "A string has no elements", "Take a part of it, as in s[0:1].")
	default:
		c.failAst(n, fmt.Sprintf("%s is %s and has no fields", c.text(base), base.typ), "Refer to it alone: "+c.text(base)+".")
	}
	out.kids = []*node{base, key}
	elem.Optional = elem.Optional || out.optional && base.typ.Optional
	out.typ = elem
	return c.narrowed(out)
}

// noLength reports x.length.
func (c *checker) noLength(n *ast.MemberNode) {
	if p, ok := n.Property.(*ast.StringNode); ok && slices.Contains([]string{"length", "size", "len", "count"}, p.Value) {
		c.failAst(n, "A value has no methods", "Write len(x) for x."+p.Value+".")
	}
}

// dotElement reports whether n was written .x, which means #.x.
func (c *checker) dotElement(n *ast.MemberNode) bool {
	p, ok := n.Node.(*ast.PointerNode)
	return ok && c.src.is(c.src.token(p.Location().From), ".")
}

// chained reports whether n is null because of a ?. further left: then what
// follows is null as well.
func (c *checker) chained(n ast.Node) bool {
	m, ok := n.(*ast.MemberNode)
	for ok {
		if m.Optional {
			return true
		}
		m, ok = m.Node.(*ast.MemberNode)
	}
	return false
}

// want requires a kind.
func (c *checker) want(n *node, k gpflow.Kind, what string) *node {
	if n.typ.Kind != k && n.typ.Kind != gpflow.KindAny {
		return c.wrong(n, gpflow.T(k), "", fmt.Sprintf("%s is %s, not %s", what, n.typ, k), fmt.Sprintf("Convert it, as in %s(x).", k))
	}
	return n
}

// name finds what a dotted name stands for. It returns nil where the first
// part is a value that has members.
func (c *checker) name(n ast.Node, path []string, member bool) *node {
	for i := len(c.lets) - 1; i >= 0; i-- {
		if l := c.lets[i]; l.name == path[0] {
			if member {
				return nil
			}
			return c.narrowed(&node{op: opVar, typ: l.typ, slot: l.slot, name: l.name, unknown: l.unknown})
		}
	}
	full := strings.Join(path, ".")
	if out := c.column(full); out != nil {
		return out
	}
	if len(path) > 1 && path[0] == "event" {
		if out := c.column(full[len("event."):]); out != nil {
			return out
		}
	}
	if out := c.constant(path); out != nil {
		return out
	}
	if member && c.reaches(path) {
		return nil
	}
	c.unknown(n, path)
	return nil
}

// constant returns the constant of that name, which may be a field of one that
// is a record, or nil.
func (c *checker) constant(path []string) *node {
	for i := len(path); i > 1; i-- {
		name := strings.Join(path[:i], ".")
		k, ok := c.env.Constants[name]
		if !ok {
			continue
		}
		t, v := k.Type, k.Value
		for _, field := range path[i:] {
			j := slices.IndexFunc(t.Fields, func(f gpflow.Column) bool { return f.Name == field })
			if t.Kind != gpflow.KindRecord || j < 0 {
				return nil
			}
			t = t.Fields[j].Type
			if v.Kind() == gpflow.KindMap {
				v, _ = find(v.Map(), field)
			}
		}
		if t.Kind == gpflow.KindRecord {
			return nil
		}
		c.constants[name] = struct{}{}
		t.Optional = v.IsNull()
		return &node{op: opConst, typ: t, val: v}
	}
	return nil
}

// column returns the column of that name, or nil.
func (c *checker) column(name string) *node {
	i := c.schema.Index(name)
	if i < 0 {
		return nil
	}
	c.columns[name] = struct{}{}
	col := c.schema.Columns[i]
	t := col.Type
	t.Layout = ""
	return c.narrowed(&node{op: opColumn, typ: t, slot: i, name: name})
}

// reaches reports whether a shorter part of path is a value.
func (c *checker) reaches(path []string) bool {
	for i := len(path) - 1; i > 0; i-- {
		name := strings.Join(path[:i], ".")
		if k, ok := c.env.Constants[name]; ok && k.Type.Kind != gpflow.KindRecord || c.schema.Index(name) >= 0 {
			return true
		}
		if i > 1 && path[0] == "event" && c.schema.Index(strings.Join(path[1:i], ".")) >= 0 {
			return true
		}
	}
	return false
}

// unknown reports a name that stands for nothing.
func (c *checker) unknown(n ast.Node, path []string) {
	full := strings.Join(path, ".")
	bare := strings.TrimPrefix(full, "event.")
	if a := c.aggregate; a != nil && a.env.Schema != nil && a.env.Schema.Index(bare) >= 0 {
		c.failAst(n, full+" must be inside an aggregate or in key_by", "A window has many rows: say which of their values, as in sum("+bare+") or last("+bare+").")
	}
	columns := c.schema.Names()
	for _, list := range [][]string{columns, c.constantNames()} {
		if fields := below(list, bare); len(fields) > 0 {
			c.failAst(n, full+" is a record", "Refer to a field of it: "+strings.Join(fields, ", ")+".")
		}
	}
	if len(path) == 1 && (lookup(path[0]) != nil || loops[path[0]] != nil) {
		c.failAst(n, path[0]+" is a function", "Call it, as in "+path[0]+"(x).")
	}
	if f := foreign[full]; f != "" {
		c.failAst(n, "Unknown name "+full, "It is written "+f+".")
	}
	if full == "var" || full == "local" {
		c.failAst(n, full+" is not a value", "Refer to one of its constants, as in "+full+".x.")
	}
	if full == "event" {
		c.failAst(n, "event is the record", "Refer to a column of it, as in event.x.")
	}
	var known []string
	switch path[0] {
	case "var", "local":
		known = c.constantNames()
	default:
		known = columns
		for _, l := range c.lets {
			known = append(known, l.name)
		}
	}
	detail := "The columns are " + strings.Join(clip(columns), ", ") + "."
	switch {
	case path[0] == "var" || path[0] == "local":
		detail = "There is no such local. Write it into a block locals."
		if path[0] == "var" {
			detail = "There is no such variable. Declare it in a block variable."
		}
		if len(known) > 0 {
			detail = "The constants are " + strings.Join(clip(known), ", ") + "."
		}
	case len(c.schema.Columns) == 0:
		detail = "There are no columns here."
	}
	if s := gpflow.Suggest(bare, known); s != "" {
		if bare != full {
			s = "event." + s
		}
		detail = "Did you mean " + s + "?"
	}
	code := CodeUnknownColumn
	if path[0] == "var" || path[0] == "local" {
		code = CodeUnknownName
	}
	from, to := c.src.bytes(n)
	c.failCode(code, from, to, "Unknown name "+full, detail)
}

// below returns the names that lie in the record of that name.
func below(names []string, record string) []string {
	var out []string
	for _, name := range names {
		if len(name) > len(record) && name[len(record)] == '.' && strings.HasPrefix(name, record) {
			out = append(out, name)
		}
	}
	return clip(out)
}

func clip(names []string) []string {
	if len(names) > 12 {
		return append(slices.Clone(names[:12]), "...")
	}
	return names
}

func (c *checker) constantNames() []string {
	var out []string
	for name, k := range c.env.Constants {
		for _, f := range gpflow.Flatten(nil, "", false, []gpflow.Column{{Name: name, Type: k.Type}}) {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return out
}
