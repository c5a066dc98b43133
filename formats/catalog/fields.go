package catalog

import (
	"errors"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/formats"
)

// Connectors that read or write files have these fields in common. What differs is
// said by the connector: the documentation, and what a change costs.

// FormatField returns the field format, whose doc says what holds where it is not
// given.
func FormatField(update gpflow.Update, doc string) gpflow.Field {
	return gpflow.Field{
		Name: "format", Kind: gpflow.FieldEnum, Update: update, Example: `"json"`,
		Doc: doc + ": .json, .jsonl and .ndjson are `json`, .csv is `csv`, .txt and .log are `lines`.",
		Values: []gpflow.Option{
			{Value: "json", Doc: "one JSON object a line"},
			{Value: "csv", Doc: "comma-separated values after RFC 4180"},
			{Value: "lines", Doc: "lines of text, each the only column of a record"},
		},
	}
}

// CompressionField returns the field compression; auto says more of that option.
func CompressionField(update gpflow.Update, doc, auto string) gpflow.Field {
	return gpflow.Field{
		Name: "compression", Kind: gpflow.FieldEnum, Default: Auto, Update: update, Doc: doc,
		Values: []gpflow.Option{
			{Value: Auto, Doc: "by the extension: .gz is gzip, .zst is zstd, all else is plain" + auto},
			{Value: None, Doc: "not at all"},
			{Value: Gzip, Doc: "gzip, of one member or several"},
			{Value: Zstd, Doc: "Zstandard, of one frame or several"},
		},
	}
}

// CSVField returns the block csv; header says what its field header decides.
func CSVField(update gpflow.Update, header string) gpflow.Field {
	return gpflow.Field{
		Name: "csv", Kind: gpflow.FieldBlock, Update: update,
		Doc: "How comma-separated values are written.",
		Fields: []gpflow.Field{
			{Name: "header", Kind: gpflow.FieldBool, Default: true, Update: update, Doc: header},
			{
				Name: "delimiter", Kind: gpflow.FieldString, Default: ",", Update: update, Example: `"\t"`,
				Doc: "The character between two fields: one ASCII character other than a quote or a line end.",
				Check: func(v any) error {
					if d := v.(string); len(d) != 1 || d[0] >= 0x80 || strings.ContainsAny(d, "\"\r\n\x00") {
						return errors.New("the delimiter is one ASCII character other than a quote or a line end")
					}
					return nil
				},
			},
		},
	}
}

// CSV returns what the block csv of c says, or its defaults.
func CSV(c gpflow.Config) formats.CSV {
	block, ok := c.Block("csv")
	if !ok {
		return formats.CSV{Delimiter: ','}
	}
	return formats.CSV{NoHeader: !block.Bool("header"), Delimiter: block.String("delimiter")[0]}
}
