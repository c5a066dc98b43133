package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/gpflow/gpflow"
	"github.com/gpflow/gpflow/compiler"
	"github.com/gpflow/gpflow/compiler/plan"
	"github.com/gpflow/gpflow/engine"
	"github.com/gpflow/gpflow/operators"
	"github.com/gpflow/gpflow/spec/diag"
	"github.com/gpflow/gpflow/spec/load"
)

// start starts the pipeline in a file, in this process, which also knows the
// given descriptors.
func start(path string, more ...*gpflow.Descriptor) (*engine.Run, error) {
	return startWith(engine.Options{}, path, more...)
}

// startWith is start with options but for the registry.
func startWith(o engine.Options, path string, more ...*gpflow.Descriptor) (*engine.Run, error) {
	r, err := gpflow.NewRegistry(append(operators.Builtin(), more...)...)
	if err != nil {
		return nil, err
	}
	p, list := load.Load([]string{path}, load.Options{Registry: r})
	if p == nil {
		return nil, complain(list)
	}
	result, more2 := compiler.Compile(p, compiler.Options{})
	if list = append(list, more2...); list.HasErrors() {
		return nil, complain(list)
	}
	encoded, err := plan.Encode(result.Plan)
	if err != nil {
		return nil, err
	}
	o.Registry = r
	return engine.Start(context.Background(), encoded, o)
}

func complain(list diag.List) error {
	var b strings.Builder
	diag.WriteText(&b, list, load.Sources(list), diag.TextOptions{Width: 100})
	return errors.New(b.String())
}

// drop is a sink that wants every column and looks at none: what is before it
// can be measured alone.
var drop = gpflow.Descriptor{
	Block: "sink", Kind: "drop", Summary: "Drops every record.",
	Traits: func(gpflow.Config) gpflow.Traits { return gpflow.Traits{Delivery: gpflow.AtLeastOnce} },
	Infer: func(in *gpflow.Inference) gpflow.Inferred {
		return gpflow.Inferred{Uses: [][]string{in.In[0].Names()}}
	},
	NewSink: func(*gpflow.SinkContext) (gpflow.Sink, error) { return dropped{}, nil },
}

// dropped is a sink that does nothing; others are made of it.
type dropped struct{}

func (dropped) Write(context.Context, *gpflow.Batch, func(int, error) error) error { return nil }

func (dropped) Prepare(context.Context, gpflow.CheckpointID, bool) (gpflow.Prepared, error) {
	return gpflow.Prepared{}, nil
}
func (dropped) Recover(context.Context, [][]byte) error          { return nil }
func (dropped) Commit(context.Context, gpflow.Committable) error { return nil }
func (dropped) Close() error                                     { return nil }

// enginePart runs a pipeline that may have a sink drop.
//
//	engine PIPELINE
func enginePart(args []string) error {
	run, err := start(args[0], &drop)
	if err != nil {
		return err
	}
	_, err = run.Wait()
	return err
}

// spell writes a pipeline of a job to a file, with the values of its places.
func spell(path, pipeline string, places ...string) error {
	return os.WriteFile(path, []byte(strings.NewReplacer(places...).Replace(pipeline)), 0o644)
}
