package compiler_test

import (
	"testing"

	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/expr"
)

// TestCodesOfExpressions: package expr, which is below diag, has the codes by
// value.
func TestCodesOfExpressions(t *testing.T) {
	for got, want := range map[string]string{
		expr.CodeUnknownName: diag.CodeUnknownName, expr.CodeTemplate: diag.CodeTemplate, expr.CodeExpression: diag.CodeExpression,
		expr.CodeUnknownColumn: diag.CodeUnknownColumn, expr.CodeTooBig: diag.CodeTooBig, expr.CodeOptional: diag.CodeOptional,
		expr.CodeUnknownFunction: diag.CodeUnknownFunction,
	} {
		if got != want {
			t.Errorf("%s is %s in diag", got, want)
		}
	}
}
