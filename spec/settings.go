package spec

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gpflow/gpflow"
)

// PipelineFields returns the fields of the pipeline block.
func PipelineFields() []gpflow.Field {
	return []gpflow.Field{
		{
			Name: "parallelism", Kind: gpflow.FieldInt, Default: int64(1), Update: gpflow.Migrate, Example: "4",
			Doc:   "The number of subtasks of the nodes that do not say it themselves.",
			Check: between(1, 1024, "parallelism is a number of subtasks"),
		},
		{
			Name: "key_groups", Kind: gpflow.FieldInt, Default: int64(1024), Update: gpflow.Drop, Example: "1024",
			Doc:   "The number of parts that keyed state is divided into, and so the highest parallelism. It is fixed for the life of the state.",
			Check: between(1, 32768, "key_groups is a number of key groups"),
		},
		gpflow.OnErrorField,
		checkpointField(),
		restartField(),
		stateField(),
		{Name: "description", Kind: gpflow.FieldString, Update: gpflow.Live, Doc: "What the pipeline is for. Shown, never interpreted."},
		{Name: "labels", Kind: gpflow.FieldMap, Update: gpflow.Live, Doc: "Names and values of your own. Shown, never interpreted.", Example: `{ team = "payments" }`},
	}
}

// checkpointField returns the block that says when checkpoints are taken, and
// where they are kept. Its defaults hold where there is no block.
func checkpointField() gpflow.Field {
	return gpflow.Field{
		Name: "checkpoint", Kind: gpflow.FieldBlock, Update: gpflow.Live,
		Doc: "When checkpoints are taken, and where they are kept. What a sink has written becomes visible with the checkpoint behind it: about `every` later.",
		Fields: []gpflow.Field{
			{
				Name: "every", Kind: gpflow.FieldDuration, Default: 10 * gpflow.Second, Update: gpflow.Live, Example: `"10s"`,
				Doc:   "The time from one checkpoint to the next; `0s`: only at the end, and when the pipeline is stopped.",
				Check: notNegative("every is the time from one checkpoint to the next, from 0s on"),
			},
			{
				Name: "storage", Kind: gpflow.FieldString, Update: gpflow.Restart, Example: `"file:/var/lib/gpflow/clicks"`,
				Doc:   "The directory of the state, as `file:PATH`. Not given: `.gpflow` and the pipeline's name, below the working directory.",
				Check: checkStorage,
			},
			{
				Name: "retain", Kind: gpflow.FieldInt, Default: int64(5), Update: gpflow.Live, Example: "5",
				Doc: "How many checkpoints are kept.", Check: between(1, 1000, "retain is a number of checkpoints"),
			},
			{
				Name: "timeout", Kind: gpflow.FieldDuration, Default: 600 * gpflow.Second, Update: gpflow.Live, Example: `"10m"`,
				Doc:   "How long a checkpoint may take to reach every node before it is given up, and the next one is tried; `0s`: for ever.",
				Check: notNegative("timeout is how long a checkpoint may take, from 0s on, which is for ever"),
			},
			{
				Name: "min_pause", Kind: gpflow.FieldDuration, Default: gpflow.Duration(0), Update: gpflow.Live, Example: `"5s"`,
				Doc:   "The least time between the end of a checkpoint and the begin of the next.",
				Check: notNegative("min_pause is the least time between two checkpoints, from 0s on"),
			},
			{
				Name: "max_failures", Kind: gpflow.FieldInt, Default: int64(10), Update: gpflow.Live, Example: "10",
				Doc: "How many checkpoints in a row may fail before the pipeline does; 0: any number.", Check: between(0, 1_000_000, "max_failures is a number of checkpoints"),
			},
		},
	}
}

// notNegative returns the check of a duration that may be none, with what is said
// of one that is less.
func notNegative(what string) func(any) error {
	return func(v any) error {
		if v.(gpflow.Duration) < 0 {
			return errors.New(what)
		}
		return nil
	}
}

// checkStorage complains unless v is the place of a directory.
func checkStorage(v any) error {
	place := v.(string)
	path, ok := strings.CutPrefix(place, "file:")
	if !ok {
		return fmt.Errorf("storage is \"file:PATH\", the directory of the state; checkpoints are kept nowhere else")
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok && rest != "" && rest[0] != '/' {
		return fmt.Errorf("what follows file:// is the name of a host, and the state is kept on this one; write \"file:%s\", or \"file:///%[1]s\" for a path from the root", rest)
	}
	if strings.ContainsRune(place, 0) {
		return fmt.Errorf("storage has a NUL character, which no path may have")
	}
	if stateDirectory(place) == "" {
		return fmt.Errorf("storage names no directory; write \"file:PATH\"")
	}
	return nil
}

// stateDirectory returns the directory that a place names; "" for "".
func stateDirectory(place string) string {
	path := strings.TrimPrefix(place, "file:")
	return strings.TrimPrefix(path, "//")
}

// leastMemory is the least that state.memory may be, in bytes: what a table of
// each of a few subtasks takes.
const leastMemory = 1 << 20

// stateField returns the block that bounds the memory of keyed state.
func stateField() gpflow.Field {
	return gpflow.Field{
		Name: "state", Kind: gpflow.FieldBlock, Update: gpflow.Restart,
		Doc: "How much memory the state of the nodes may take: what windows hold. Beyond it the state goes to the disk, below the directory of the checkpoints, and the pipeline goes on, slower.",
		Fields: []gpflow.Field{
			{
				Name: "memory", Kind: gpflow.FieldSize, Update: gpflow.Restart, Example: `"1GiB"`,
				Doc: "The memory of all state of this process, of which tables take up to half and checkpoints the rest while they are stored; the process takes up to half as much more, and 256 MiB. Not given: a quarter of the machine's memory, or of what the process is allowed.",
				Check: func(v any) error {
					if n := v.(int64); n < leastMemory {
						return fmt.Errorf("memory is a size of 1MiB or more")
					}
					return nil
				},
			},
		},
	}
}

// StateMemory returns the memory in bytes that the pipeline's state may take; 0:
// the pipeline does not say.
func (p *Pipeline) StateMemory() int64 {
	b, ok := p.Settings.Block("state")
	if !ok {
		return 0
	}
	return b.Int("memory")
}

// Checkpoints is the checkpoint block of a pipeline.
type Checkpoints struct {
	Every, Timeout, MinPause gpflow.Duration
	Directory                string // of the state; "": not given
	Retain, MaxFailures      int
}

// Checkpoints returns the pipeline's checkpoint block, with the defaults of what
// it does not say.
func (p *Pipeline) Checkpoints() Checkpoints {
	b, ok := p.Settings.Block("checkpoint")
	if !ok {
		b = gpflow.NewConfig(checkpointField().Fields, nil)
	}
	return Checkpoints{
		Every: b.Duration("every"), Timeout: b.Duration("timeout"), MinPause: b.Duration("min_pause"), Directory: stateDirectory(b.String("storage")),
		Retain: int(b.Int("retain")), MaxFailures: int(b.Int("max_failures")),
	}
}

func between(low, high int64, what string) func(any) error {
	return func(v any) error {
		if n := v.(int64); n < low || n > high {
			return fmt.Errorf("%s from %d to %d", what, low, high)
		}
		return nil
	}
}
