package diag

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

type posJSON struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

type rangeJSON struct {
	Filename string  `json:"filename"`
	Start    posJSON `json:"start"`
	End      posJSON `json:"end"`
}

type snippetJSON struct {
	Context   *string  `json:"context"`
	Code      string   `json:"code"`
	StartLine int      `json:"start_line"`
	From      int      `json:"highlight_start_offset"` // bytes of Code
	To        int      `json:"highlight_end_offset"`
	Values    []string `json:"values"`
}

type relatedJSON struct {
	Message string     `json:"message"`
	Range   *rangeJSON `json:"range,omitempty"`
}

type diagnosticJSON struct {
	Severity string        `json:"severity"`
	Code     string        `json:"code,omitempty"`
	Summary  string        `json:"summary"`
	Detail   string        `json:"detail"`
	Fix      string        `json:"fix,omitempty"`
	Range    *rangeJSON    `json:"range,omitempty"`
	Snippet  *snippetJSON  `json:"snippet,omitempty"`
	Related  []relatedJSON `json:"related,omitempty"`
}

type reportJSON struct {
	FormatVersion string           `json:"format_version"`
	Valid         bool             `json:"valid"`
	Errors        int              `json:"error_count"`
	Warnings      int              `json:"warning_count"`
	Diagnostics   []diagnosticJSON `json:"diagnostics"`
}

// WriteJSON prints l for programs, all of it, in the shape of Terraform's
// `validate -json` with the fields code, fix and related besides.
func WriteJSON(w io.Writer, l List, sources map[string][]byte) error {
	r := reportJSON{
		FormatVersion: "1.0", Valid: !l.HasErrors(),
		Errors: len(l.Errors()), Warnings: len(l.Warnings()), Diagnostics: []diagnosticJSON{},
	}
	for _, d := range l {
		j := diagnosticJSON{
			Severity: d.Severity.String(), Code: d.Code, Summary: d.Summary, Detail: d.Detail, Fix: d.Fix,
			Range: toJSON(d.Range), Snippet: snippet(d.Range, sources[d.Range.File]),
		}
		for _, rel := range d.Related {
			j.Related = append(j.Related, relatedJSON{rel.Message, toJSON(rel.Range)})
		}
		r.Diagnostics = append(r.Diagnostics, j)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

func toJSON(r Range) *rangeJSON {
	if r.File == "" {
		return nil
	}
	return &rangeJSON{r.File, posJSON(r.Start), posJSON(r.End)}
}

// snippet returns the whole lines of r.
func snippet(r Range, src []byte) *snippetJSON {
	from, to := r.Start.Byte, max(r.End.Byte, r.Start.Byte)
	if r.Start.Line == 0 || to > len(src) {
		return nil
	}
	bol := bytes.LastIndexByte(src[:from], '\n') + 1
	eol := len(src)
	if n := bytes.IndexByte(src[to:], '\n'); n >= 0 {
		eol = to + n
	}
	code := strings.TrimSuffix(string(src[bol:eol]), "\r")
	return &snippetJSON{
		Code: code, StartLine: r.Start.Line, From: min(from-bol, len(code)), To: min(to-bol, len(code)), Values: []string{},
	}
}
