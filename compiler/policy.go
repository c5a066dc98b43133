package compiler

import (
	"fmt"
	"slices"
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
	said, wrong := own, n.Spec.Wrong["on_error"]
	if !own && !wrong {
		b, said = c.spec.Settings.Block("on_error")
		wrong = c.spec.WrongSettings["on_error"]
	}
	switch {
	case wrong && !b.Has("action"):
		n.diverts = unknown
		return
	case !said:
		return
	}
	action := gpflow.Action(b.String("action"))
	if action == gpflow.ActionDivert && port < 0 {
		if own {
			c.error(diag.CodeConfig, n.Spec.Place("on_error", 0, 0), fmt.Sprintf("%s cannot divert records", n.Address()),
				"It has no port errors. Use fail or skip.")
		}
		return
	}
	if action == gpflow.ActionRetry && !n.Traits.Retries {
		if own {
			c.hopeless(n, port)
		}
		return
	}
	if own {
		c.idle(b, action, n.Spec.Place)
	}
	n.OnError.Action = action
	if action == gpflow.ActionRetry {
		n.OnError.Retries, n.OnError.Backoff = gpflow.DefaultRetries, gpflow.DefaultBackoff
		if b.Has("retries") {
			n.OnError.Retries = int(b.Int("retries"))
		}
		if b.Has("backoff") {
			n.OnError.Backoff = b.Duration("backoff")
		}
	}
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

// retried complains about a pipeline that is to try again, and none of its nodes
// can.
func (c *compilation) retried(g *Graph) {
	b, ok := c.spec.Settings.Block("on_error")
	if !ok || c.spec.WrongSettings["on_error"] || c.partial || len(g.Nodes) == 0 {
		return
	}
	action := gpflow.Action(b.String("action"))
	c.idle(b, action, func(string, int, int) diag.Range { return c.setting("on_error") })
	if action == gpflow.ActionRetry && !slices.ContainsFunc(g.Nodes, func(n *Node) bool { return n.Traits.Retries }) {
		c.error(diag.CodeConfig, c.setting("on_error"), "Nothing in the pipeline could be tried again",
			"No node reads or writes anything outside of the pipeline that may fail and then not fail. Use fail, skip or divert.")
	}
}

// hopeless complains about a node that is to try again what it cannot.
func (c *compilation) hopeless(n *Node, errorsPort int) {
	instead := "Use fail or skip."
	if errorsPort > 0 {
		instead = "Use fail, skip or divert."
	}
	c.error(diag.CodeConfig, n.Spec.Place("on_error", 0, 0), fmt.Sprintf("%s has nothing that could be tried again", n.Address()),
		"It reads and writes nothing outside of the pipeline, so that what fails in it once fails each time. "+instead)
}

// idle complains about a number of retries, or their pause, where nothing is tried
// again, and about a limit where no record is passed over.
func (c *compilation) idle(b gpflow.Config, action gpflow.Action, place func(string, int, int) diag.Range) {
	for _, name := range []string{"retries", "backoff"} {
		if action != gpflow.ActionRetry && b.Has(name) {
			c.error(diag.CodeConfig, place("on_error."+name, 0, 0), fmt.Sprintf("%s says nothing where the action is %s", name, action),
				"It is of the action retry. Remove it, or set the action to retry.")
		}
	}
	if (action == gpflow.ActionFail || action == gpflow.ActionRetry) && b.Has("limit") {
		c.error(diag.CodeConfig, place("on_error.limit", 0, 0), fmt.Sprintf("limit says nothing where the action is %s", action),
			"The first record that fails ends the pipeline. Remove it, or set the action to skip or divert.")
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
		if n.Spec.Broken || n.Traits.Claim == "" {
			continue
		}
		claim := n.Traits.Claim
		if o := by[claim]; o != nil {
			c.report(diag.Diagnostic{
				Severity: diag.Error, Code: diag.CodeConfig, Range: n.Spec.Range,
				Summary: fmt.Sprintf("%s and %s write to one place: %s", o.Address(), n.Address(), claim),
				Detail:  "Each would replace what the other has written, or mix with it. Give them different places, or one node both inputs.",
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
		if len(n.Traits.Reads) > 0 {
			c.feedback(g, n)
		}
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
	if n.Desc.IsSource() && !n.Traits.Bounded && !n.Spec.Config.Has("until") {
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
