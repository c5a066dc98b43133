package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/spec/diag"
)

func operatorsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "operators",
		Short: "List the sources, operators and sinks, or describe one",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the sources, operators and sinks", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				r, err := registry()
				if err != nil {
					return err
				}
				for _, d := range r.All() {
					fmt.Fprintf(cmd.OutOrStdout(), "%-18s %s\n", d.Name(), d.Summary)
				}
				return nil
			},
		},
		showCommand())
	return cmd
}

func showCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "show [NAME]", Short: "Describe a source, operator or sink, or all of them", Args: cobra.MaximumNArgs(1),
		Example: `  gpflow operators show window.tumbling
  gpflow operators show --format markdown`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := registry()
			if err != nil {
				return err
			}
			ds := r.All()
			if len(args) > 0 {
				block, kind, _ := strings.Cut(args[0], ".")
				d := r.Lookup(block, kind)
				if d == nil {
					return unknownOperator(r, args[0])
				}
				ds = []*gpflow.Descriptor{d}
			}
			switch format {
			case "text":
				for i, d := range ds {
					if i > 0 {
						fmt.Fprint(cmd.OutOrStdout(), "\n\n")
					}
					describe(cmd.OutOrStdout(), d)
				}
			case "markdown":
				writeReference(cmd.OutOrStdout(), ds)
			default:
				return fmt.Errorf("--format is text or markdown, not %q", format)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or markdown")
	return cmd
}

func unknownOperator(r *gpflow.Registry, name string) error {
	var names []string
	for _, d := range r.All() {
		if strings.HasPrefix(d.Name(), name+".") {
			return fmt.Errorf("%s has kinds: try gpflow operators show %s", name, d.Name())
		}
		if d.Kind == name {
			return fmt.Errorf("there is no %s; did you mean %s?", name, d.Name())
		}
		names = append(names, d.Name())
	}
	if s := diag.Suggest(name, names); s != "" {
		return fmt.Errorf("there is no %s; did you mean %s?", name, s)
	}
	return fmt.Errorf("there is no %s; there are %s", name, strings.Join(names, ", "))
}

// describe prints everything that a descriptor says.
func describe(w io.Writer, d *gpflow.Descriptor) {
	fmt.Fprintf(w, "%s: %s\n", d.Name(), d.Summary)
	for paragraph := range strings.SplitSeq(strings.TrimSpace(d.Doc), "\n\n") {
		fmt.Fprintf(w, "\n%s\n", wrapText(paragraph, 80))
	}
	if d.Example != "" {
		fmt.Fprintf(w, "\nExample\n\n%s\n", indent(strings.TrimSpace(d.Example), "  "))
	}
	fmt.Fprintf(w, "\nFields\n")
	describeFields(w, d.AllFields(), "  ")
	if len(d.Ports) > 0 {
		fmt.Fprintf(w, "\nPorts\n")
		for _, p := range d.Ports {
			fmt.Fprintf(w, "  .%s\n%s\n", p.Name, indent(wrap(p.Doc, 72), "      "))
		}
	}
	if class := d.TraitsOf(gpflow.NewConfig(d.Fields, nil)).Delivery; class != "" {
		fmt.Fprintf(w, "\nDelivery\n  %s\n", class)
	}
}

func describeFields(w io.Writer, fields []gpflow.Field, margin string) {
	for _, f := range fields {
		notes := []string{f.Kind.String()}
		if f.Required {
			notes = append(notes, "required")
		}
		if f.Default != nil {
			notes = append(notes, fmt.Sprintf("default %v", f.Default))
		}
		notes = append(notes, "change: "+f.Update.String())
		fmt.Fprintf(w, "%s%s  (%s)\n", margin, f.Name, strings.Join(notes, ", "))
		fmt.Fprintln(w, indent(wrap(f.Doc, 72), margin+"    "))
		for _, o := range f.Values {
			fmt.Fprintln(w, indent(wrap(o.Value+": "+o.Doc, 68), margin+"      "))
		}
		if f.Example != "" {
			fmt.Fprintln(w, indent(fmt.Sprintf("%s = %s", f.Name, f.Example), margin+"    "))
		}
		describeFields(w, f.Fields, margin+"    ")
	}
}

// indent puts margin before each line of s that has text.
func indent(s, margin string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = margin + line
		}
	}
	return strings.Join(lines, "\n")
}

// wrapText wraps a paragraph, and leaves one that is laid out as it is: a list,
// or text with a margin.
func wrapText(s string, width int) string {
	if strings.Contains(s, "\n") || strings.HasPrefix(s, " ") {
		return s
	}
	return wrap(s, width)
}

// wrap breaks s into lines of at most width bytes, at spaces.
func wrap(s string, width int) string {
	var b strings.Builder
	n := 0
	for _, word := range strings.Fields(s) {
		if n > 0 && n+1+len(word) > width {
			b.WriteByte('\n')
			n = 0
		} else if n > 0 {
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}
