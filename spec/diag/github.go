package diag

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteGitHub prints l as workflow commands, which GitHub Actions shows beside
// the lines of a change:
//
//	::error file=a.gp.hcl,line=3,endLine=3,col=1,endColumn=6,title=GPF-0023::...
//
// All of l is printed, a line each. A diagnostic about several lines has no
// columns, as GitHub asks, and one outside of any file has no place.
func WriteGitHub(w io.Writer, l List) error {
	out := bufio.NewWriter(w)
	for _, d := range l {
		var props []string
		add := func(name, value string) { props = append(props, name+"="+property.Replace(value)) }
		if r := d.Range; r.File != "" {
			add("file", r.File)
			if r.Start.Line > 0 {
				end := max(r.End.Line, r.Start.Line)
				add("line", fmt.Sprint(r.Start.Line))
				add("endLine", fmt.Sprint(end))
				if end == r.Start.Line {
					add("col", fmt.Sprint(r.Start.Column))
					add("endColumn", fmt.Sprint(max(r.End.Column, r.Start.Column)))
				}
			}
		}
		if d.Code != "" {
			add("title", d.Code)
		}
		command := "::" + d.Severity.String()
		if props != nil {
			command += " " + strings.Join(props, ",")
		}
		fmt.Fprintf(out, "%s::%s\n", command, data.Replace(d.message()))
	}
	return out.Flush()
}

// message returns all that d says on a few lines.
func (d Diagnostic) message() string {
	lines := []string{d.Summary}
	if d.Detail != "" {
		lines = append(lines, d.Detail)
	}
	for _, r := range d.Related {
		lines = append(lines, r.Message+": "+r.Range.String())
	}
	if d.Fix != "" {
		lines = append(lines, "Fix: "+d.Fix)
	}
	return strings.Join(lines, "\n")
}

// What stands for characters that end a message, or a property.
var (
	data     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
