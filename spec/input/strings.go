package input

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/gpflow/gpflow/spec/diag"
)

const (
	noEnd     = "the text has no end"
	openBrace = "Write the } behind the value. Where the two characters are meant as text, write $${."
	openSign  = "A %{ begins a directive. Where the two characters are meant as text, write %%{."
)

// inText says what is wrong within a text, where the parser says it of its end
// or in words of its own. ok is false for a complaint of something else.
func inText(src []byte, d *hcl.Diagnostic) (e diag.Diagnostic, ok bool) {
	if d.Subject == nil {
		return e, false
	}
	at := min(d.Subject.Start.Byte, len(src))
	from := bytes.LastIndexByte(src[:at], '\n') + 1
	line, _, _ := bytes.Cut(src[from:], []byte{'\n'})
	switch d.Summary {
	case "Invalid escape sequence":
		return escape(d, src[at:]), true
	case "Invalid multi-line string":
		if open := unclosed.FindSubmatchIndex(line); open != nil {
			e = template(line[open[2]])
			e.Range = toRange(src, hcl.Range{Filename: d.Subject.Filename, Start: hcl.Pos{Byte: from + open[2]}, End: hcl.Pos{Byte: from + len(bytes.TrimRight(line, "\r"))}})
			return e, true
		}
	case "Unterminated template string":
		return heredoc(src, d.Subject.Filename)
	case "Unclosed template interpolation sequence":
		return template('$'), true
	case "Invalid template directive", "Invalid template control keyword", "Unexpected end of template":
		return diag.Diagnostic{Summary: "a directive of a text is wrong", Detail: openSign, Fix: "Its forms are %{ if ... }, %{ else }, %{ for ... } and %{ endif } or %{ endfor }."}, true
	case "Invalid character":
		if m := singleQuotes.FindSubmatch(src[at:]); m != nil {
			fix := fmt.Sprintf("Write it in double quotes: %q", m[1])
			if bytes.HasSuffix(src[:at], []byte("timestamp(")) {
				fix = fmt.Sprintf("Write the layout in double quotes: timestamp(%q)", m[1])
			}
			return diag.Diagnostic{Summary: "text is written in double quotes", Fix: fix}, true
		}
	}
	return e, false
}

var (
	// unclosed is a template without its closing brace on a line.
	unclosed     = regexp.MustCompile(`(?:^|[^$%])([$%]\{)[^}]*$`)
	singleQuotes = regexp.MustCompile(`^'([^'\n]*)'`)
)

// template says that a template has no closing brace.
func template(sign byte) diag.Diagnostic {
	if sign == '%' {
		return diag.Diagnostic{Summary: "a %{ is not closed", Detail: openSign, Fix: "Write %%{ for text, or the } of the directive."}
	}
	return diag.Diagnostic{Summary: "a ${ is not closed", Detail: "What stands behind it is a value until its closing brace.", Fix: openBrace}
}

// escape says how a backslash is written.
func escape(d *hcl.Diagnostic, from []byte) diag.Diagnostic {
	e := diag.Diagnostic{Summary: "there is no such escape in quotes", Detail: `The escapes are \n, \r, \t, \", \\, \uXXXX and \UXXXXXXXX.`}
	written := from[:min(d.Subject.End.Byte-d.Subject.Start.Byte, len(from))]
	e.Fix = fmt.Sprintf(`Write the backslash twice, \%s, or the text as a heredoc, where a backslash stands for itself.`, written)
	return e
}

// heredoc reports the text of several lines that nothing ends, where it begins.
func heredoc(src []byte, name string) (e diag.Diagnostic, ok bool) {
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	var open *hclsyntax.Token
	for i := range tokens {
		switch tokens[i].Type {
		case hclsyntax.TokenOHeredoc:
			open = &tokens[i]
		case hclsyntax.TokenCHeredoc:
			open = nil
		}
	}
	if open == nil {
		return e, false
	}
	begin := bytes.TrimSpace(open.Bytes)
	at := open.Range
	at.End.Byte = at.Start.Byte + len(begin)
	return diag.Diagnostic{
		Range: toRange(src, at), Summary: noEnd, Detail: "Every line behind it belongs to the text.",
		Fix: fmt.Sprintf("Write %s alone on a line behind it.", bytes.TrimLeft(begin, "<-")),
	}, true
}
