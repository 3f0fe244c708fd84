package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"wordpress-on-kubernetes/tests/cluster/internal/cgroups"
	"wordpress-on-kubernetes/tests/cluster/internal/layout"
	"wordpress-on-kubernetes/tests/cluster/internal/lifecycle"
	"wordpress-on-kubernetes/tests/cluster/internal/node"
	"wordpress-on-kubernetes/tests/cluster/internal/sandbox"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
	"wordpress-on-kubernetes/tests/cluster/internal/supervisor"
)

// nodeFiles is the number of files that a node is handed: the pipe that its description comes through.
const nodeFiles = 1

func runNode(ctx context.Context) error {
	files := sandbox.Inherited(nodeFiles)
	if sandbox.IsInit() {
		return becomeInit(files)
	}
	return node.Run(ctx, files[0])
}

func runSupervisor(ctx context.Context, repo string) error {
	files := sandbox.Inherited(lifecycle.HandedDown)
	if sandbox.IsInit() {
		if err := leaveCallersCgroup(repo); err != nil {
			return err
		}
		return becomeInit(files)
	}
	local := layout.InRepo(repo)
	root := sandbox.Root{Base: local.NodeRoot(), Scratch: local.State().Scratch(), Binds: []sandbox.Bind{
		{From: string(local.State()), To: string(layout.InsideState)},
		{From: local.Bin(), To: layout.InsideBin},
		{From: local.Images(), To: layout.InsideImages},
	}}
	if err := root.Enter(); err != nil {
		return err
	}
	cluster, err := spec.Load(layout.InsideState.Spec())
	if err != nil {
		return err
	}
	handed, err := listeners(files)
	if err != nil {
		return err
	}
	return supervisor.New(cluster).Run(ctx, handed)
}

// becomeInit runs this very command again as a child, and exits as it does.
func becomeInit(files []*os.File) error {
	code, err := sandbox.Init(files)
	if err != nil {
		return err
	}
	os.Exit(code)
	return nil
}

// leaveCallersCgroup moves the cluster out of the caller's control groups, whose limits and end are not the cluster's.
func leaveCallersCgroup(repo string) error {
	cluster, err := spec.Load(layout.InRepo(repo).State().Spec())
	if err != nil {
		return err
	}
	tree, err := cgroups.Detect(cgroups.Root)
	if err != nil {
		return err
	}
	return tree.Join(cluster.SupervisorCgroup())
}

// listeners turns the inherited files, in the order in which the host hands them down, into what they are.
func listeners(files []*os.File) (supervisor.Files, error) {
	handed := supervisor.Files{Alive: files[len(files)-1]}
	targets := []*net.Listener{&handed.Control, &handed.HTTPS, &handed.HTTP, &handed.API, &handed.Proxy}
	for i, target := range targets {
		listener, err := net.FileListener(files[i])
		if err != nil {
			return handed, fmt.Errorf("inherited listener %d: %w", i, err)
		}
		_ = files[i].Close()
		*target = listener
	}
	return handed, nil
}
