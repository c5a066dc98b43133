package spec

import (
	"errors"

	"github.com/gpflow/gpflow"
)

// Restart is the restart block of a pipeline.
type Restart struct {
	Attempts int             // failures within Within that are no more than a restart; 0: none
	Within   gpflow.Duration // a positive time
}

// restartField returns the block that says what a failure leads to. Its defaults
// hold where there is none and a source is unbounded.
func restartField() gpflow.Field {
	return gpflow.Field{
		Name: "restart", Kind: gpflow.FieldBlock, Update: gpflow.Live,
		Doc: "How often what fails is started again from the last checkpoint before the pipeline fails. Where it is not given, a pipeline fails at once if all its sources end.",
		Fields: []gpflow.Field{
			{
				Name: "attempts", Kind: gpflow.FieldInt, Default: int64(10), Update: gpflow.Live, Example: "10",
				Doc: "How many failures `within` a time lead to a restart; one more ends the pipeline. 0: the first one does.", Check: between(0, 1_000_000, "attempts is a number of failures"),
			},
			{
				Name: "within", Kind: gpflow.FieldDuration, Default: 600 * gpflow.Second, Update: gpflow.Live, Example: `"10m"`,
				Doc: "The time over which failures are counted.",
				Check: func(v any) error {
					if v.(gpflow.Duration) <= 0 {
						return errors.New("within is the time over which failures are counted, and is more than none; to have no failure lead to a restart, set attempts to 0")
					}
					return nil
				},
			},
		},
	}
}

// Restart returns the pipeline's restart block, with the defaults of what it does
// not say. Where there is none, a pipeline with an unbounded source is started
// again, and one whose input ends is not: who waits for its end sees the failure.
func (p *Pipeline) Restart() Restart {
	b, ok := p.Settings.Block("restart")
	if !ok {
		b = gpflow.NewConfig(restartField().Fields, nil)
	}
	r := Restart{Attempts: int(b.Int("attempts")), Within: b.Duration("within")}
	if !ok && !p.unbounded() {
		r.Attempts = 0
	}
	return r
}

// unbounded reports whether a source never ends.
func (p *Pipeline) unbounded() bool {
	for _, n := range p.Nodes {
		if n.Descriptor.IsSource() && !n.Descriptor.TraitsOf(n.Config).Bounded {
			return true
		}
	}
	return false
}
