package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// edges decodes the references of an input.
func (d *decoder) edges(f gpflow.Field, expr hcl.Expression, path string) {
	known := len(d.diags)
	defer func() { d.p.Partial = d.p.Partial || len(d.diags) > known }()
	list, ds := hcl.ExprList(expr)
	switch {
	case ds.HasErrors():
		list = []hcl.Expression{expr}
	case f.Kind == gpflow.FieldRef:
		d.fail(diag.CodeReference, expr.Range(), fmt.Sprintf("%s: %q takes one node", d.owner, f.Name), "", "Write the address without brackets.")
		return
	case len(list) == 0 && f.Required:
		d.fail(diag.CodeReference, expr.Range(), fmt.Sprintf("%s: %q names no node", d.owner, f.Name), "", d.forExample(f))
		return
	}
	for _, e := range list {
		if r, ok := d.ref(f, e); ok {
			d.refs[path] = append(d.refs[path], r)
		}
	}
}

// ref decodes the address of a node, with or without a port.
func (d *decoder) ref(f gpflow.Field, expr hcl.Expression) (Ref, bool) {
	parts, ok := address(expr)
	example := "For example: " + d.syntax.Attribute(f.Name, cmpOr(f.Example, "source.clicks"))
	if !ok {
		if len(expr.Variables()) > 0 && d.syntax.Bare() { // ${ }
			if m := templateAddress.FindStringSubmatch(d.text(expr.Range())); m != nil && m[1] != "var" && m[1] != "local" {
				example = "Write it without ${ }: " + d.syntax.Attribute(f.Name, m[1]+m[2])
			}
			d.notValue(f, expr, example)
			return Ref{}, false
		}
		if text, _, lit := d.syntax.Literal(expr); lit && text != "" && !d.syntax.Bare() && !strings.ContainsAny(text, " \n\"") {
			example = "Write it without quotes: " + d.syntax.Attribute(f.Name, text)
		}
		d.fail(diag.CodeReference, expr.Range(), fmt.Sprintf("%s: %q takes the address of a node", d.owner, f.Name), "", example)
		return Ref{}, false
	}
	switch {
	case parts[0] == "var" || parts[0] == "local":
		d.notValue(f, expr, example)
		return Ref{}, false
	case d.withKind(parts):
		d.fail(diag.CodeReference, expr.Range(), fmt.Sprintf("%s: %q is not the address of a node", d.owner, strings.Join(parts, ".")),
			"An address leaves the kind out.", fmt.Sprintf("Did you mean %s.%s?", parts[0], strings.Join(parts[2:], ".")))
		return Ref{}, false
	case len(parts) == 1 || len(parts) > 3:
		d.fail(diag.CodeReference, expr.Range(), fmt.Sprintf("%s: %q is not the address of a node", d.owner, strings.Join(parts, ".")),
			"An address is a block type and a name, and a port where it is not the main output: source.clicks, window.totals.late.", d.named(parts[0]))
		return Ref{}, false
	}
	r := Ref{Address: parts[0] + "." + parts[1], Range: d.rng(expr.Range())}
	if len(parts) == 3 {
		r.Port = parts[2]
	}
	if lost := d.isLost(parts[0], parts[1]); lost {
		d.bad = true
		return r, false
	}
	return r, true
}

// notValue reports a variable or a local in place of an address.
func (d *decoder) notValue(f gpflow.Field, expr hcl.Expression, example string) {
	d.fail(diag.CodeReference, expr.Range(), fmt.Sprintf("%s: %q takes the address of a node, not a value", d.owner, f.Name),
		"The edges of a pipeline do not depend on values.", example)
}

// templateAddress is an address of a node within ${ }.
var templateAddress = regexp.MustCompile(`^["']?\$\{\s*([a-z_]+)((?:\.[a-zA-Z0-9_]+){1,2})\s*\}["']?$`)

// withKind reports whether an address has the kind of its node between the
// block type and the name, and a port behind them.
func (b *builder) withKind(parts []string) bool {
	return len(parts) == 4 && slices.ContainsFunc(b.nodeBlocks, func(blk block) bool {
		return blk.Type == parts[0] && slices.Equal(blk.Labels, parts[1:3])
	})
}

// named returns a suggestion of the node of that name, "" if there is none.
func (b *builder) named(name string) string {
	for _, blk := range b.nodeBlocks {
		if blk.Labels[len(blk.Labels)-1] == name {
			return fmt.Sprintf("Did you mean %s.%s?", blk.Type, name)
		}
	}
	return ""
}

// address returns the names of a dotted address.
func address(expr hcl.Expression) ([]string, bool) {
	t, ds := hcl.AbsTraversalForExpr(expr)
	if ds.HasErrors() {
		return nil, false
	}
	parts := []string{t.RootName()}
	for _, step := range t[1:] {
		a, ok := step.(hcl.TraverseAttr)
		if !ok {
			return nil, false
		}
		parts = append(parts, a.Name)
	}
	return parts, true
}

// secret decodes a reference to a secret.
func (d *decoder) secret(f gpflow.Field, expr hcl.Expression) (any, bool) {
	if parts, ok := address(expr); ok && len(parts) == 2 && parts[0] == "secret" {
		return parts[1], true
	}
	d.fail(diag.CodeReference, expr.Range(), fmt.Sprintf("%s: %q takes a secret, by its name", d.owner, f.Name),
		"The value of a secret is never written into a specification.", "Write it as "+d.syntax.Attribute(f.Name, "secret.name"))
	return nil, false
}
