// Package expr reads record expressions: it parses and types them against a
// schema, and compiles them to functions over rows.
//
// The syntax is that of expr-lang. Its parser is the front end; the types and
// the meaning are gpflow's, the same for both ways of running an expression:
// as Go functions over the slots of a row, which allocate nothing where no list
// is made that stays, or, for operators on values of type any, on expr-lang's
// machine. Which of them runs a sub-expression cannot be told from its result.
//
//	expression              meaning
//	a + b, a - b, a * b     int and int is int, checked; with a float it is float
//	-a                      int is checked
//	a / b                   float, always; a zero divisor fails the record
//	a % b                   int only; a zero divisor fails the record
//	a ** b, a ^ b           float
//	"a" + "b"               text joined
//	timestamp - timestamp   duration; checked
//	timestamp + duration    timestamp; checked; also with -
//	duration + duration     duration; checked; also with -
//	duration * number       duration; checked; also number * duration
//	duration / number       duration, truncated to microseconds; zero fails
//	duration / duration     float; zero fails
//	a == b, a < b, ...      int and float compare as floats; text by bytes;
//	                        NaN is equal to nothing, and not less
//	a && b, a || b, !a      bool; the right side only if needed
//	a in [1, 2], a in 1..9  bool; ranges have constant bounds
//	a in list, "k" in map   bool
//	s contains t            bool; also startsWith, endsWith
//	s matches "regex"       bool; the regular expression is a constant
//	a ?? b                  a, or b where a is null
//	a?.b                    null where a is null
//	c ? a : b               also if c { a } else { b }; int and float is float
//	list[i]                 from 0, from the end if negative; outside: fails
//	map["k"], map.k         null where there is no such key
//	s[a:b], list[a:b]       a part; held within the bounds; characters, not bytes
//	let x = a; b            b with x for a
//	any(list, # > 1)        also all none one filter map count find findIndex
//	                        findLast findLastIndex sortBy sum
//
// Null. A column or a value of type optional(T) may be used where null is
// taken care of: under ??, ?. and == nil or != nil, or behind a check, as in
// x != nil && x > 1 and x != nil ? x : 0. Anywhere else it is an error.
//
// Int is 64 bits wide. An operation on a record that has no result, such as
// int("x"), an overflow or a division by zero, fails that record: it is never
// a wrong number. Where it can be seen in the text, the text is in error.
//
// Names. A column is reached by its name and as event.<name>; names of
// functions and names of columns do not collide. Fields of records are columns
// with dotted names. var.<name> and local.<name> are constants.
//
// Limits. An expression has at most 500 parts and 16 KiB. Predicates do not
// nest. Functions without a bound on time or memory, or that depend on more
// than the record, do not exist: reduce, repeat, fromJSON, now. One evaluation
// makes at most 16 MiB of text and takes at most a million steps. A step is an
// element of a list looked at, with up to 16 parts of a predicate; 64 bytes of
// a text that a predicate looks at; or 16 instructions of a regular expression
// on one byte.
package expr
