// Package stack makes a stack of the program usable from a fresh clone: it derives a local project from the
// committed files, with generated secrets where a development stack has none, and knows the engine to run it with.
// The committed files are never written.
package stack

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	stackconfig "wordpress-on-kubernetes/config"
)

// LocalContext is the kubeconfig context of the local cluster.
const LocalContext = "wordpress-local"

// Project is a local project of one stack.
type Project struct {
	// Repo is the folder of the checkout.
	Repo string
	// Stack is the stack's name; Pulumi.<Stack>.yaml must exist in Repo.
	Stack string
	// Context of the user's kubeconfig to deploy to. Empty: the local cluster.
	Context string
	// Placeholders stand in for missing secrets, for previews and renderings. They go to a project and a state of
	// their own, so that none can ever be deployed.
	Placeholders bool
	// Variant is another deployment of the same stack file, with a project and a state of its own. Empty: the
	// stack itself.
	Variant string
	// Overrides are values by configuration path, such as wordpress:frontend.image, over those of the stack file. An empty
	// value removes what is there.
	Overrides map[string]string

	// ownSecrets says, once it is prepared, that the committed file holds secrets of the user's.
	ownSecrets bool
}

// Open finds the checkout around the working folder and checks that the stack exists.
func Open(stack, context string) (*Project, error) {
	repo, err := findRepo()
	if err != nil {
		return nil, err
	}
	project := &Project{Repo: repo, Stack: stack, Context: context}
	if _, err := os.Stat(project.committed()); err != nil {
		return nil, fmt.Errorf("stack %q: %w: copy Pulumi.prod.yaml to Pulumi.%s.yaml to add it", stack, err, stack)
	}
	return project, nil
}

func findRepo() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no Pulumi.yaml in this folder or above: run this inside the checkout")
		}
		dir = filepath.Dir(dir)
	}
}

// Local is the folder of everything that is built or kept locally.
func (p *Project) Local() string { return filepath.Join(p.Repo, ".local") }

// Dir is the folder of the derived project, one for each cluster that is deployed to: state and secrets belong to
// what was deployed there. Those of the local cluster go with it, however it ends.
func (p *Project) Dir() string {
	switch {
	case p.Placeholders:
		return filepath.Join(p.Local(), "preview", p.Stack)
	case p.Context != "":
		return filepath.Join(p.Local(), "projects", url.PathEscape(p.Context)+p.Variant)
	}
	return filepath.Join(p.Local(), "cluster", "project"+p.Variant)
}

// EdgeCA is the certificate of the authority behind the local cluster's HTTPS.
func (p *Project) EdgeCA() string { return filepath.Join(p.Local(), "ca.crt") }

// Kubeconfig of the local cluster.
func (p *Project) Kubeconfig() string { return filepath.Join(p.Local(), "kubeconfig") }

// Binary is the path of the compiled program.
func (p *Project) Binary() string { return filepath.Join(p.Local(), "bin", "wordpress-program") }

func (p *Project) committed() string { return filepath.Join(p.Repo, p.file()) }
func (p *Project) derived() string   { return filepath.Join(p.Dir(), p.file()) }
func (p *Project) file() string      { return "Pulumi." + p.Stack + ".yaml" }

// Check reports what would keep the stack from being deployed, and deploys nothing.
func (p *Project) Check() error {
	project, err := workspace.LoadProject(filepath.Join(p.Repo, "Pulumi.yaml"))
	if err != nil {
		return fmt.Errorf("project file: %w", err)
	}
	_, err = p.derive(project)
	return errors.Join(err, p.checkContext())
}

// Prepare writes the derived project. It can be run again at any time: secrets that were generated once stay.
func (p *Project) Prepare() error {
	if err := os.MkdirAll(p.stateDir(), 0o700); err != nil {
		return err
	}
	project, err := workspace.LoadProject(filepath.Join(p.Repo, "Pulumi.yaml"))
	if err != nil {
		return fmt.Errorf("project file: %w", err)
	}
	settings, err := p.derive(project)
	if err != nil {
		return err
	}
	// With a binary the language host compiles nothing, which costs seconds on every command; whoever runs this
	// builds the program first.
	project.Runtime.SetOption("binary", p.Binary())
	project.Main = p.Repo
	p.useHost(project)
	if err := project.Save(filepath.Join(p.Dir(), "Pulumi.yaml")); err != nil {
		return err
	}
	return settings.Save(p.derived())
}

// Deployed reports whether the stack was deployed from this checkout.
func (p *Project) Deployed() bool {
	_, err := os.Stat(filepath.Join(p.stateDir(), ".pulumi", "stacks", stackconfig.Project, p.Stack+".json"))
	return err == nil
}
