package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/gpflow/gpflow/spec/diag"
)

// local is one attribute of a locals block.
type local struct {
	name  string
	expr  hcl.Expression
	at    diag.Range
	state int8 // of the depth-first walk
	uses  []*local
}

const (
	untouched int8 = iota
	active         // being evaluated: meeting it again is a circle
	done
)

// locals evaluates the locals, each after those that it refers to.
func (b *builder) locals() {
	b.localsNamed = make(map[string]*local)
	for _, blk := range b.localBlocks {
		b.readLocals(blk)
	}
	slices.SortStableFunc(b.localDecls, func(x, y *local) int { return strings.Compare(x.at.File, y.at.File) })
	for _, l := range b.localDecls {
		for _, t := range l.expr.Variables() {
			if t.RootName() != "local" || len(t) < 2 {
				continue
			}
			if a, ok := t[1].(hcl.TraverseAttr); ok && b.localsNamed[a.Name] != nil {
				l.uses = append(l.uses, b.localsNamed[a.Name])
			}
		}
	}
	for _, l := range b.localDecls {
		b.evalLocal(l, nil)
	}
}

func (b *builder) readLocals(blk block) {
	schema := &hcl.BodySchema{}
	seen := make(map[string]hcl.Range)
	for _, it := range blk.syntax.Outline(blk.Body) {
		if first, twice := seen[it.Name]; twice && it.Attribute {
			b.attributeTwice(it, first)
			continue
		}
		if it.Aside && it.Block {
			continue
		}
		if it.Attribute {
			seen[it.Name] = it.Range
			schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: it.Name})
			continue
		}
		b.report(diag.Diagnostic{
			Code: diag.CodeBlockForm, Range: b.rng(it.Range), Summary: fmt.Sprintf("the local %q is written as a block", it.Name),
			Fix: asAttribute(blk.syntax, it.Name, "{ ... }"),
		})
	}
	content, _, _ := blk.Body.PartialContent(schema)
	var read []*local
	for _, a := range content.Attributes {
		read = append(read, &local{name: a.Name, expr: a.Expr, at: b.rng(a.NameRange)})
	}
	slices.SortFunc(read, func(x, y *local) int { return x.at.Start.Byte - y.at.Start.Byte })
	for _, l := range read {
		b.checkNameAt(l.name, l.at, "local", blockLocals)
		if first, twice := b.localsNamed[l.name]; twice {
			b.twice("local", l.name, l.at, first.at)
			continue
		}
		b.localsNamed[l.name] = l
		b.localDecls = append(b.localDecls, l)
		b.p.ConstantRanges["local."+l.name] = l.at
	}
}

// evalLocal evaluates l after what it uses. path are the locals that wait for
// it, the first one first.
func (b *builder) evalLocal(l *local, path []*local) {
	if l.state == done {
		return
	}
	path = append(path, l)
	if l.state == active {
		b.cycle(path[slices.Index(path, l):])
		return
	}
	l.state = active
	for _, u := range l.uses {
		b.evalLocal(u, path)
	}
	l.state = done
	if _, inCycle := b.scope.locals[l.name]; inCycle {
		return
	}
	v, known := b.eval(l.expr)
	w := b.scope.meter.last.weight
	if !known || b.bare("local ", l.name, l.expr) || !b.keeps(w, b.rng(l.expr.Range())) {
		v = cty.DynamicVal
	}
	b.scope.setLocal(l.name, v)
}

// cycle reports locals that refer to each other; the last is the first again.
// A circle that shares a local with one that has been reported is silent.
func (b *builder) cycle(path []*local) {
	names, told := make([]string, len(path)), false
	d := diag.Diagnostic{Code: diag.CodeLocalCycle, Range: path[0].at, Fix: "Write one of them without the others."}
	for i, l := range path {
		names[i] = "local." + l.name
		_, known := b.scope.locals[l.name]
		told = told || known && i < len(path)-1
		b.scope.setLocal(l.name, cty.DynamicVal)
		if i > 0 && i < len(path)-1 {
			d.Related = append(d.Related, diag.Related{Message: "and here", Range: l.at})
		}
	}
	d.Summary = "locals refer to each other in a circle"
	if len(path) == 2 {
		d.Summary = fmt.Sprintf("%s refers to itself", names[0])
	} else {
		d.Detail = strings.Join(names, " needs ") + "."
	}
	if !told {
		b.report(d)
	}
}
