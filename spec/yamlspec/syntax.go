package yamlspec

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow/spec"
)

// syntax is YAML.
type syntax struct{}

// Outline lists the keys of a mapping. Each is an attribute, and a block as
// well where its value could be one.
func (syntax) Outline(b hcl.Body) []spec.Item {
	if b, ok := b.(*body); ok {
		return b.outline()
	}
	return nil
}

// Literal returns the text of a scalar as it stands, save that $${ stands for
// ${ as everywhere. A scalar with ${ } in it is none.
func (syntax) Literal(expr hcl.Expression) (text string, at []int, ok bool) {
	e, ok := expr.(*expression)
	if !ok || e.n.resolved().kind != scalar {
		return "", nil, false
	}
	n := e.n.resolved()
	m := newMapping(e.f, n)
	var b strings.Builder
	for i := 0; i < len(n.value); i++ {
		switch rest := n.value[i:]; {
		case strings.HasPrefix(rest, "$${") || strings.HasPrefix(rest, "%%{"):
			b.WriteString(rest[:1] + "{")
			if m.text.exact {
				at = append(at, m.text.at[i], m.text.at[i+2])
			}
			i += 2
			continue
		case strings.HasPrefix(rest, "${") || strings.HasPrefix(rest, "%{"):
			return "", nil, false
		}
		b.WriteByte(n.value[i])
		if m.text.exact {
			at = append(at, m.text.at[i])
		}
	}
	if !m.text.exact {
		return b.String(), nil, true
	}
	end := n.end
	if len(m.text.to) > 0 {
		end = m.text.to[len(m.text.to)-1]
	}
	return b.String(), append(at, end), true
}

// Comment returns the place of the comment behind a scalar without quotes, to
// which it could belong.
func (syntax) Comment(expr hcl.Expression) (hcl.Range, bool) {
	e, ok := expr.(*expression)
	if !ok {
		return hcl.Range{}, false
	}
	n := e.n.resolved()
	if n.kind != scalar || n.style != plain || !n.exact {
		return hcl.Range{}, false
	}
	i := n.end
	for i < len(e.f.src) && blank(e.f.src[i]) {
		i++
	}
	if i == n.end || i == len(e.f.src) || e.f.src[i] != '#' {
		return hcl.Range{}, false
	}
	return e.f.rng(i, e.f.lineEnd(i)), true
}

// Attribute writes an attribute whose value is in the notation of HCL.
func (syntax) Attribute(name, value string) string {
	switch {
	case strings.HasPrefix(value, "{"):
		value = strings.ReplaceAll(value, " = ", ": ")
	case strings.HasPrefix(value, "var.") || strings.HasPrefix(value, "local."):
		value = "${" + value + "}"
	}
	return name + ": " + value
}

// Block writes a block.
func (syntax) Block(name string, labels ...string) string {
	out := "{ ... }"
	for i := range labels {
		out = "{ " + labels[len(labels)-1-i] + ": " + out + " }"
	}
	return name + ": " + out
}

// Bare reports that text needs no quotes.
func (syntax) Bare() bool { return true }
