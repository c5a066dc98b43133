package spec

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/gpflow/gpflow/spec/diag"
)

// scope is what expressions that are computed at compile time may refer to. A
// name whose value had an error is unknown, and so is everything made of it;
// that is never reported again.
type scope struct {
	vars, locals map[string]cty.Value
	functions    map[string]function.Function
	meter        *meter
}

func newScope() *scope {
	s := &scope{vars: make(map[string]cty.Value), locals: make(map[string]cty.Value), meter: &meter{}}
	s.functions = functions(s.meter)
	return s
}

func (s *scope) setVar(name string, v cty.Value) { s.vars[name] = v }

func (s *scope) setLocal(name string, v cty.Value) { s.locals[name] = v }

// context returns what an expression is evaluated in that refers to names.
func (s *scope) context(names []hcl.Traversal) *hcl.EvalContext {
	used := map[string]map[string]cty.Value{"var": {}, "local": {}}
	for _, t := range names {
		if len(t) < 2 {
			continue
		}
		a, _ := t[1].(hcl.TraverseAttr)
		for root, all := range map[string]map[string]cty.Value{"var": s.vars, "local": s.locals} {
			if v, ok := all[a.Name]; ok && t.RootName() == root {
				used[root][a.Name] = v
			}
		}
	}
	ctx := limited(s.meter)
	ctx.Functions = s.functions
	for root, vals := range used {
		ctx.Variables[root] = cty.ObjectVal(vals)
	}
	return ctx
}

// keeps reports whether a value that was measured to be w may get a name, or
// else that it is beyond a limit. That all values together are, it says once.
func (b *builder) keeps(w weight, at diag.Range) bool {
	m := b.scope.meter
	silent := m.told && m.over == ""
	if m.keep(w) {
		return true
	}
	p := m.problem(hcl.Range{})
	if silent {
		return false
	}
	b.report(diag.Diagnostic{Code: diag.CodeTooBig, Range: at, Summary: p.Summary, Detail: p.Detail, Fix: p.Extra.(Problem).Fix})
	return false
}

// eval computes an expression. known is false if that failed, which has been
// reported, or if the value depends on one that failed.
func (b *builder) eval(expr hcl.Expression) (v cty.Value, known bool) {
	good, names := true, expr.Variables()
	for _, t := range names {
		good = b.checkVariable(t) && good
	}
	if !good {
		return cty.DynamicVal, false
	}
	v, ds := b.scope.meter.eval(expr, b.scope.context(names))
	if ds.HasErrors() {
		b.evalErrors(expr, ds)
		return cty.DynamicVal, false
	}
	switch size := b.scope.meter.last; {
	case size.unknown:
		return v, false
	case size.infinite:
		b.report(diag.Diagnostic{
			Code: diag.CodeEvaluate, Range: b.rng(expr.Range()), Summary: "the result is not a finite number",
			Detail: "A number was divided by zero, or is too large.",
		})
		return cty.DynamicVal, false
	}
	return v, true
}

// checkVariable returns whether what t refers to exists, and reports it
// otherwise, unless a block that could not be read may hold it.
func (b *builder) checkVariable(t hcl.Traversal) bool {
	root := t.RootName()
	member := ""
	if len(t) > 1 {
		if a, ok := t[1].(hcl.TraverseAttr); ok {
			member = a.Name
		}
	}
	d := diag.Diagnostic{Code: diag.CodeUnknownName, Range: b.rng(t.SourceRange())}
	types, _ := b.registry.Blocks()
	switch {
	case root == "var" && member == "", root == "local" && member == "":
		d.Summary = fmt.Sprintf("%q is not a value", root)
		d.Fix = fmt.Sprintf("Write it with a name: %s.name", root)
	case root == "var":
		if _, ok := b.scope.vars[member]; ok || b.isLost(blockVariable, member) {
			return ok
		}
		d.Summary = fmt.Sprintf("there is no variable %q", member)
		d.Later = func(d *diag.Diagnostic) {
			d.Fix = fix(diag.Suggest(member, slices.Sorted(maps.Keys(b.scope.vars))), "Did you mean var.%s?")
			if d.Fix == "" {
				d.Fix = "Declare it: " + b.syntaxOf(t.SourceRange().Filename).Block(blockVariable, member)
			}
		}
	case root == "local":
		if ok := b.isLocal(member); ok || b.isLost(blockLocals, member) {
			return ok
		}
		d.Summary = fmt.Sprintf("there is no local %q", member)
		d.Later = func(d *diag.Diagnostic) {
			d.Fix = fix(diag.Suggest(member, slices.Sorted(maps.Keys(b.localsNamed))), "Did you mean local.%s?")
			if _, ok := b.scope.vars[member]; ok && d.Fix == "" {
				d.Fix = fmt.Sprintf("Did you mean var.%s?", member)
			}
		}
	case slices.Contains(types, root) && member != "", root == blockSchema && member != "":
		d.Summary = fmt.Sprintf("%s.%s is not a value", root, member)
		d.Detail = "Only variables and locals have values when the pipeline is compiled."
	default:
		d.Summary = fmt.Sprintf("there is nothing called %q", root)
		d.Detail = "Values may refer to variables as var.name and to locals as local.name."
		d.Fix = b.meant(root, member)
	}
	b.report(d)
	return false
}

// meant returns what the author may have meant by an unknown root or
// root.member.
func (b *builder) meant(root, member string) string {
	if member != "" {
		return fix(diag.Suggest(root, []string{"var", "local"}), "Did you mean %s."+member+"?")
	}
	if b.isLocal(root) {
		return fmt.Sprintf("Did you mean local.%s?", root)
	}
	if _, ok := b.scope.vars[root]; ok {
		return fmt.Sprintf("Did you mean var.%s?", root)
	}
	return fmt.Sprintf("If %q is meant as text, write it in quotes.", root)
}

func (b *builder) isLocal(name string) bool {
	_, ok := b.localsNamed[name]
	return ok
}

// isLost reports whether the text may have the name in a block whose header
// could not be read: one with that label, or with none.
func (b *builder) isLost(blockType, name string) bool {
	return slices.ContainsFunc(b.lost, func(l lostBlock) bool {
		return l.meant == blockType && (len(l.labels) == 0 || slices.Contains(l.labels, name))
	})
}
