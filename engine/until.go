package engine

import "github.com/gpflow/gpflow"

// cut ends a split where its event time has passed the end of its source's input.
// It returns how many rows of b come before that, the records that failed before it,
// and the progress that this is.
func (r *reader) cut(b *gpflow.Batch, failed []gpflow.FailedRecord, split string, p gpflow.Progress) (int, []gpflow.FailedRecord, gpflow.Progress, error) {
	if b == nil {
		return 0, failed, p, nil
	}
	rows := r.times.end(b)
	if rows == b.N {
		return rows, failed, p, nil
	}
	for i, f := range failed {
		if f.After > rows {
			failed = failed[:i]
			break
		}
	}
	if p.Ended == "" {
		if err := r.drop(split); err != nil {
			return 0, nil, p, err
		}
	}
	return rows, failed, gpflow.Progress{Ended: split}, nil
}

// drop has a split, which has ended by time, read no further.
func (r *reader) drop(split string) error {
	if r.dropper != nil {
		return r.dropper.Drop(split)
	}
	if r.dropped == nil {
		r.dropped = make(map[string]bool)
	}
	r.dropped[split] = true
	return nil
}

// unread gives back a batch, of which there may be none, and returns nil.
func unread(b *gpflow.Batch) *gpflow.Batch {
	if b != nil {
		b.Release()
	}
	return nil
}
