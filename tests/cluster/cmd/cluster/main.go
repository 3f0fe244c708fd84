// Command cluster runs the local Kubernetes cluster of this repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"wordpress-on-kubernetes/tests/cluster/internal/lifecycle"
	"wordpress-on-kubernetes/tests/cluster/internal/policy"
	"wordpress-on-kubernetes/tests/cluster/internal/supervisor"
)

const usage = `usage: cluster [-repo folder] <command>

  up [-nodes N]            build what is missing, start the cluster, wait until it is ready
  down                     end it and remove everything of it but what was built
  status                   show nodes, addons and addresses
  node kill N | start N    end a node without notice, start it again
  tools [-only a,b]        build tools: names, "cluster" or "engine"; all by default
  images [-record]         build images, and import them into a running cluster; write what they hold to tests/images/versions.yaml
  browser                  build the file system that the browser of the tests runs in

HTTP_PORT and HTTPS_PORT choose other ports than 80 and 443 for up.
`

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, unix.SIGTERM)
	err := run(ctx, os.Args[1:])
	cancel()
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := newFlags("cluster")
	repo := flags.String("repo", filepath.Join("..", ".."), "the repository's root folder")
	if err := flags.Parse(args); err != nil {
		return usageError(err)
	}
	args = flags.Args()
	if len(args) == 0 {
		return flag.ErrHelp
	}
	// These are how the program starts itself again inside its namespaces, where no repository is to be seen.
	switch args[0] {
	case supervisor.NodeCommand:
		return runNode(ctx)
	case lifecycle.SuperviseCommand:
		return runSupervisor(ctx, *repo)
	case policy.Command:
		return policy.Enforce(ctx, args[1:])
	}
	host, err := lifecycle.New(*repo, func(line string) { fmt.Println(line) })
	if err != nil {
		return err
	}
	return command(ctx, host, args[0], args[1:])
}

func command(ctx context.Context, host *lifecycle.Host, name string, args []string) error {
	switch name {
	case "up":
		return up(ctx, host, args)
	case "tools":
		return buildTools(ctx, host, args)
	case "node":
		return nodeCommand(ctx, host, args)
	case "down":
		return host.Down(ctx)
	case "status":
		return host.Status(ctx)
	case "images":
		return buildImages(ctx, host, args)
	case "browser":
		return host.Browser(ctx)
	}
	return fmt.Errorf("unknown command %q\n%s", name, usage)
}

func up(ctx context.Context, host *lifecycle.Host, args []string) error {
	flags := newFlags("up")
	nodes := flags.Int("nodes", 1, "number of nodes")
	if err := flags.Parse(args); err != nil {
		return usageError(err)
	}
	http, err := port("HTTP_PORT", 80)
	if err != nil {
		return err
	}
	https, err := port("HTTPS_PORT", 443)
	if err != nil {
		return err
	}
	return host.Up(ctx, lifecycle.UpOptions{Nodes: *nodes, HTTP: http, HTTPS: https})
}

func port(variable string, fallback int) (int, error) {
	value := os.Getenv(variable)
	if value == "" {
		return fallback, nil
	}
	number, err := strconv.ParseUint(value, 10, 16)
	if err != nil || number == 0 {
		return 0, fmt.Errorf("%s=%q is not a port: use a number from 1 to 65535", variable, value)
	}
	return int(number), nil
}

func buildTools(ctx context.Context, host *lifecycle.Host, args []string) error {
	flags := newFlags("tools")
	only := flags.String("only", "", "names, separated by commas")
	if err := flags.Parse(args); err != nil {
		return usageError(err)
	}
	var names []string
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	return host.Tools(ctx, names)
}

func buildImages(ctx context.Context, host *lifecycle.Host, args []string) error {
	flags := newFlags("images")
	record := flags.Bool("record", false, "write what the images hold to tests/images/versions.yaml")
	if err := flags.Parse(args); err != nil {
		return usageError(err)
	}
	return host.Images(ctx, *record)
}

func nodeCommand(ctx context.Context, host *lifecycle.Host, args []string) error {
	if len(args) != 2 {
		return flag.ErrHelp
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("node %q: use its number", args[1])
	}
	switch args[0] {
	case "kill":
		return host.KillNode(ctx, n)
	case "start":
		return host.StartNode(ctx, n)
	}
	return flag.ErrHelp
}

func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

func usageError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%w\n%s", err, usage)
}
