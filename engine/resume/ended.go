package resume

import (
	"encoding/json"
	"fmt"

	"github.com/gpflow/gpflow/engine/checkpoint"
	"github.com/gpflow/gpflow/engine/job"
	"github.com/gpflow/gpflow/engine/task"
)

// Complete puts what the job's machine says about a checkpoint into its manifest, and
// which splits nothing more is read of.
func Complete(m *checkpoint.Manifest, s job.Store) error {
	m.ID, m.Name, m.Sources, m.Committables = s.ID, s.Name, s.Sources, s.Committables
	for _, p := range s.Gone {
		m.Parts = append(m.Parts, checkpoint.PartState{Part: p, Gone: true})
	}
	if s.Final {
		m.Outcome = checkpoint.OutcomeFinished
	}
	return ended(m.Sources, s.Parts)
}

// ended says in sources which splits nothing more is read of: they were found, no
// reader has them, and they wait for none. parts are those of the checkpoint.
func ended(sources []checkpoint.SourceState, parts map[checkpoint.Part]checkpoint.Snapshot) error {
	left := make(map[splitName]bool)
	for p, s := range parts {
		if p.Kind != checkpoint.Reader {
			continue
		}
		var r task.ReaderState
		if err := json.Unmarshal(s.Data, &r); err != nil {
			return fmt.Errorf("read what %s has handed in: %w", p, err)
		}
		for _, split := range r.Splits {
			left[splitName{p.Name, split.ID}] = true
		}
	}
	for i := range sources {
		s := &sources[i]
		for _, split := range s.Queue {
			left[splitName{s.Address, split.ID}] = true
		}
		s.Ended = nil
		for _, split := range s.Found {
			if !left[splitName{s.Address, split.ID}] {
				s.Ended = append(s.Ended, split.ID)
			}
		}
	}
	return nil
}
