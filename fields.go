package gpflow

import "errors"

// Action is what happens to a record that failed.
type Action string

// The actions.
const (
	ActionFail   Action = "fail"
	ActionSkip   Action = "skip"
	ActionDivert Action = "divert"
	// ActionRetry makes calls again that failed with a Transient. A record that
	// failed ends the pipeline, as with ActionFail.
	ActionRetry Action = "retry"
)

// How calls are made again where on_error does not say it: so often, after a first
// pause of so long.
const (
	DefaultRetries = 10
	DefaultBackoff = Second
)

// OnErrorField is the field on_error, of nodes and of the pipeline.
var OnErrorField = Field{
	Name: "on_error", Kind: FieldBlock, Update: Live, Short: "action", Example: `"divert"`,
	Doc: "What happens to a record that the node cannot process, and with `retry` to what fails outside of the pipeline. The attribute `on_error = \"skip\"` is short for the block `on_error { action = \"skip\" }`. `retry` is of sources and sinks that turn to something outside of the pipeline, and said of the pipeline it is of these alone; what comes behind such a call waits for it. An error of `fsync` is never tried again. Default: the pipeline's.",
	Fields: []Field{
		{
			Name: "action", Kind: FieldEnum, Required: true, Update: Live,
			Doc: "The action.",
			Values: []Option{
				{string(ActionFail), "the pipeline stops with the error"},
				{string(ActionSkip), "the record is dropped and counted"},
				{string(ActionDivert), "the record leaves through the node's port `errors`, which somebody must read"},
				{string(ActionRetry), "reading or writing that fails for a reason outside, such as a full disk, is tried again; a record that failed stops the pipeline"},
			},
		},
		{
			Name: "limit", Kind: FieldInt, Update: Live, Example: "100",
			Doc: "The number of failed records, over all subtasks of the node, after which the pipeline stops all the same. Default: no limit.",
			Check: func(v any) error {
				if v.(int64) < 0 {
					return errors.New("the limit is a number of records, 0 or more")
				}
				return nil
			},
		},
		{
			Name: "retries", Kind: FieldInt, Update: Live, Example: "20",
			Doc: "With `retry`: how often in a row it is tried again, in each subtask, before the pipeline stops with the error. Default: 10.",
			Check: func(v any) error {
				if n := v.(int64); n < 1 || n > 1_000_000 {
					return errors.New("retries is a number from 1 to 1000000")
				}
				return nil
			},
		},
		{
			Name: "backoff", Kind: FieldDuration, Update: Live, Example: `"500ms"`,
			Doc:   "With `retry`: the pause before the first time. Each further one is twice as long, up to a minute. Default: 1s.",
			Check: positive,
		},
	},
}

// commonFields are the fields of every node.
var commonFields = []Field{
	OnErrorField,
	{
		Name: "parallelism", Kind: FieldInt, Update: Migrate, Example: "4",
		Doc: "The number of subtasks. Default: the pipeline's.",
		Check: func(v any) error {
			if n := v.(int64); n < 1 || n > 1024 {
				return errors.New("parallelism is a number from 1 to 1024")
			}
			return nil
		},
	},
	{
		Name: "chain", Kind: FieldBool, Default: true, Update: Restart,
		Doc: "Whether the node may run in one task with its neighbours. `false` gives it a task of its own.",
	},
	{Name: "description", Kind: FieldString, Update: Live, Doc: "What the node is for. Shown, never interpreted."},
	{Name: "labels", Kind: FieldMap, Update: Live, Doc: "Names and values of your own. Shown, never interpreted.", Example: `{ team = "payments" }`},
}

// sourceFields are the fields of every source.
var sourceFields = []Field{eventTimeField, untilField, rateField}

// untilField bounds a source by event time.
var untilField = Field{
	Name: "until", Kind: FieldString, Update: Restart, Example: `"2026-01-01T00:00:00Z"`,
	Doc: "The event time at which the input ends, which so makes any source one that ends: records of that time or later are left out, and counted as filtered. Each split, such as a file, ends at its first record that is `out_of_order` or more beyond that time: no record before `until` is expected behind it, and none is read, nor counted. Where such a record does not come, the source goes on as it would without; a source to which splits are added ends when all that were found have ended. Needs `event_time`.",
	Check: func(v any) error {
		_, err := ParseTime(v.(string))
		return err
	},
}

// eventTimeField says where rows have their event time.
var eventTimeField = Field{
	Name: "event_time", Kind: FieldBlock, Update: Restart,
	Doc: "Where a record's event time is found, and how far behind the latest one a record may come. Windows need it. The watermark of a split is the latest event time seen, less `out_of_order`; it is taken anew every 32 rows of the split, and when the split pauses or ends.",
	Fields: []Field{
		{Name: "field", Kind: FieldColumn, Required: true, Update: Drop, Example: `"at"`, Doc: "The column, of type timestamp, that holds the event time. A record without one has failed."},
		{Name: "out_of_order", Kind: FieldDuration, Default: Duration(0), Update: Live, Example: `"5s"`, Doc: "How much earlier than the latest event time of its split a record may be and still be on time.", Check: notNegative},
		{Name: "idle_after", Kind: FieldDuration, Update: Live, Example: `"1m"`, Doc: "A split that has had no record for so long no longer holds the watermark back. The time during which downstream cannot keep up does not count. Default: never.", Check: positive},
		{Name: "max_future", Kind: FieldDuration, Update: Live, Example: `"10m"`, Doc: "A record whose event time is further ahead of the clock has failed, so that one wrong date cannot close every window. Default: no limit.", Check: notNegative},
	},
}

// rateField paces a source.
var rateField = Field{
	Name: "rate", Kind: FieldFloat, Default: 0.0, Update: Live, Example: "1000",
	Doc: "At most so many records are read in a second, by all subtasks together. 0 is as many as there are. The pace changes no result.",
	Check: func(v any) error {
		if r := v.(float64); !(r >= 0 && r <= 1e9) {
			return errors.New("the rate is a number of records per second, from 0 to 1e9")
		}
		return nil
	},
}

func notNegative(v any) error {
	if v.(Duration) < 0 {
		return errors.New("the duration must not be negative")
	}
	return nil
}

func positive(v any) error {
	if v.(Duration) <= 0 {
		return errors.New("the duration must be more than 0")
	}
	return nil
}
