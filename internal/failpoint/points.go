package failpoint

import "slices"

// Phase is the part of a run that a point belongs to.
type Phase string

// The phases.
const (
	Fresh     Phase = "fresh"     // a start that finds nothing to go on from
	Recovery  Phase = "recovery"  // any start, up to its first record
	Barrier   Phase = "barrier"   // from the barrier to the last acknowledgement
	Storing   Phase = "storing"   // until the checkpoint is current
	Commit    Phase = "commit"    // until its output is shown, for good
	Retention Phase = "retention" // old checkpoints are removed
	End       Phase = "end"       // the last checkpoint of a pipeline that has finished
)

// Point is a place in the code at which a process can be made to die.
type Point struct {
	Name  string `json:"name"`
	Phase Phase  `json:"phase"`
	Doc   string `json:"doc"` // what has just happened
}

// points are those that have a name of their own, in the order in which a run
// passes them.
var points = []Point{
	{"epoch-claimed", Recovery, "the start's fence is at the end of the log"},
	{"checkpoint-found", Recovery, "the current checkpoint is known, and confirmed"},
	{"state-restored", Recovery, "every part of the job has its state back, and none runs"},
	{"staged-removed", Recovery, "the file sink has removed what dead starts have left staged"},
	{"staged-resumed", Recovery, "a staged file is cut to its length at the checkpoint"},
	{"recommitted", Recovery, "output that was prepared by an earlier start is committed"},
	{"split-assigned", Recovery, "a reader has a split at its position, and has read nothing"},

	{"barrier-sent", Barrier, "a reader has sent its barrier, and has not handed in its position"},
	{"reader-acknowledged", Barrier, "a reader has handed in its position"},
	{"task-aligned", Barrier, "the barrier has come on all channels of a task, and its state is not frozen"},
	{"task-frozen", Barrier, "the state of a task is frozen"},
	{"barrier-forwarded", Barrier, "a task has sent the barrier on"},
	{"state-encoded", Barrier, "the state of a task is encoded, and not handed in"},
	{"task-acknowledged", Barrier, "a task has handed in its state"},
	{"prepare-begun", Barrier, "the barrier has come to a sink, and nothing is prepared"},
	{"staged-written", Barrier, "a staged file is written, and not fsynced"},
	{"staged-synced", Barrier, "a staged file is fsynced"},
	{"staging-synced", Barrier, "the directory of staged files is fsynced"},
	{"prepared", Barrier, "a sink has prepared, and not acknowledged"},
	{"writer-acknowledged", Barrier, "a sink has acknowledged"},
	{"all-acknowledged", Barrier, "all parts have acknowledged, and nothing is stored"},

	{"checkpoint-stored", Storing, "the checkpoint is current, and nobody has been told"},

	{"commit-begun", Commit, "a sink is to commit, and has not begun"},
	{"part-named", Commit, "the rename of a file in mode parts, before the next one's"},
	{"single-named", End, "the rename of the file of mode single"},
	{"commit-synced", Commit, "the directory of the renamed files is fsynced"},
	{"commit-done", Commit, "a sink has committed, and has not said so"},

	{"old-removed", Retention, "an object of an old checkpoint is removed"},
	{"retained", Retention, "everything of old checkpoints is removed"},
}

// objects are the folders whose objects have points, with what lies there.
var objects = []Point{
	{"head", Fresh, "the object that names the lineage"},
	{"epochs", Recovery, "the claim of an epoch"},
	{"segments", Storing, "a segment of keyed state"},
	{"manifests", Storing, "the manifest"},
	{"current", Storing, "the note that the manifest is current, or the fence of a start"},
	{"sealed", Storing, "the copy of that note"},
	{"settled", End, "the note that all output of a finished pipeline is shown"},
}

// steps are the steps in the making of an object.
var steps = []struct{ name, doc string }{
	{"written", "is written under a temporary name, and not fsynced"},
	{"synced", "is fsynced under a temporary name"},
	{"named", "has its name, which is not durable"},
	{"durable", "has its name, and the directories up to the store's are fsynced"},
}

// Points returns all points, each once.
func Points() []Point {
	all := slices.Clone(points)
	for _, o := range objects {
		for _, s := range steps {
			all = append(all, Point{o.Name + "-" + s.name, o.Phase, o.Doc + " " + s.doc})
		}
	}
	return all
}

func known(name string) bool {
	return slices.ContainsFunc(Points(), func(p Point) bool { return p.Name == name })
}
