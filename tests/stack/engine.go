package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// providerVersion is the release of the Kubernetes provider that the program's SDK belongs to.
const providerVersion = "4.25.0"

// languageHost is the executable by which the engine runs Go programs.
const languageHost = "pulumi-language-go"

// Engine is the Pulumi that runs a stack: an installed one, or one built from modules.
type Engine struct {
	// Command is the path of the pulumi executable.
	Command string
	// Installed tells an engine of the user's from one built here.
	Installed bool
}

// FindEngine prefers an installed engine.
func (p *Project) FindEngine() (Engine, error) {
	if path, installed := installedEngine(); installed {
		return Engine{Command: path, Installed: true}, nil
	}
	built := filepath.Join(p.Local(), "bin", "pulumi")
	if _, err := os.Stat(built); err != nil {
		return Engine{}, errors.New("pulumi is neither installed nor built: run `make engine`, or install it")
	}
	plugins := filepath.Join(p.home(), "plugins", "resource-kubernetes-v"+providerVersion)
	return Engine{Command: built}, errors.Join(p.link("pulumi-resource-kubernetes", plugins), p.installHost())
}

func installedEngine() (path string, installed bool) {
	path, err := exec.LookPath("pulumi")
	return path, err == nil
}

// installHost makes the Go language host that the derived project names. The engine sends the project's options, such as the
// compiled program, to hosts of its own age; the one that can be built alone is older and reads them from its arguments.
// Without the program's name it would link the program anew for every command, which takes seconds.
func (p *Project) installHost() error {
	script := fmt.Sprintf("#!/bin/sh\nexec %s -binary %s \"$@\"\n",
		quoted(filepath.Join(p.Local(), "bin", languageHost)), quoted(p.Binary()))
	if err := os.MkdirAll(p.hosts(), 0o755); err != nil {
		return err
	}
	path := filepath.Join(p.hosts(), languageHost)
	if text, err := os.ReadFile(path); err == nil && string(text) == script {
		return nil
	}
	// Another command may be running what is there, or writing the same.
	file, err := os.CreateTemp(p.hosts(), ".host-*")
	if err != nil {
		return err
	}
	_, err = file.WriteString(script)
	if err := errors.Join(err, file.Chmod(0o755), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), path)
}

// quoted is a text as one word of the shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// useHost has a built engine take that host. One on its path it would use too, but warn of it at every command.
func (p *Project) useHost(project *workspace.Project) {
	if _, installed := installedEngine(); !installed {
		project.Plugins = &workspace.Plugins{Languages: []workspace.PluginOptions{{Name: "go", Path: p.hosts()}}}
	}
}

// link shows a built plugin in the folder where the engine looks for it. The folder of all built tools is not
// on the engine's path, because it warns of every plugin that it finds there.
func (p *Project) link(name, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	err := os.Symlink(filepath.Join(p.Local(), "bin", name), filepath.Join(dir, name))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (p *Project) home() string     { return filepath.Join(p.Local(), "pulumi") }
func (p *Project) hosts() string    { return filepath.Join(p.home(), "hosts") }
func (p *Project) stateDir() string { return filepath.Join(p.Dir(), "state") }

// Env is the engine's environment beside that of this process: a state in the project's folder, the local
// passphrase unless the stack file's secrets are the user's, and the local cluster's kubeconfig unless a context of
// the user's is deployed to. The project must be prepared.
func (p *Project) Env(engine Engine) map[string]string {
	env := map[string]string{
		"PULUMI_SKIP_UPDATE_CHECK": "true",
		"PULUMI_BACKEND_URL":       "file://" + p.stateDir(),
	}
	if !p.ownSecrets {
		// The variable wins over the one with a file's name, also when it is empty, so it must not be left to chance. The
		// file was read when the project was prepared.
		env["PULUMI_CONFIG_PASSPHRASE"], _ = p.passphrase()
	}
	switch {
	case p.Placeholders:
		// A preview against nothing must not even ask the cluster that the user happens to work with.
		env["KUBECONFIG"] = filepath.Join(p.Dir(), "no-cluster")
	case p.Context == "":
		env["KUBECONFIG"] = p.Kubeconfig()
	}
	if !engine.Installed {
		env["PULUMI_HOME"] = p.home()
		env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
	}
	return env
}

// Run runs a command of the engine on the stack, attached to this process's terminal.
func (p *Project) Run(ctx context.Context, engine Engine, args ...string) error {
	command := p.Command(ctx, engine, args...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("pulumi %s: %w", args[0], err)
	}
	return nil
}

// Output is an output of the stack.
func (p *Project) Output(ctx context.Context, engine Engine, name string) (string, error) {
	command := p.Command(ctx, engine, "stack", "output", name)
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("pulumi stack output %s: %w", name, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Command is a command of the engine on the stack.
func (p *Project) Command(ctx context.Context, engine Engine, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, engine.Command, append(args, "--stack", p.Stack)...)
	command.Dir = p.Dir()
	command.Env = os.Environ()
	for key, value := range p.Env(engine) {
		command.Env = append(command.Env, key+"="+value)
	}
	// The engine finishes what it began when it is interrupted; killing it would leave the state behind reality.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	return command
}

// building is the compiler at work on the one binary of all stacks.
var building sync.Mutex

// Build compiles the program, with the settings of the tests, so that both share the compiled packages.
func (p *Project) Build(ctx context.Context) error {
	// Two that write the same file at a time would leave half of each.
	building.Lock()
	defer building.Unlock()
	command := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", p.Binary(), ".")
	command.Dir = p.Repo
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("build the program: %w", err)
	}
	return nil
}
