package pages

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryCodeHasAPage, and every page a code that is given.
func TestEveryCodeHasAPage(t *testing.T) {
	src, err := os.ReadFile("../codes.go")
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`"(GPF-\d{4})"`).FindAllString(string(src), -1)
	for i := range want {
		want[i] = strings.Trim(want[i], `"`)
	}
	slices.Sort(want)
	if got := Codes(); !slices.Equal(got, want) {
		t.Errorf("pages %q\ncodes %q", got, want)
	}
}

// TestPagesAreReadable: every page has all of its parts, and fits a terminal.
func TestPagesAreReadable(t *testing.T) {
	for _, code := range Codes() {
		p, err := Find(code)
		if err != nil {
			t.Error(err)
			continue
		}
		if strings.HasSuffix(p.Title, ".") || p.Broken == p.Repaired {
			t.Errorf("%s: a title with a full stop, or nothing repaired", code)
		}
		for _, line := range strings.Split(p.String(), "\n") {
			if len(line) > 86 {
				t.Errorf("%s: too long: %q", code, line)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for code, want := range map[string]string{
		"GPF-0120": "", "GPF-9999": "GPF-0129", "GPF-0000": "GPF-0001", "GPF-1024": "GPF-0024",
	} {
		switch p, err := Find(code); {
		case want == "" && (err != nil || p.Code != code):
			t.Error(p, err)
		case want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)):
			t.Errorf("Find(%s): %v, want a suggestion of %s", code, err, want)
		}
	}
}

func TestParseDamaged(t *testing.T) {
	text, err := files.ReadFile("GPF-0001.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"# GPF-0001: ", "## Why\n", "## Broken\n", "## Repaired\n"} {
		if _, err := parse("GPF-0001", strings.Replace(string(text), part, "", 1)); err == nil {
			t.Errorf("without %q it is accepted", part)
		}
	}
}
