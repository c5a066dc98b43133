package compiler

import (
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/spec/diag"
)

// onError decides what happens to the records that fail in n: what the node
// says, else the pipeline, else fail.
func (c *compilation) onError(n *Node) {
	n.OnError = plan.OnError{Action: gpflow.ActionFail, Limit: -1}
	port := n.Desc.PortIndex("errors")
	b, own := n.Spec.Config.Block("on_error")
	if n.Spec.Wrong["on_error"] || !own && c.spec.WrongSettings["on_error"] {
		n.diverts = unknown
		return
	}
	if !own {
		var ok bool
		if b, ok = c.spec.Settings.Block("on_error"); !ok {
			return
		}
	}
	action := gpflow.Action(b.String("action"))
	if action == gpflow.ActionDivert && port < 0 {
		if own {
			c.error(diag.CodeConfig, n.Spec.Place("on_error", 0, 0), fmt.Sprintf("%s cannot divert records", n.Address()),
				"It has no port errors. Use fail or skip.")
		}
		return
	}
	n.OnError.Action = action
	if b.Has("limit") {
		n.OnError.Limit = b.Int("limit")
	}
	if action == gpflow.ActionDivert {
		n.diverts = diverted
		if !own {
			n.diverts = byPipeline
		}
	}
}

// diverted complains about records that would be diverted to nobody.
func (c *compilation) diverted(g *Graph) {
	var silent []string
	for _, n := range g.Nodes {
		port := n.Desc.PortIndex("errors")
		if port < 0 {
			continue
		}
		switch read := n.read(port); {
		case !read && c.partial:
		case n.diverts == diverted && !read:
			c.error(diag.CodeUnreadErrors, n.Spec.Place("on_error", 0, 0),
				fmt.Sprintf("Nobody reads the records that %s diverts", n.Address()),
				fmt.Sprintf("Add a reader of %s.errors, or use skip, which drops and counts them.", n.Address()))
		case n.diverts == byPipeline && !read:
			silent = append(silent, n.Address()+".errors")
		case n.diverts == 0 && read && n.OnError.Action != "":
			c.warning(diag.CodeErrorsNotOn, n.Spec.Range, fmt.Sprintf("%s.errors is read, and never gets a record", n.Address()),
				fmt.Sprintf("on_error of %s is %s. Set it to divert.", n.Address(), n.OnError.Action))
		}
	}
	if silent != nil {
		c.error(diag.CodeUnreadErrors, c.setting("on_error"), "Nobody reads the records that the pipeline diverts",
			fmt.Sprintf("Unread are %s. Add readers, or give these nodes an on_error of their own.", strings.Join(silent, ", ")))
	}
}

// claims complains about nodes that would write to one place.
func (c *compilation) claims(g *Graph) {
	by := make(map[string]*Node)
	for _, n := range g.Nodes {
		if n.Spec.Broken || len(n.Spec.Wrong) > 0 || n.Traits.Claim == "" {
			continue
		}
		claim := n.Traits.Claim
		if o := by[claim]; o != nil {
			c.report(diag.Diagnostic{
				Severity: diag.Error, Code: diag.CodeConfig, Range: n.Spec.Range,
				Summary: fmt.Sprintf("%s and %s write to one place: %s", o.Address(), n.Address(), claim),
				Detail:  "Each would replace what the other has written. Give them different places, or one node both inputs.",
				Related: []diag.Related{{Message: o.Address(), Range: o.Spec.Range}},
			})
		}
		by[claim] = n
	}
}

// warn points out what is allowed and may not be meant.
func (c *compilation) warn(g *Graph) {
	for _, n := range g.Nodes {
		c.endless(n)
	}
	for _, n := range g.Nodes {
		any := false
		for p := range n.Readers {
			any = any || n.read(p)
		}
		if !n.Desc.IsSink() && !any {
			c.warning(diag.CodeUnread, n.Spec.Range, fmt.Sprintf("Nobody reads %s", n.Address()),
				"It is left out of the plan. Read it, or remove it.")
			continue
		}
		if late := n.Desc.PortIndex("late"); late > 0 && !n.read(late) {
			c.warning(diag.CodeUnreadLate, n.Spec.Range, fmt.Sprintf("Nobody reads the late records of %s", n.Address()),
				fmt.Sprintf("They are dropped, and counted in the ledger. To keep them, read %s.late.", n.Address()))
		}
	}
}

// endless finds out whether the input of n ends, which it has done for the
// nodes that feed n, and points out output that is never to be seen.
func (c *compilation) endless(n *Node) {
	if n.Desc.IsSource() && !n.Traits.Bounded {
		n.endless = n
	}
	for _, in := range n.inputs() {
		if n.endless == nil {
			n.endless = in.Node.endless
		}
	}
	if n.Traits.NeedsEnd && n.endless != nil {
		c.warning(diag.CodeNeverEnds, n.Spec.Range, fmt.Sprintf("The output of %s never appears", n.Address()),
			fmt.Sprintf("It appears when the input ends, and %s does not end. What has been written when the run is stopped stays staged beside it.", n.endless.Address()))
	}
}
