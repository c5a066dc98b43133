package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/gpflow/gpflow"
)

// writeReference prints everything that descriptors say, as Markdown: a section
// for each, and one for the fields that many have.
func writeReference(w io.Writer, ds []*gpflow.Descriptor) {
	fmt.Fprint(w, `# Operators

Everything that a pipeline can be made of. `+"`gpflow operators show NAME`"+` prints one section of this page, and
`+"`gpflow operators show --format markdown`"+` the page.

| block | what it does |
|---|---|
`)
	for _, d := range ds {
		fmt.Fprintf(w, "| [`%s`](#%s) | %s |\n", heading(d), anchor(heading(d)), d.Summary)
	}
	fmt.Fprint(w, `
A field's *change* is what it costs to change it while the pipeline runs: *live* takes effect between two records, *restart* restarts
the operator with its state, *migrate* re-keys or converts state, *drop* loses it, *replace* makes another thing under the same name.
`)
	shared := &fieldTable{}
	for _, d := range ds {
		writeSection(w, d, shared)
	}
	fmt.Fprint(w, "\n## Fields of many blocks\n\n")
	shared.write(w)
}

// heading writes d's name as a block begins.
func heading(d *gpflow.Descriptor) string {
	if d.Kind == "" {
		return d.Block
	}
	return fmt.Sprintf("%s %q", d.Block, d.Kind)
}

// anchor is what a link to a heading is made of.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ReplaceAll(heading, `"`, ""), " ", "-")
}

// writeSection prints one descriptor. The fields that are not its own are added
// to shared.
func writeSection(w io.Writer, d *gpflow.Descriptor, shared *fieldTable) {
	fmt.Fprintf(w, "\n## `%s`\n\n%s\n\n```hcl\n%s\n```\n\n", heading(d), strings.TrimSpace(d.Doc), strings.TrimSpace(d.Example))
	own := &fieldTable{}
	var others []string
	for _, f := range d.AllFields() {
		if isOwn(d, f.Name) || f.Kind == gpflow.FieldRef || f.Kind == gpflow.FieldRefs {
			own.add("", f)
			continue
		}
		shared.add("", f)
		others = append(others, "`"+f.Name+"`")
	}
	own.write(w)
	fmt.Fprintf(w, "\nAlso %s: see [Fields of many blocks](#fields-of-many-blocks).\n", strings.Join(others, ", "))
	if len(d.Ports) > 0 {
		fmt.Fprint(w, "\n| port | records |\n|---|---|\n")
		for _, p := range d.Ports {
			fmt.Fprintf(w, "| `.%s` | %s |\n", p.Name, cell(p.Doc))
		}
	}
	if class := d.TraitsOf(gpflow.NewConfig(d.Fields, nil)).Delivery; class != "" {
		fmt.Fprintf(w, "\nDelivery: %s.\n", class)
	}
}

func isOwn(d *gpflow.Descriptor, name string) bool {
	for _, f := range d.Fields {
		if f.Name == name {
			return true
		}
	}
	return false
}

// fieldTable is the rows of a table of fields, each once.
type fieldTable struct {
	rows []string
	seen map[string]bool
}

// add adds a field, and the fields of a block behind it, by their path.
func (t *fieldTable) add(prefix string, f gpflow.Field) {
	name := prefix + f.Name
	if t.seen[name] {
		return
	}
	if t.seen == nil {
		t.seen = make(map[string]bool)
	}
	t.seen[name] = true
	fallback := ""
	switch {
	case f.Required:
		fallback = "*required*"
	case f.Default != nil:
		fallback = fmt.Sprintf("`%v`", f.Default)
	}
	doc := cell(f.Doc)
	for _, o := range f.Values {
		doc += fmt.Sprintf("<br>`%s`: %s", o.Value, cell(o.Doc))
	}
	if f.Example != "" {
		doc += fmt.Sprintf("<br>`%s = %s`", f.Name, cell(f.Example))
	}
	t.rows = append(t.rows, fmt.Sprintf("| `%s` | %s | %s | %s | %s |", name, f.Kind, fallback, f.Update, doc))
	for _, inner := range f.Fields {
		t.add(name+".", inner)
	}
}

func (t *fieldTable) write(w io.Writer) {
	fmt.Fprint(w, "| field | takes | default | change | |\n|---|---|---|---|---|\n")
	for _, row := range t.rows {
		fmt.Fprintln(w, row)
	}
}

// cell fits text into a cell of a table.
func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}
