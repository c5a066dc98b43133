// Command picture draws the text that it reads as a terminal, in SVG:
//
//	bin/gpflow run examples/flights/flights.gp.hcl 2>&1 | go run ./examples/flights/internal/picture >docs/flights.svg
package main

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"os"
	"strings"
)

const (
	charWidth  = 8.4
	lineHeight = 19
	margin     = 18
	title      = "$ make run"
)

func main() {
	lines := []string{title}
	longest := len(title)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		lines = append(lines, in.Text())
		longest = max(longest, len([]rune(in.Text())))
	}
	if err := draw(lines, float64(longest)*charWidth+2*margin, len(lines)*lineHeight+2*margin); err != nil {
		fmt.Fprintln(os.Stderr, "draw the terminal:", err)
		os.Exit(1)
	}
}

func draw(lines []string, width float64, height int) error {
	w := bufio.NewWriter(os.Stdout)
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`+"\n", width, height)
	fmt.Fprintf(w, `<rect width="100%%" height="100%%" rx="8" fill="#14181f"/>`+"\n")
	for i, line := range lines {
		color := "#c9d1d9"
		switch {
		case i == 0:
			color = "#7ee787"
		case strings.Contains(line, "airport") || strings.HasPrefix(line, "node "):
			color = "#79c0ff"
		case strings.HasPrefix(line, "finished") || strings.HasPrefix(line, "The ledger"):
			color = "#ffffff"
		}
		fmt.Fprintf(w, `<text x="%d" y="%d" fill="%s" xml:space="preserve">`, margin, margin+14+i*lineHeight, color)
		if err := xml.EscapeText(w, []byte(line)); err != nil {
			return err
		}
		fmt.Fprintln(w, "</text>")
	}
	fmt.Fprintln(w, "</svg>")
	return w.Flush()
}
