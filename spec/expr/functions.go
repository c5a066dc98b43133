package expr

import (
	"slices"

	"github.com/gpflow/gpflow"
)

// kinds is a set of kinds.
type kinds uint16

func of(ks ...gpflow.Kind) kinds {
	var s kinds
	for _, k := range ks {
		s |= 1 << k
	}
	return s
}

func (s kinds) has(k gpflow.Kind) bool { return s>>k&1 != 0 }

// String lists the kinds: "int, float or string".
func (s kinds) String() string {
	if s == anything {
		return "any type"
	}
	var names []string
	for k := gpflow.KindNull; k <= gpflow.KindAny; k++ {
		if s.has(k) {
			names = append(names, k.String())
		}
	}
	out := ""
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			out += " or "
		default:
			out += ", "
		}
		out += name
	}
	return out
}

var (
	anInt     = of(gpflow.KindInt)
	aNumber   = of(gpflow.KindInt, gpflow.KindFloat)
	aString   = of(gpflow.KindString)
	aText     = of(gpflow.KindString, gpflow.KindBytes)
	aTime     = of(gpflow.KindTimestamp)
	aDuration = of(gpflow.KindDuration)
	aList     = of(gpflow.KindList)
	aMap      = of(gpflow.KindMap)
	anOrdered = of(gpflow.KindInt, gpflow.KindFloat, gpflow.KindString, gpflow.KindTimestamp, gpflow.KindDuration)
	aKey      = of(gpflow.KindBool, gpflow.KindInt, gpflow.KindString, gpflow.KindBytes, gpflow.KindTimestamp, gpflow.KindDuration)
	printable = aKey | aNumber | aList | aMap
	anything  = printable | of(gpflow.KindNull)
)

// function is a function of the language.
type function struct {
	name     string
	params   []kinds // what each argument may be
	optional int     // how many of the last need not be given
	variadic bool    // the last may be given any number of times
	nullable bool    // arguments may be null
	result   func(args []*node) gpflow.Type
	// eval computes the function on values of the kinds of params.
	eval    func(fr *frame, args []gpflow.Value) (gpflow.Value, error)
	example string // a call
}

// is returns a result that does not depend on the arguments.
func is(t gpflow.Type) func([]*node) gpflow.Type { return func([]*node) gpflow.Type { return t } }

// same returns the type of the first argument.
func same(args []*node) gpflow.Type { return args[0].typ }

// elemOrNull returns the type of the elements of the first argument, optional.
func elemOrNull(args []*node) gpflow.Type {
	if t := args[0].typ; t.Kind == gpflow.KindList {
		return t.Elem.Opt()
	}
	return tAny
}

// lookup returns the function of that name, or nil.
func lookup(name string) *function {
	for _, table := range [][]*function{stringFunctions, numberFunctions, timeFunctions, listFunctions} {
		for _, f := range table {
			if f.name == name {
				return f
			}
		}
	}
	return nil
}

// functionNames returns the names of all functions, sorted.
func functionNames() []string {
	var out []string
	for _, table := range [][]*function{stringFunctions, numberFunctions, timeFunctions, listFunctions} {
		for _, f := range table {
			out = append(out, f.name)
		}
	}
	for name := range loops {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// refused says what to do without a builtin of expr-lang that does not exist
// here.
var refused = map[string]string{
	"now":      "A record must give the same result whenever it is processed. Use its own time.",
	"reduce":   "It has no bound on memory. Use sum, min, max, count or join.",
	"repeat":   "It has no bound on memory.",
	"fromJSON": "Decode JSON in the source, with a schema.",
	"date":     "Use timestamp('2001-01-01T00:00:00Z').",
	"timezone": "Timestamps are in UTC.",
	"groupBy":  "Group records with a window.",
	"flatten":  "It has no type.",
	"avg":      "Use mean for a list; avg is for windows.",
}

// loop is a builtin that takes a predicate.
type loop struct {
	result  func(list, body gpflow.Type) gpflow.Type
	boolean bool // the predicate is a condition
}

func loopOf(t gpflow.Type) func(list, body gpflow.Type) gpflow.Type {
	return func(_, _ gpflow.Type) gpflow.Type { return t }
}

func loopList(list, _ gpflow.Type) gpflow.Type { return list }

func loopElem(list, _ gpflow.Type) gpflow.Type {
	if list.Kind == gpflow.KindList {
		return list.Elem.Opt()
	}
	return tAny
}

var loops = map[string]*loop{
	"all":           {loopOf(tBool), true},
	"any":           {loopOf(tBool), true},
	"none":          {loopOf(tBool), true},
	"one":           {loopOf(tBool), true},
	"filter":        {loopList, true},
	"map":           {func(_, body gpflow.Type) gpflow.Type { return gpflow.ListOf(body) }, false},
	"count":         {loopOf(tInt), true},
	"find":          {loopElem, true},
	"findLast":      {loopElem, true},
	"findIndex":     {loopOf(tInt.Opt()), true},
	"findLastIndex": {loopOf(tInt.Opt()), true},
	"sortBy":        {loopList, false},
	"sum":           {nil, false},
}
