package gpflow_test

import (
	"fmt"
	"testing"

	"github.com/gpflow/gpflow"
)

func TestSuggest(t *testing.T) {
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("other_column_%d", i))
	}
	many = append(many, "amount", "Straße")
	for _, c := range []struct {
		word string
		of   []string
		want string
	}{
		{"amuont", []string{"count", "amount"}, "amount"}, // a swap
		{"amnt", []string{"amount"}, "amount"},
		{"AMOUNT", []string{"amounts", "amount"}, "amount"},
		{"ab", []string{"cd", "ba"}, "ba"},
		{"ab", []string{"cd"}, ""},
		{"abc", []string{"xyc"}, ""}, // two changes of a short word
		{"", []string{"a", "ab"}, ""},
		{"amuont", many, "amount"}, // behind many that look otherwise
		{"STRASE", many, "Straße"},
		{"other_colunm_3", many, "other_column_3"},
		{"größe", []string{"grösse", "größer"}, "größer"},
		{"a_very_long_name_of_a_column_that_goes_on", []string{"a_very_long_name_of_a_columm_that_goes_on"}, "a_very_long_name_of_a_columm_that_goes_on"},
	} {
		if got := gpflow.Suggest(c.word, c.of); got != c.want {
			t.Errorf("%q: %q, want %q", c.word, got, c.want)
		}
	}
	mean := testing.AllocsPerRun(5, func() { gpflow.Suggest("other_colunm_9999", many) })
	if mean > 10 {
		t.Errorf("%v allocations among %d names", mean, len(many))
	}
}
