package diag

import "io"

// TextOptions are the options of WriteText.
type TextOptions struct {
	Color bool // ANSI colours
	Width int  // columns of the terminal, for wrapping; 0: 78
}

// WriteText prints l for people.
func WriteText(w io.Writer, l List, sources map[string][]byte, o TextOptions) error {
	return nil
}

// WriteJSON prints l for programs.
func WriteJSON(w io.Writer, l List, sources map[string][]byte) error {
	return nil
}

// Suggest returns the candidate that is most like word, or "".
func Suggest(word string, candidates []string) string {
	return ""
}
