package expr

import "github.com/gpflow/gpflow"

func (g *gen) member(n *node) code {
	base, key, optional := g.node(n.kids[0]).value(), g.node(n.kids[1]).value(), n.optional
	return typed(n.typ, func(fr *frame) gpflow.Value {
		b := base(fr)
		if b.IsNull() && optional {
			return b
		}
		v, err := member(b, key(fr))
		if err != nil && fr.err == nil {
			fr.fault(n, err.Error())
		}
		return v
	})
}

func (g *gen) list(n *node) code {
	kids := make([]func(*frame) gpflow.Value, len(n.kids))
	for i, k := range n.kids {
		kids[i] = g.weighed(k, g.node(k).value())
	}
	bad := fault(n, errSteps.Error())
	return code{kind: n.typ.Kind, v: func(fr *frame) gpflow.Value {
		if !fr.pay(len(kids), bad) {
			return gpflow.Null
		}
		out := make([]gpflow.Value, len(kids))
		for i, k := range kids {
			out[i] = k(fr)
		}
		return gpflow.List(out)
	}}
}

// mapping compiles {a: b}.
func (g *gen) mapping(n *node) code {
	kids := make([]func(*frame) gpflow.Value, len(n.kids))
	for i, k := range n.kids {
		kids[i] = g.weighed(k, g.node(k).value())
	}
	bad := fault(n, errSteps.Error())
	return code{kind: n.typ.Kind, v: func(fr *frame) gpflow.Value {
		if !fr.pay(len(kids), bad) {
			return gpflow.Null
		}
		out := make([]gpflow.Entry, 0, len(kids)/2)
		for i := 0; i < len(kids); i += 2 {
			out = append(out, gpflow.Entry{Key: text(kids[i](fr)), Value: kids[i+1](fr)})
		}
		return gpflow.Map(out)
	}}
}

// numbers compiles a..b, a list that is made once.
func numbers(n *node) code {
	var list []gpflow.Value
	for i := n.lo; i <= n.hi; i++ {
		list = append(list, gpflow.Int(i))
	}
	v := gpflow.List(list)
	return code{kind: n.typ.Kind, v: func(*frame) gpflow.Value { return v }}
}
