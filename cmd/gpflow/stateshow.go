package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/engine"
)

// textEntries is how many entries are shown as text where nobody says how many.
const textEntries = 100

type showFlags struct {
	lookFlags
	keys  []string
	limit int
}

func stateShowCommand() *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:   "show [PATH] NODE",
		Short: "Show what a node keeps",
		Long: `Show what the checkpoint has of a node: of a source its splits, and how far they
have been read; of an operator its entries, with their keys and the values kept
for them; of a sink its own notes.

--key shows the entries of one key: --key ann where the key is one column, and
--key user=ann --key day=5 where it is several. A column that is not named may be
anything.

Text shows the first 100 entries, unless --limit says how many; JSON is one
object a line, and has all of them.

` + whichState,
		Example: `  gpflow state show window.daily
  gpflow state show pipeline.hcl window.daily --key ORD
  gpflow state show window.daily --format json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, node := "", args[0]
			if len(args) == 2 {
				path, node = args[0], args[1]
			}
			if f.limit < 0 {
				return fmt.Errorf("--limit is a number of entries, or 0 for all, not %d", f.limit)
			}
			if !cmd.Flags().Changed("limit") && f.format == "text" {
				f.limit = textEntries
			}
			return f.with(cmd.Context(), path, func(l *looked) error { return f.show(l, node, cmd.OutOrStdout()) })
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.format, "format", "text", "text or json")
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "show the entries of this `key` only; may be repeated, a column each")
	cmd.Flags().IntVar(&f.limit, "limit", 0, "show so many entries; 0 is all")
	return cmd
}

func (f *showFlags) show(l *looked, node string, w io.Writer) error {
	n, err := l.node(node)
	if err != nil {
		return err
	}
	if f.keys != nil && len(n.Tables) == 0 {
		return fmt.Errorf("%s keeps nothing by key in checkpoint %d", node, l.manifest.ID)
	}
	buffered := bufio.NewWriter(w)
	text := f.format == "text"
	if text {
		fmt.Fprintln(buffered, l.about().title())
	}
	switch {
	case n.Role == "source":
		err = showSplits(l.Splits(node), text, buffered)
	case n.Role == "sink":
		err = showWriters(l.Writers(node), text, buffered)
	default:
		err = f.operator(l, n, text, buffered)
	}
	if text && err == nil {
		showEnded(n, buffered)
	}
	return errors.Join(err, buffered.Flush())
}

// showEnded says what of a node has come to its end.
func showEnded(n engine.NodeState, w io.Writer) {
	if n.Done > 0 {
		fmt.Fprintf(w, "splits that have been read to their end: %s\n", thousands(int64(n.Done)))
	}
	switch {
	case n.Ended == 0:
	case n.Ended == n.Subtasks:
		fmt.Fprintln(w, "it has ended: there is no more input for it")
	default:
		fmt.Fprintf(w, "%d of its %d subtasks have ended: there is no more input for them\n", n.Ended, n.Subtasks)
	}
}

// opaque writes bytes in a form of a connector's own: as JSON where they are,
// as text where they are, else in hex.
func opaque(b []byte) string {
	switch {
	case json.Valid(b):
		return string(b)
	case utf8.Valid(b) && !strings.ContainsFunc(string(b), func(r rune) bool { return r < ' ' || r == utf8.RuneError || r == 0x7f }):
		return string(b)
	}
	return "0x" + hex.EncodeToString(b)
}

// opaqueJSON is opaque, as JSON.
func opaqueJSON(b []byte) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	if json.Valid(b) {
		return b
	}
	return gpflow.AppendQuoted(nil, opaque(b))
}

func showSplits(splits []engine.Split, text bool, w io.Writer) error {
	if !text {
		e := json.NewEncoder(w)
		for _, s := range splits {
			if err := e.Encode(splitLine{s, opaqueJSON(s.Position)}); err != nil {
				return err
			}
		}
		return nil
	}
	rows := [][]string{{"split", "subtask", "watermark", "position"}}
	for _, s := range splits {
		row := []string{s.ID, strconv.Itoa(s.Subtask), s.Watermark, "the beginning"}
		if s.Subtask < 0 {
			row[1] = "waits"
		}
		if s.Position != nil {
			row[3] = opaque(s.Position)
		}
		rows = append(rows, row)
	}
	if len(splits) == 0 {
		fmt.Fprintln(w, "it reads no split, and none waits")
		return nil
	}
	fmt.Fprintln(w)
	writeTable(w, rows, []bool{true, true, true, true})
	return nil
}

// splitLine is a split as a line of JSON.
type splitLine struct {
	engine.Split
	Position json.RawMessage `json:"position"`
}

// writerLine is the state of a sink's subtask as a line of JSON.
type writerLine struct {
	Subtask int             `json:"subtask"`
	State   json.RawMessage `json:"state"`
}

func showWriters(states [][]byte, text bool, w io.Writer) error {
	e := json.NewEncoder(w)
	for i, s := range states {
		if !text {
			if err := e.Encode(writerLine{i, opaqueJSON(s)}); err != nil {
				return err
			}
			continue
		}
		if i == 0 {
			fmt.Fprintln(w)
		}
		note := "nothing"
		if s != nil {
			note = opaque(s)
		}
		fmt.Fprintf(w, "subtask %d keeps %s\n", i, note)
	}
	return nil
}

// valueText writes a value so that people see what it is.
func valueText(v gpflow.Value) string {
	if v.Kind() == gpflow.KindString {
		if s := v.Str(); s != "" && strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0 {
			return s
		}
	}
	text := string(valueJSON(nil, v))
	if k := v.Kind(); k == gpflow.KindTimestamp || k == gpflow.KindDuration {
		return strings.Trim(text, `"`)
	}
	return text
}

// valueJSON appends a value as JSON; NaN and infinity, which are none, as text.
func valueJSON(dst []byte, v gpflow.Value) []byte {
	if out, err := gpflow.AppendJSON(dst, v); err == nil {
		return out
	}
	one := gpflow.NewSchema(gpflow.Column{Name: "v"})
	text := gpflow.RowJSON(nil, one, []gpflow.Value{v})
	return append(dst, text[len(`{"v":`):len(text)-1]...)
}

// entryJSON appends an entry as a JSON object. Columns keep their names, dots
// and all: those of values are expressions.
func entryJSON(dst []byte, e engine.Entry) []byte {
	object := func(s *gpflow.Schema, row []gpflow.Value) {
		dst = append(dst, '{')
		for i, v := range row {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(gpflow.AppendQuoted(dst, s.Columns[i].Name), ':')
			dst = valueJSON(dst, v)
		}
		dst = append(dst, '}')
	}
	dst = fmt.Appendf(dst, `{"subtask":%d,"state":`, e.Subtask)
	dst = gpflow.AppendQuoted(dst, e.Table.Name)
	dst = append(dst, `,"pane":`...)
	dst = gpflow.AppendQuoted(dst, e.Pane.String())
	dst = append(dst, `,"key":`...)
	object(e.Table.Key, e.Key)
	dst = append(dst, `,"value":`...)
	object(e.Table.Value, e.Row)
	return append(dst, '}')
}
