package diag

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
)

// TextOptions are the options of WriteText.
type TextOptions struct {
	Color bool // ANSI colours
	Width int  // columns of the terminal, for wrapping; 0: 78
}

const (
	maxShown     = 50 // diagnostics printed by WriteText
	maxLines     = 6  // lines of a snippet
	defaultWidth = 78
	minWidth     = 20
)

// WriteText prints l for people: each diagnostic with the lines it is about,
// the place underlined, the reason and the way out. sources are the texts of
// the files by name; a file that is missing there has no snippet. At most 50
// are shown, and then how many more there are.
func WriteText(w io.Writer, l List, sources map[string][]byte, o TextOptions) error {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	o.Width = max(o.Width, minWidth)
	t := textWriter{bufio.NewWriter(w), sources, make(map[string][]string), o}
	for i, d := range l {
		if i == maxShown {
			fmt.Fprintf(t.w, "... and %d more\n", len(l)-maxShown)
			break
		}
		t.diagnostic(d)
	}
	return t.w.Flush()
}

type textWriter struct {
	w       *bufio.Writer
	sources map[string][]byte
	lines   map[string][]string // of the sources that were shown
	o       TextOptions
}

// The colours: red, yellow, cyan, bold.
const (
	red, yellow, cyan, bold = "\x1b[31m", "\x1b[33m", "\x1b[36m", "\x1b[1m"
	plain                   = "\x1b[0m"
)

func (t textWriter) paint(color, s string) string {
	if !t.o.Color || s == "" {
		return s
	}
	return color + s + plain
}

func (t textWriter) diagnostic(d Diagnostic) {
	color, word := red, "Error"
	if d.Severity == Warning {
		color, word = yellow, "Warning"
	}
	t.head(word+": ", color, d)
	if at := d.Range.String(); at != "" {
		fmt.Fprintf(t.w, "  on %s\n", printable(at))
		t.snippet(d.Range, d.Context, color)
	}
	t.wrapped("  ", "  ", d.Detail)
	for _, r := range d.Related {
		fmt.Fprintf(t.w, "  %s: %s\n", printable(r.Message), printable(r.Range.String()))
		t.snippet(r.Range, Range{}, cyan)
	}
	t.wrapped("  "+t.paint(cyan, "Fix:")+" ", "       ", d.Fix)
	fmt.Fprintln(t.w)
}

// head prints the first line of a diagnostic, whole so that it can be searched
// for, but on several lines where the terminal is narrow.
func (t textWriter) head(word, color string, d Diagnostic) {
	rest := d.Summary
	if d.Code != "" {
		rest += " [" + d.Code + "]"
	}
	room := t.o.Width - len(word)
	if t.o.Width >= defaultWidth {
		room = math.MaxInt
	}
	for i, line := range wrap(rest, room) {
		text, code, coded := line, "", false
		if d.Code != "" {
			text, coded = strings.CutSuffix(line, "["+d.Code+"]")
		}
		if coded {
			code = "[" + d.Code + "]"
		}
		body := strings.TrimRight(text, " ")
		fmt.Fprintln(t.w, t.paint(bold+color, word)+t.paint(bold, body)+text[len(body):]+code)
		if i == 0 {
			word = strings.Repeat(" ", len(word))
		}
	}
}

// wrapped prints text, its lines broken at spaces to fit the width.
func (t textWriter) wrapped(first, rest, text string) {
	if text == "" {
		return
	}
	prefix := first
	for _, line := range wrap(text, t.o.Width-len(rest)) {
		fmt.Fprintln(t.w, strings.TrimRight(prefix+line, " "))
		prefix = rest
	}
}

// wrap breaks the lines of text at spaces to fit room cells.
func wrap(text string, room int) []string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		used := 0
		var b strings.Builder
		for _, word := range strings.Fields(printable(line)) {
			n := width(word)
			if used > 0 && used+1+n > room {
				out = append(out, b.String())
				used = 0
				b.Reset()
			}
			if used > 0 {
				b.WriteByte(' ')
				used++
			}
			b.WriteString(word)
			used += n
		}
		out = append(out, b.String())
	}
	return out
}

// snippet prints the lines of r with r underlined, preceded by the first line
// of context where that lies above.
func (t textWriter) snippet(r, context Range, color string) {
	lines := t.split(r.File)
	if r.Start.Line == 0 || lines == nil {
		return
	}
	if r.Start.Line > len(lines) {
		return
	}
	last := min(max(r.End.Line, r.Start.Line), len(lines))
	if last > r.Start.Line && r.End.Column <= 1 {
		last--
	}
	gutter := len(fmt.Sprint(min(last, r.Start.Line+maxLines)))
	if c := context.Start.Line; context.File == r.File && c > 0 && c < r.Start.Line {
		t.line(gutter, c, lines[c-1], 0, 0, "")
		if c+1 < r.Start.Line {
			fmt.Fprintf(t.w, "  %*s ...\n", gutter, "")
		}
	}
	for n := r.Start.Line; n <= last; n++ {
		if n-r.Start.Line == maxLines {
			fmt.Fprintf(t.w, "  %*s ...\n", gutter, "")
			return
		}
		line := lines[n-1]
		from, to := 1, len([]rune(line))+1
		if n == r.Start.Line {
			from = r.Start.Column
		} else {
			from += len(line) - len(strings.TrimLeft(line, " \t"))
		}
		if n == r.End.Line {
			to = r.End.Column
		}
		t.line(gutter, n, line, from, max(to, from+1), color)
	}
}

// line prints a line of source with its number and, unless from is 0, carets
// under its columns [from, to).
func (t textWriter) line(gutter, n int, line string, from, to int, color string) {
	room := t.o.Width - gutter - 6
	var text, under strings.Builder
	used, col, skip := 0, 0, 0
	runes := []rune(line)
	if before := width(cells(runes[:min(len(runes), max(from-1, 0))])); before > room*2/3 {
		skip = before - room/3
	}
	for _, r := range append(runes, ' ') {
		col++
		cell := cells([]rune{r})
		w := width(cell)
		if used += w; used <= skip {
			continue
		}
		if used-skip > room {
			break
		}
		text.WriteString(cell)
		mark := " "
		if from > 0 && col >= from && col < to {
			mark = "^"
		}
		under.WriteString(strings.Repeat(mark, w))
	}
	fmt.Fprintf(t.w, "  %*d | %s\n", gutter, n, strings.TrimRight(text.String(), " "))
	if marks := strings.TrimRight(under.String(), " "); marks != "" {
		lead := len(marks) - len(strings.TrimLeft(marks, " "))
		fmt.Fprintf(t.w, "  %*s | %s%s\n", gutter, "", marks[:lead], t.paint(color, marks[lead:]))
	}
}

// split returns the lines of a source, nil for one that is not known.
func (t textWriter) split(file string) []string {
	src, ok := t.sources[file]
	lines, known := t.lines[file]
	if !ok || known {
		return lines
	}
	lines = strings.Split(string(src), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	t.lines[file] = lines
	return lines
}
