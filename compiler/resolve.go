package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gpflow/gpflow/spec"
	"github.com/gpflow/gpflow/spec/diag"
)

// resolve joins the nodes by their references and puts them in an order in
// which every node comes after those that feed it.
func (c *compilation) resolve() *Graph {
	g := &Graph{Pipeline: c.spec.Name}
	byAddress := make(map[string]*Node)
	var all []*Node
	for _, s := range c.spec.Nodes {
		n := &Node{Spec: s, Desc: s.Descriptor, Inputs: make([][]Output, len(s.Inputs))}
		n.Readers = make([][]Reader, n.ports())
		byAddress[n.Address()] = n
		all = append(all, n)
	}
	for _, n := range all {
		for i, in := range n.Spec.Inputs {
			c.edges(byAddress, n, i, in)
		}
	}
	if !c.partial && !c.spec.Range.IsZero() {
		c.endings(all)
	}
	g.Nodes = c.order(all)
	return g
}

// edges resolves the references of one input.
func (c *compilation) edges(byAddress map[string]*Node, n *Node, i int, in spec.Input) {
	seen := make(map[string]bool)
	for _, ref := range in.Refs {
		name := ref.Address
		if ref.Port != "" {
			name += "." + ref.Port
		}
		from := byAddress[ref.Address]
		switch {
		case from == nil:
			c.error(diag.CodeUnknownNode, ref.Range, fmt.Sprintf("There is no node %s", ref.Address), c.unknownNode(n, ref))
			c.partial = true
			continue
		case from.Desc.IsSink():
			c.error(diag.CodeNoOutput, ref.Range, fmt.Sprintf("%s is a sink and has no output", ref.Address),
				"Read from the node that feeds it instead.")
			c.partial = true
			continue
		case seen[name]:
			c.error(diag.CodeSameReference, ref.Range, fmt.Sprintf("%s stands twice in %s", name, in.Field),
				"Every record would come in twice. Remove one.")
			continue
		}
		seen[name] = true
		port := from.Desc.PortIndex(ref.Port)
		if port < 0 {
			c.error(diag.CodeUnknownPort, ref.Range, fmt.Sprintf("%s has no port %q", ref.Address, ref.Port), unknownPort(from, ref.Port))
			c.partial = true
			continue
		}
		n.Inputs[i] = append(n.Inputs[i], Output{from, port, ref})
		from.Readers[port] = append(from.Readers[port], Reader{n, i})
	}
}

// maxSuggested bounds the references that a suggestion is looked for, as each
// of them is compared with every node.
const maxSuggested = 100

func (c *compilation) unknownNode(n *Node, ref spec.Ref) string {
	if c.suggested++; c.suggested > maxSuggested {
		return "Many references lead nowhere. Look at the first of them."
	}
	var candidates []string
	for _, s := range c.spec.Nodes {
		if s != n.Spec && !s.Descriptor.IsSink() {
			candidates = append(candidates, s.Address())
		}
	}
	block, name, ok := strings.Cut(ref.Address, ".")
	for _, s := range c.spec.Nodes {
		// The kind in place of the name, or before it.
		if s.Block == block && s.Kind == name && s != n.Spec && (ref.Port == "" || ref.Port == s.Name) {
			return fmt.Sprintf("Did you mean %s? An address leaves the kind out.", s.Address())
		}
	}
	if s := diag.Suggest(ref.Address, candidates); s != "" {
		return fmt.Sprintf("Did you mean %s?", s)
	}
	// The right name under another block type.
	if ok {
		for _, a := range candidates {
			if strings.HasSuffix(a, "."+name) {
				return fmt.Sprintf("Did you mean %s?", a)
			}
		}
	}
	return "There " + are(candidates, "no other node") + " to read from."
}

// are returns what there is, for a sentence: "is x", "are x, y and z".
func are(names []string, none string) string {
	switch len(names) {
	case 0:
		return "is " + none
	case 1:
		return "is " + names[0]
	}
	return "are " + listed(names)
}

// listed joins names for a sentence: "x, y and z". Of many it names some.
func listed(names []string) string {
	const most = 12
	switch n := len(names); {
	case n < 2:
		return strings.Join(names, "")
	case n > most:
		return fmt.Sprintf("%s and %d others", strings.Join(names[:most], ", "), n-most)
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

func unknownPort(n *Node, port string) string {
	var names []string
	for _, p := range n.Desc.Ports {
		names = append(names, p.Name)
	}
	if s := diag.Suggest(port, names); s != "" {
		return fmt.Sprintf("Did you mean %s.%s?", n.Address(), s)
	}
	if len(names) == 0 {
		return "It has its main output only: " + n.Address() + "."
	}
	if len(names) == 1 {
		return "The only port besides the main output is " + names[0] + "."
	}
	return "The ports besides the main output are " + listed(names) + "."
}

// endings complains about a pipeline that cannot move anything.
func (c *compilation) endings(all []*Node) {
	sources, sinks := 0, 0
	for _, n := range all {
		if n.Desc.IsSource() {
			sources++
		}
		if n.Desc.IsSink() {
			sinks++
		}
	}
	switch {
	case sources == 0:
		c.error(diag.CodeNoNodes, c.spec.Range, "The pipeline has no source", "Add one, such as a source of kind file. `gpflow operators list` names the kinds.")
	case sinks == 0:
		c.error(diag.CodeNoNodes, c.spec.Range, "The pipeline has no sink",
			"Add one, so that the results go somewhere, such as a sink of kind stdout. `gpflow operators list` names the kinds.")
	}
}

// order sorts the nodes: each behind those that feed it, and otherwise by
// address, so that the order of the text does not matter. It reports circles,
// and leaves out the nodes on them.
func (c *compilation) order(all []*Node) []*Node {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b *Node) int { return strings.Compare(a.Address(), b.Address()) })
	const (
		unseen = iota
		open
		done
	)
	state := make(map[*Node]int)
	var out, path []*Node
	var visit func(n *Node) bool
	visit = func(n *Node) bool {
		switch state[n] {
		case done:
			return true
		case open:
			c.circle(path, n)
			return false
		}
		state[n] = open
		path = append(path, n)
		ok := true
		for _, in := range n.inputs() {
			ok = visit(in.Node) && ok
		}
		path = path[:len(path)-1]
		state[n] = done
		if ok {
			out = append(out, n)
		} else {
			n.Spec.Broken = true
		}
		return true
	}
	for _, n := range all {
		visit(n)
	}
	return out
}

func (c *compilation) circle(path []*Node, n *Node) {
	var names []string
	var related []diag.Related
	found := false
	for _, p := range path {
		found = found || p == n
		if found {
			names = append(names, p.Address())
			related = append(related, diag.Related{Message: p.Address(), Range: p.Spec.Range})
		}
	}
	c.report(diag.Diagnostic{
		Severity: diag.Error, Code: diag.CodeCycle, Range: n.Spec.Range, Related: related,
		Summary: "Nodes feed each other in a circle",
		Detail:  fmt.Sprintf("%s reads, directly or through others, its own output: %s <- %s. Cut one of these edges.", n.Address(), strings.Join(names, " <- "), n.Address()),
	})
}
