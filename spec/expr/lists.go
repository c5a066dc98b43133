package expr

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/gpflow/gpflow"
)

var listFunctions = []*function{
	{
		name: "len", params: []kinds{aText | aList | aMap}, result: is(tInt), example: "len(s)",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) { return gpflow.Int(length(args[0])), nil },
	},
	{
		name: "first", params: []kinds{aList}, result: elemOrNull, example: "first(list)",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) { return element(args[0].List(), 0), nil },
	},
	{
		name: "last", params: []kinds{aList}, result: elemOrNull, example: "last(list)",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			list := args[0].List()
			return element(list, len(list)-1), nil
		},
	},
	{
		name: "get", params: []kinds{aList | aMap, anInt | aString}, result: func(args []*node) gpflow.Type {
			if t := args[0].typ; t.Elem != nil {
				return t.Elem.Opt()
			}
			return tAny
		}, example: "get(list, 0)",
		eval: func(_ *frame, args []gpflow.Value) (gpflow.Value, error) {
			if args[0].Kind() == gpflow.KindList && args[1].Kind() == gpflow.KindInt {
				list, i := args[0].List(), args[1].Int()
				if i < 0 {
					i += int64(len(list))
				}
				if i < 0 || i >= int64(len(list)) {
					return gpflow.Null, nil
				}
				return list[i], nil
			}
			return member(args[0], args[1])
		},
	},
	{
		name: "take", params: []kinds{aList, anInt}, result: same, example: "take(list, 3)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			if args[1].Int() < 0 {
				return gpflow.Null, errors.New("the number of elements to take must not be negative")
			}
			return slice(fr, []gpflow.Value{args[0], gpflow.Int(0), args[1]})
		},
	},
	{name: "reverse", params: []kinds{aList}, result: same, example: "reverse(list)", eval: changed(slices.Reverse[[]gpflow.Value])},
	{name: "sort", params: []kinds{aList}, result: same, example: "sort(list)", eval: sortList},
	{name: "uniq", params: []kinds{aList}, result: same, example: "uniq(list)", eval: uniq},
	{name: "concat", params: []kinds{aList, aList}, variadic: true, optional: 1, result: extremeList, example: "concat(a, b)", eval: concatLists},
	{
		name: "join", params: []kinds{aList, aString}, optional: 1, result: is(tString), example: "join(list, ', ')", eval: join,
	},
	{
		name: "keys", params: []kinds{aMap}, result: is(gpflow.ListOf(tString)), example: "keys(m)",
		eval: entries(func(e gpflow.Entry) gpflow.Value { return gpflow.String(e.Key) }),
	},
	{
		name: "values", params: []kinds{aMap}, example: "values(m)", result: func(args []*node) gpflow.Type {
			if t := args[0].typ; t.Elem != nil {
				return gpflow.ListOf(*t.Elem)
			}
			return gpflow.ListOf(tAny)
		},
		eval: entries(func(e gpflow.Entry) gpflow.Value { return e.Value }),
	},
	{
		name: "mean", params: []kinds{aList}, result: is(tFloat.Opt()), example: "mean(list)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			list, err := floats(fr, args[0].List())
			if err != nil || len(list) == 0 {
				return gpflow.Null, err
			}
			sum := 0.0
			for _, f := range list {
				sum += f
			}
			return gpflow.Float(sum / float64(len(list))), nil
		},
	},
	{
		name: "median", params: []kinds{aList}, result: is(tFloat.Opt()), example: "median(list)",
		eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
			list, err := floats(fr, args[0].List())
			if err != nil || len(list) == 0 {
				return gpflow.Null, err
			}
			slices.Sort(list)
			mid := len(list) / 2
			if len(list)%2 == 1 {
				return gpflow.Float(list[mid]), nil
			}
			return gpflow.Float((list[mid-1] + list[mid]) / 2), nil
		},
	},
}

// sumFunction is sum over a list; with a predicate it is over the list that
// the predicate makes.
var sumFunction = &function{
	name: "sum", params: []kinds{aList}, example: "sum(list)", result: func(args []*node) gpflow.Type {
		if t := args[0].typ; t.Kind == gpflow.KindList && t.Elem.Kind != gpflow.KindNull {
			return t.Elem.NonNull()
		}
		return tAny
	},
	eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) { return sumList(fr, args[0].List()) },
}

// countFunction counts the elements of a list that are true.
var countFunction = &function{
	name: "count", params: []kinds{aList}, result: is(tInt), example: "count(list)",
	eval: func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
		list, n := args[0].List(), int64(0)
		for _, v := range list {
			if v.Kind() != gpflow.KindBool {
				return gpflow.Null, fmt.Errorf("count takes a list of bools or a predicate, not a list with %s", v.Kind())
			}
			if v.Bool() {
				n++
			}
		}
		return gpflow.Int(n), fr.step(len(list))
	},
}

func length(v gpflow.Value) int64 {
	switch v.Kind() {
	case gpflow.KindString:
		return int64(utf8.RuneCountInString(v.Str()))
	case gpflow.KindBytes:
		return int64(len(v.Bytes()))
	case gpflow.KindList:
		return int64(len(v.List()))
	}
	return int64(len(v.Map()))
}

func element(list []gpflow.Value, i int) gpflow.Value {
	if i < 0 || i >= len(list) {
		return gpflow.Null
	}
	return list[i]
}

// extremeList returns the type that holds the elements of all lists.
func extremeList(args []*node) gpflow.Type {
	t := args[0].typ
	for _, a := range args[1:] {
		t, _ = unify(t, a.typ)
	}
	return t
}

// changed makes a function that works on a copy of a list.
func changed(f func([]gpflow.Value)) func(*frame, []gpflow.Value) (gpflow.Value, error) {
	return func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
		if err := fr.step(len(args[0].List())); err != nil {
			return gpflow.Null, err
		}
		list := slices.Clone(args[0].List())
		f(list)
		return gpflow.List(list), nil
	}
}

// order compares elements as sort does: numbers by value, others by kind
// first.
func order(a, b gpflow.Value) int {
	if isNumber(a) && isNumber(b) && a.Kind() != b.Kind() {
		a, b = gpflow.Float(number(a)), gpflow.Float(number(b))
	}
	return gpflow.Compare(a, b)
}

func sortList(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
	return changed(func(list []gpflow.Value) { slices.SortStableFunc(list, order) })(fr, args)
}

// descending reports whether a call of sortBy asks for the greatest first.
func descending(n *node) bool { return len(n.kids) > 2 && n.kids[2].val.Str() == "desc" }

// sortBy returns the list in the order of its keys, of which there is one for
// each element. Elements of equal keys stay in their order.
func sortBy(fr *frame, list, keys []gpflow.Value, down bool) ([]gpflow.Value, error) {
	if err := fr.step(len(list)); err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !anOrdered.has(k.Kind()) {
			return nil, fmt.Errorf("%s has no order", k.Kind())
		}
	}
	index := make([]int, len(list))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int {
		if down {
			a, b = b, a
		}
		return order(keys[a], keys[b])
	})
	out := make([]gpflow.Value, len(list))
	for i, j := range index {
		out[i] = list[j]
	}
	return out, nil
}

// uniq keeps the first of equal elements.
func uniq(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
	list := args[0].List()
	if err := fr.step(len(list)); err != nil {
		return gpflow.Null, err
	}
	index := make([]int, len(list))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return order(list[a], list[b]) })
	drop := make([]bool, len(list))
	for i := 1; i < len(index); i++ {
		drop[index[i]] = order(list[index[i-1]], list[index[i]]) == 0
	}
	var out []gpflow.Value
	for i, v := range list {
		if !drop[i] {
			out = append(out, v)
		}
	}
	return gpflow.List(out), nil
}

func concatLists(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
	n := 0
	for _, a := range args {
		n += len(a.List())
	}
	if err := fr.step(n); err != nil {
		return gpflow.Null, err
	}
	out := make([]gpflow.Value, 0, n)
	for _, a := range args {
		out = append(out, a.List()...)
	}
	return gpflow.List(out), nil
}

func join(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
	list, sep := args[0].List(), argument(args, 1, "")
	if err := fr.step(len(list)); err != nil {
		return gpflow.Null, err
	}
	n := max(len(list)-1, 0) * len(sep)
	for _, v := range list {
		if v.Kind() != gpflow.KindString {
			return gpflow.Null, fmt.Errorf("join takes a list of strings, not one with %s", v.Kind())
		}
		n += len(v.Str())
	}
	if n > maxMade {
		return gpflow.Null, errMade
	}
	b := fr.scratch[:0]
	for i, v := range list {
		if i > 0 {
			b = append(b, sep...)
		}
		b = append(b, v.Str()...)
	}
	fr.scratch = b
	s, err := fr.text(b)
	return gpflow.String(s), err
}

func entries(f func(gpflow.Entry) gpflow.Value) func(*frame, []gpflow.Value) (gpflow.Value, error) {
	return func(fr *frame, args []gpflow.Value) (gpflow.Value, error) {
		es := args[0].Map()
		list := make([]gpflow.Value, len(es))
		for i, e := range es {
			list[i] = f(e)
		}
		return gpflow.List(list), fr.step(len(es))
	}
}

func floats(fr *frame, list []gpflow.Value) ([]float64, error) {
	out := make([]float64, len(list))
	for i, v := range list {
		if !isNumber(v) {
			return nil, fmt.Errorf("%s is not a number", v.Kind())
		}
		out[i] = number(v)
	}
	return out, fr.step(len(list))
}
