package spec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

// decoder decodes the body of one top-level block by its fields.
type decoder struct {
	*builder
	syntax  Syntax
	owner   string // for messages: "filter.big"
	located map[string]Located
	refs    map[string][]Ref // by the field of the edge
	bad     bool             // something was reported
	faulty  map[string]bool  // the paths of fields that something was reported of

	typePath string // of the type that is being decoded: "schema.address", ".at"
}

func (b *builder) decoder(blk block, owner string) *decoder {
	return &decoder{
		builder: b, syntax: blk.syntax, owner: owner,
		located: make(map[string]Located), refs: make(map[string][]Ref), faulty: make(map[string]bool),
	}
}

// level is where in a block a body stands.
type level struct {
	prefix string // of paths: "event_time."
	header hcl.Range
	name   string         // of the nested block; "": the top
	parent []gpflow.Field // of the body around
}

// about runs what decodes a field, and notes whether something was reported of
// it. What is reported of a field of a block is reported of the block, too.
func (d *decoder) about(at level, name string, decode func()) {
	before := d.bad
	d.bad = false
	decode()
	if d.bad {
		d.faulty[at.prefix+name] = true
	}
	d.bad = d.bad || before
}

func (d *decoder) fail(code string, at hcl.Range, summary, detail, fix string) {
	d.bad = true
	d.report(diag.Diagnostic{Code: code, Range: d.rng(at), Summary: summary, Detail: detail, Fix: fix})
}

// content is what stands in a body under the names of its fields.
type content struct {
	attrs  map[string]*hcl.Attribute
	blocks map[string][]*hcl.Block
	// absent are fields whose name was written wrongly, or in the wrong form:
	// that they are missing is not said again.
	absent map[string]bool
}

// content reads the items of a body and reports those that no field takes.
func (d *decoder) content(body hcl.Body, fields []gpflow.Field, at level) content {
	c := content{make(map[string]*hcl.Attribute), make(map[string][]*hcl.Block), make(map[string]bool)}
	items := d.syntax.Outline(body)
	schema := &hcl.BodySchema{}
	given := make(map[string]bool)
	asBlock := make(map[string]hcl.Range)
	asAttribute := make(map[string]hcl.Range)
	for _, it := range items {
		d.about(at, it.Name, func() {
			f := field(fields, it.Name)
			if f == nil || d.repeated(*f, it, asAttribute, asBlock) {
				return
			}
			given[it.Name] = true
			switch {
			case f.Kind != gpflow.FieldBlock && !it.Attribute:
				c.absent[it.Name] = true
				d.attributeAsBlock(*f, it)
			case len(it.LabelRanges) > 0:
				c.absent[it.Name] = true
				d.takesNoName(it.Name, it.LabelRanges[0])
			case f.Kind == gpflow.FieldBlock && it.Block:
				if !d.otherForm(it, asAttribute) && asBlock[it.Name].Empty() {
					schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: it.Name})
					asBlock[it.Name] = it.Range
				}
			default:
				if !d.otherForm(it, asBlock) && asAttribute[it.Name].Empty() {
					schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: it.Name})
					asAttribute[it.Name] = it.Range
				}
			}
		})
	}
	for _, it := range items {
		if field(fields, it.Name) == nil && !it.Aside {
			d.unknown(it, fields, at, given, c.absent)
		}
	}
	read, _, _ := body.PartialContent(schema)
	if read == nil {
		return c
	}
	for name, a := range read.Attributes {
		c.attrs[name] = a
	}
	for _, blk := range read.Blocks {
		c.blocks[blk.Type] = append(c.blocks[blk.Type], blk)
	}
	return c
}

// repeated reports an item whose name is written twice where that does not mean
// two blocks. One block too many is not its business.
func (d *decoder) repeated(f gpflow.Field, it Item, asAttribute, asBlock map[string]hcl.Range) bool {
	first, twice := asAttribute[it.Name]
	if f.Kind == gpflow.FieldBlock && it.Block {
		first, twice = asBlock[it.Name]
		twice = twice && f.Many
	}
	if !twice || !it.Attribute {
		return false
	}
	d.bad = true
	if f.Kind == gpflow.FieldBlock && f.Many {
		d.keyTwice(it, first, "Write a list below one of them, with an element for each.")
	} else {
		d.attributeTwice(it, first)
	}
	return true
}

// otherForm reports an item that stands in the body a second time, once as an
// attribute and once as a block.
func (d *decoder) otherForm(it Item, other map[string]hcl.Range) bool {
	first, twice := other[it.Name]
	if twice {
		d.bad = true
		d.report(diag.Diagnostic{
			Code: diag.CodeDuplicate, Range: d.rng(it.Range), Summary: fmt.Sprintf("%s: %q is written both as an attribute and as a block", d.owner, it.Name),
			Fix: "Remove one.", Related: []diag.Related{{Message: "the other one", Range: d.rng(first)}},
		})
	}
	return twice
}

func field(fields []gpflow.Field, name string) *gpflow.Field {
	for i := range fields {
		if fields[i].Name == name {
			return &fields[i]
		}
	}
	return nil
}

// body decodes a body and returns the values of its fields.
func (d *decoder) body(body hcl.Body, fields []gpflow.Field, at level) map[string]any {
	c := d.content(body, fields, at)
	vals := make(map[string]any)
	for _, f := range fields {
		path := at.prefix + f.Name
		attr, blocks := c.attrs[f.Name], c.blocks[f.Name]
		d.about(at, f.Name, func() {
			switch {
			case attr != nil:
				d.deprecated(f, attr.NameRange)
				if v, ok := d.attribute(f, attr, path); ok {
					vals[f.Name] = v
				}
			case len(blocks) > 0:
				d.deprecated(f, blocks[0].TypeRange)
				if v, ok := d.nested(f, fields, blocks, path); ok {
					vals[f.Name] = v
				}
			case f.Required && !c.absent[f.Name]:
				d.missing(f, at)
			}
		})
	}
	return vals
}

// attribute decodes a field that is written with an equals sign.
func (d *decoder) attribute(f gpflow.Field, attr *hcl.Attribute, path string) (any, bool) {
	d.located[path] = Located{Name: d.rng(attr.NameRange), Value: d.rng(attr.Expr.Range())}
	if f.Kind != gpflow.FieldBlock {
		return d.value(f, attr.Expr, path)
	}
	_, ds := hcl.ExprMap(attr.Expr)
	if f.Short == "" || !ds.HasErrors() {
		d.fail(diag.CodeBlockForm, attr.NameRange, fmt.Sprintf("%s: %q is a block", d.owner, f.Name), "",
			asBlock(d.syntax, f.Name))
		return nil, false
	}
	inner := *field(f.Fields, f.Short)
	inner.Name = f.Name
	v, ok := d.value(inner, attr.Expr, path)
	if !ok {
		return nil, false
	}
	d.located[path+"."+f.Short] = d.located[path]
	for _, g := range f.Fields {
		if g.Required && g.Name != f.Short {
			d.missing(g, level{name: f.Name, header: attr.NameRange})
			return nil, false
		}
	}
	return gpflow.NewConfig(f.Fields, map[string]any{f.Short: v}), true
}

// nested decodes a field that is a block, or several.
func (d *decoder) nested(f gpflow.Field, siblings []gpflow.Field, blocks []*hcl.Block, path string) (any, bool) {
	var all []gpflow.Config
	for i, blk := range blocks {
		at := level{prefix: path + ".", header: blk.DefRange, name: f.Name, parent: siblings}
		here := Located{Name: d.rng(blk.TypeRange), Value: d.rng(blk.DefRange)}
		if f.Many {
			at.prefix = fmt.Sprintf("%s[%d].", path, i)
			d.located[strings.TrimSuffix(at.prefix, ".")] = here
		} else if i > 0 {
			d.bad = true
			d.report(diag.Diagnostic{
				Code: diag.CodeDuplicate, Range: d.rng(blk.DefRange), Summary: fmt.Sprintf("%s: the block %q is written twice", d.owner, f.Name),
				Fix:     "Put everything into one of them.",
				Related: []diag.Related{{Message: "the other one", Range: d.rng(blocks[0].DefRange)}},
			})
			continue
		}
		if i == 0 {
			d.located[path] = here
		}
		if extra, too := extraLevel(d.syntax, blk.Body, fieldNames(f.Fields)); too && d.syntax.Bare() {
			d.takesNoName(f.Name, extra.Range)
			continue
		}
		c := gpflow.NewConfig(f.Fields, d.body(blk.Body, f.Fields, at))
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, false
	}
	if f.Many {
		return all, d.check(f, all, blocks[0].DefRange)
	}
	return all[0], d.check(f, all[0], blocks[0].DefRange)
}

// check runs the field's own check on a decoded value.
func (d *decoder) check(f gpflow.Field, v any, at hcl.Range) bool {
	if f.Check == nil {
		return true
	}
	err := f.Check(v)
	if err != nil {
		d.fail(diag.CodeValue, at, fmt.Sprintf("%s: the value of %q is not possible", d.owner, f.Name), sentence(err.Error()), "")
	}
	return err == nil
}

func (d *decoder) deprecated(f gpflow.Field, at hcl.Range) {
	if f.Deprecated != "" {
		d.report(diag.Diagnostic{
			Severity: diag.Warning, Code: diag.CodeDeprecated, Range: d.rng(at),
			Summary: fmt.Sprintf("%s: %q is deprecated", d.owner, f.Name), Fix: sentence(f.Deprecated),
		})
	}
}

func (d *decoder) missing(f gpflow.Field, at level) {
	where := d.owner
	if at.name != "" {
		where += ": " + at.name
	}
	what, fix := "attribute", "Write "+d.syntax.Attribute(f.Name, example(f))
	if f.Kind == gpflow.FieldBlock && f.Short == "" {
		what, fix = "block", "Write "+d.syntax.Block(f.Name)
	}
	d.fail(diag.CodeMissingField, at.header, fmt.Sprintf("%s: the %s %q is missing", where, what, f.Name), f.Doc, fix)
}

func (d *decoder) takesNoName(block string, label hcl.Range) {
	d.fail(diag.CodeLabels, label, fmt.Sprintf("%s: the block %q takes no name", d.owner, block), "", "Write it as "+d.syntax.Block(block)+".")
}

func (d *decoder) attributeAsBlock(f gpflow.Field, it Item) {
	fix := asAttribute(d.syntax, f.Name, example(f))
	d.fail(diag.CodeBlockForm, it.Range, fmt.Sprintf("%s: %q is an attribute, not a block", d.owner, f.Name), "It takes "+takes(f)+".", fix)
}

// unknown reports an item that no field takes, and where it could belong. An
// item that belongs nowhere leaves what the others say intact.
func (d *decoder) unknown(it Item, fields []gpflow.Field, at level, given, absent map[string]bool) {
	var names []string
	for _, f := range fields {
		if !given[f.Name] || f.Many {
			names = append(names, f.Name)
		}
	}
	near := diag.Suggest(it.Name, names)
	what := "attribute"
	if f := field(fields, near); it.Block && (!it.Attribute || f == nil || f.Kind == gpflow.FieldBlock) {
		what = "block"
	}
	where := d.owner
	if at.name != "" {
		where += ": the block " + at.name
	}
	var fix, detail, meant string
	inside := slices.IndexFunc(fields, func(f gpflow.Field) bool { return field(f.Fields, it.Name) != nil })
	switch {
	case field(at.parent, it.Name) != nil:
		fix = fmt.Sprintf("Move it one level out, into %s, which accepts it.", d.owner)
	case inside >= 0:
		meant = fields[inside].Name
		fix = fmt.Sprintf("Move it into the block %s, which accepts it.", d.syntax.Block(meant))
	case near != "":
		meant, fix = near, didYouMean(near)
		absent[near] = true
	case len(names) > 0:
		slices.Sort(names)
		detail = "What could still be written here: " + strings.Join(names, ", ") + "."
	}
	d.about(at, meant, func() {
		d.fail(diag.CodeUnknownField, it.Range, fmt.Sprintf("%s has no %s %q", where, what, it.Name), detail, fix)
		d.bad = fix != ""
	})
}

// forExample returns a fix with the example of f, or "" where it has none.
func (d *decoder) forExample(f gpflow.Field) string {
	if f.Example == "" {
		return ""
	}
	return "For example: " + d.syntax.Attribute(f.Name, f.Example)
}

func cmpOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// example returns how the value of f could be written.
func example(f gpflow.Field) string {
	switch {
	case f.Example != "":
		return f.Example
	case len(f.Values) > 0:
		return strconv.Quote(f.Values[0].Value)
	}
	return "..."
}

// takes says what the value of f is.
func takes(f gpflow.Field) string {
	switch f.Kind {
	case gpflow.FieldEnum:
		return "one of its options"
	case gpflow.FieldBool:
		return "true or false"
	case gpflow.FieldExpr:
		return "an expression"
	case gpflow.FieldRef:
		return "the address of a node"
	case gpflow.FieldRefs:
		return "the addresses of nodes"
	}
	return article(f.Kind.String())
}

// sentence returns s with a full stop and, unless it begins with the name of a
// field, a capital.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	if first, _, _ := strings.Cut(s, " "); !strings.Contains(first, "_") {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}
