package expr

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/gpflow/gpflow"
)

// machine runs a sub-tree on expr-lang's machine. It belongs to one Program.
type machine struct {
	node    *node
	program *vm.Program
	broken  error // why there is no program
	vm      vm.VM
	env     map[string]any
	columns []input
	vars    []input
	fr      *frame
}

// input is a slot that the sub-tree reads, by the name that it has there.
type input struct {
	name string
	slot int
}

// add adds a slot once, and returns its name.
func add(list *[]input, letter byte, slot int) string {
	for _, in := range *list {
		if in.slot == slot {
			return in.name
		}
	}
	name := fmt.Sprintf("%c%d", letter, slot)
	*list = append(*list, input{name, slot})
	return name
}

func newMachine(n *node, fr *frame) *machine {
	m := &machine{node: n, fr: fr, env: map[string]any{}}
	b := &builder{cfg: conf.New(map[string]any{}), m: m, defined: map[int]bool{}}
	tree := &parser.Tree{Node: b.node(n), Source: file.NewSource("")}
	m.program, m.broken = compiler.Compile(tree, b.cfg)
	return m
}

// run evaluates the sub-tree on fr's row.
func (m *machine) run(fr *frame) gpflow.Value {
	if fr.err != nil {
		return gpflow.Null
	}
	if m.broken != nil {
		fr.fault(m.node, "the expression cannot be run: "+m.broken.Error())
		return gpflow.Null
	}
	for _, in := range m.columns {
		m.env[in.name] = toGo(fr.row[in.slot])
	}
	for _, in := range m.vars {
		m.env[in.name] = toGo(fr.vars[in.slot])
	}
	out, err := m.vm.Run(m.program, m.env)
	if err != nil {
		m.failed(err)
		return gpflow.Null
	}
	v, err := fromGo(fr, out, m.node.typ)
	if err != nil {
		fr.fault(m.node, err.Error())
		return gpflow.Null
	}
	return v
}

// failed notes a failure of the machine at the node that it names.
func (m *machine) failed(err error) {
	from, to := m.node.from, m.node.to
	msg := err.Error()
	var fe *file.Error
	if errors.As(err, &fe) {
		if fe.To > fe.From {
			from, to = fe.From, fe.To
		}
		msg = fe.Message
	}
	if strings.HasPrefix(msg, "interface conversion") {
		msg = "a value is not of the type that it is used as: " + strings.TrimPrefix(msg, "interface conversion: ")
	}
	m.fr.fail(recordError(from, to, msg))
}

// toGo returns v as the machine has it. A duration keeps its type, which the
// machine knows nothing of: its own is shorter.
func toGo(v gpflow.Value) any {
	switch v.Kind() {
	case gpflow.KindBool:
		return v.Bool()
	case gpflow.KindInt:
		return int(v.Int())
	case gpflow.KindFloat:
		return v.Float()
	case gpflow.KindString:
		return v.Str()
	case gpflow.KindBytes:
		return v.Bytes()
	case gpflow.KindTimestamp:
		return goTime(v.Time())
	case gpflow.KindDuration:
		return v.Span()
	case gpflow.KindList:
		list := v.List()
		out := make([]any, len(list))
		for i, e := range list {
			out[i] = toGo(e)
		}
		return out
	case gpflow.KindMap:
		es := v.Map()
		out := make(map[string]any, len(es))
		for _, e := range es {
			out[e.Key] = toGo(e.Value)
		}
		return out
	}
	return nil
}

// fromGo returns what the machine made as a value of type t.
func fromGo(fr *frame, x any, t gpflow.Type) (gpflow.Value, error) {
	v, err := anyValue(fr, x)
	if err != nil {
		return gpflow.Null, err
	}
	v = coerce(v, t)
	switch {
	case t.Kind == gpflow.KindAny || t.Kind == gpflow.KindNull || v.Kind() == t.Kind:
	case v.IsNull() && t.Optional:
	default:
		return gpflow.Null, fmt.Errorf("the result is %s, not %s", v.Kind(), t)
	}
	return v, nil
}

func anyValue(fr *frame, x any) (gpflow.Value, error) {
	switch x := x.(type) {
	case nil:
		return gpflow.Null, nil
	case bool:
		return gpflow.Bool(x), nil
	case int:
		return gpflow.Int(int64(x)), nil
	case float64:
		return gpflow.Float(x), nil
	case string:
		return gpflow.String(x), nil
	case []byte:
		return gpflow.Bytes(x), nil
	case time.Time:
		return gpflow.Time(gpflow.Timestamp(x.UnixMicro())), nil
	case gpflow.Duration:
		return gpflow.Span(x), nil
	case []any:
		return listValue(fr, x)
	case []int:
		return listValue(fr, x)
	case map[string]any:
		if err := fr.step(len(x)); err != nil {
			return gpflow.Null, err
		}
		es := make([]gpflow.Entry, 0, len(x))
		for k, e := range x {
			v, err := anyValue(fr, e)
			if err != nil {
				return gpflow.Null, err
			}
			es = append(es, gpflow.Entry{Key: k, Value: v})
		}
		return gpflow.Map(es), nil
	}
	return gpflow.Null, fmt.Errorf("a %T is not a value", x)
}

func listValue[T any](fr *frame, x []T) (gpflow.Value, error) {
	if err := fr.step(len(x)); err != nil {
		return gpflow.Null, err
	}
	list := make([]gpflow.Value, len(x))
	for i, e := range x {
		var err error
		if list[i], err = anyValue(fr, e); err != nil {
			return gpflow.Null, err
		}
	}
	return gpflow.List(list), nil
}

// builder turns a checked tree back into a syntax tree, in which what differs
// from expr-lang has become calls of functions of ours. Nodes carry their
// bytes as their location.
type builder struct {
	cfg     *conf.Config
	m       *machine
	defined map[int]bool // let variables inside of the tree
	inLoop  bool         // in a predicate
	named   int          // variables made for lists
}

func (b *builder) node(n *node) ast.Node {
	out := b.build(n)
	out.SetLocation(file.Location{From: n.from, To: n.to})
	return out
}

func (b *builder) build(n *node) ast.Node {
	switch n.op {
	case opConst:
		return b.constant(n)
	case opColumn:
		return &ast.IdentifierNode{Value: add(&b.m.columns, 'c', n.slot)}
	case opVar:
		if b.defined[n.slot] {
			return &ast.IdentifierNode{Value: fmt.Sprintf("v%d", n.slot)}
		}
		return &ast.IdentifierNode{Value: add(&b.m.vars, 'v', n.slot)}
	case opElement:
		return &ast.PointerNode{}
	case opLet:
		value := b.node(n.kids[0])
		b.defined[n.slot] = true
		return &ast.VariableDeclaratorNode{Name: fmt.Sprintf("v%d", n.slot), Value: value, Expr: b.node(n.kids[1])}
	case opNot:
		return &ast.UnaryNode{Operator: "!", Node: b.node(n.kids[0])}
	case opAnd:
		return b.binary("&&", n)
	case opOr:
		return b.binary("||", n)
	case opCoalesce:
		return b.binary("??", n)
	case opCompare:
		if l, r := n.kids[0].typ, n.kids[1].typ; l.Kind == r.Kind && native(l.Kind) && (!b.inLoop || l.Kind != gpflow.KindString) || l.IsNumber() && r.IsNumber() {
			return b.binary(n.name, n)
		}
	case opIsNull:
		return &ast.BinaryNode{Operator: "==", Left: b.node(n.kids[0]), Right: &ast.NilNode{}}
	case opCond:
		return &ast.ConditionalNode{Cond: b.node(n.kids[0]), Exp1: b.node(n.kids[1]), Exp2: b.node(n.kids[2])}
	case opRange:
		return &ast.BinaryNode{Operator: "..", Left: &ast.IntegerNode{Value: int(n.lo)}, Right: &ast.IntegerNode{Value: int(n.hi)}}
	case opList:
		return &ast.ArrayNode{Nodes: b.nodes(n.kids)}
	case opLoop:
		return b.loop(n)
	}
	return b.function(n)
}

// loop makes a builtin with a predicate. What the machine does not do as we do
// are functions of ours on a list, which has a name then.
func (b *builder) loop(n *node) ast.Node {
	list := b.counted(n)
	b.inLoop = true
	body := &ast.PredicateNode{Node: b.node(n.kids[1])}
	b.inLoop = false
	over := func(name string, list ast.Node) ast.Node {
		return &ast.BuiltinNode{Name: name, Arguments: []ast.Node{list, body}}
	}
	b.named++
	name := fmt.Sprintf("s%d", b.named)
	it := func() ast.Node { return &ast.IdentifierNode{Value: name} }
	backwards := func() ast.Node { return b.call(lookup("reverse").eval, []ast.Node{it()}) }
	var made ast.Node
	switch n.name {
	case "sortBy":
		made = b.call(operation(n), []ast.Node{it(), over("map", it())})
	case "findLast":
		made = over("find", backwards())
	case "findLastIndex":
		made = b.call(fromEnd, []ast.Node{it(), over("findIndex", backwards())})
	default:
		return over(n.name, list)
	}
	made.SetLocation(file.Location{From: n.from, To: n.to})
	return &ast.VariableDeclaratorNode{Name: name, Value: list, Expr: made}
}

// fromEnd returns the place in a list of what was found in its reverse.
func fromEnd(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
	if args[1].IsNull() {
		return gpflow.Null, nil
	}
	return gpflow.Int(int64(len(args[0].List())) - 1 - args[1].Int()), nil
}

// counted makes the list of a loop, whose elements are counted as steps.
func (b *builder) counted(n *node) ast.Node {
	fr, cost := b.m.fr, price(n.kids[1])
	name := fmt.Sprintf("f%d", len(b.cfg.Functions))
	b.cfg.Functions[name] = &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
		if list, ok := args[0].([]any); ok {
			return list, fr.step(len(list) * cost)
		}
		return args[0], nil // a range, or what has no elements
	}}
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: b.nodes(n.kids[:1])}
	call.SetLocation(file.Location{From: n.from, To: n.to})
	return call
}

// native reports whether the machine compares values of kind k as we do.
func native(k gpflow.Kind) bool {
	switch k {
	case gpflow.KindBool, gpflow.KindInt, gpflow.KindFloat, gpflow.KindString, gpflow.KindTimestamp:
		return true
	}
	return false
}

func (b *builder) nodes(kids []*node) []ast.Node {
	out := make([]ast.Node, len(kids))
	for i, k := range kids {
		out[i] = b.node(k)
	}
	return out
}

func (b *builder) binary(op string, n *node) ast.Node {
	return &ast.BinaryNode{Operator: op, Left: b.node(n.kids[0]), Right: b.node(n.kids[1])}
}

func (b *builder) constant(n *node) ast.Node {
	switch x := toGo(n.val).(type) {
	case nil:
		return &ast.NilNode{}
	case bool:
		return &ast.BoolNode{Value: x}
	case float64:
		if x == 0 && math.Signbit(x) { // the machine holds -0.0 and 0.0 for one constant
			return &ast.UnaryNode{Operator: "-", Node: &ast.ConstantNode{Value: 0.0}}
		}
		return &ast.ConstantNode{Value: x}
	default:
		return &ast.ConstantNode{Value: x}
	}
}

// perStep is how many bytes of a value are looked at for the price of an
// element: in a predicate, a long text is looked at many times.
const perStep = 64

// function makes n a call of a function of its own, which computes it on
// values.
func (b *builder) function(n *node) ast.Node { return b.call(operation(n), b.nodes(n.kids)) }

// call makes a call of eval.
func (b *builder) call(eval func(*frame, []gpflow.Value) (gpflow.Value, error), args []ast.Node) ast.Node {
	name := fmt.Sprintf("f%d", len(b.cfg.Functions))
	fr := b.m.fr
	b.cfg.Functions[name] = &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
		vals := make([]gpflow.Value, len(args))
		for i, a := range args {
			var err error
			if vals[i], err = anyValue(fr, a); err == nil {
				err = fr.step(vals[i].Size() / perStep)
			}
			if err != nil {
				return nil, err
			}
		}
		v, err := eval(fr, vals)
		if err != nil {
			return nil, err
		}
		return toGo(v), nil
	}}
	return &ast.CallNode{Callee: &ast.IdentifierNode{Value: name}, Arguments: args}
}
