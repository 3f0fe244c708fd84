// Command stack runs a stack of the program from a fresh clone, for the Makefile.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/tests/mocks"
	"wordpress-on-kubernetes/tests/stack"
)

// commands by name.
var commands = map[string]func(context.Context, request) error{
	"check":    check,
	"validate": validate,
	"up":       up,
	"preview":  preview,
	"render":   render,
	"destroy":  destroy,
	"backups":  backups,
	"restore":  restore,
	"import":   bringIn,
}

// engineCommand takes arguments, which commands do not.
const engineCommand = "pulumi"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	const usage = "usage: stack check|up|preview|render|destroy|backups|restore|import|pulumi [-stack name] [-context name] [-confirm name] [-snapshot run] [-at second] [-save yes|no] [-dump file] [-content path] [command of pulumi]"
	if len(args) == 0 || commands[args[0]] == nil && args[0] != engineCommand {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	name := flags.String("stack", "dev", "name of the stack")
	kubeContext := flags.String("context", "", "context of your kubeconfig to deploy to; empty: the local cluster")
	confirm := flags.String("confirm", "", "name of the production stack that you agree to change; empty: you are asked")
	snapshot := flags.String("snapshot", "latest", "run of the backup to restore")
	at := flags.String("at", "", "second in UTC to restore the database of, such as 2026-11-29 14:03:07; empty: that of the run")
	save := flags.String("save", "yes", "whether what is there is saved before a restore: yes or no")
	dump := flags.String("dump", "", "dump of the database of the site to import")
	content := flags.String("content", "", "folder or archive of its wp-content")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if given := flags.NArg() > 0; given != (args[0] == engineCommand) {
		return fmt.Errorf("the arguments are %q: %s", flags.Args(), usage)
	}
	project, err := stack.Open(*name, *kubeContext)
	if err != nil {
		return err
	}
	if args[0] == engineCommand {
		return askEngine(ctx, project, flags.Args())
	}
	return commands[args[0]](ctx, request{Project: project, confirm: *confirm, answers: terminal(), snapshot: *snapshot, at: *at, save: *save, dump: *dump, content: *content})
}

// askEngine runs a command of the engine on the stack that was deployed from here, whose settings, secrets and state are not where
// the user's own pulumi looks.
func askEngine(ctx context.Context, project *stack.Project, args []string) error {
	if !project.Deployed() {
		return fmt.Errorf("stack %q is not deployed from here: run `make up` first", project.Stack)
	}
	if setsPlainly(args) {
		return fmt.Errorf("the settings of stack %q come from Pulumi.%s.yaml each time: edit that file, and run `make up` again. Secrets, which are "+
			"not in it, are set by `config set --secret`", project.Stack, project.Stack)
	}
	engine, err := prepare(ctx, project)
	if err != nil {
		return err
	}
	return project.Run(ctx, engine, args...)
}

// setsPlainly tells of a command that changes a setting where the next one overwrites it.
func setsPlainly(args []string) bool {
	at := slices.Index(args, "config")
	if at < 0 || len(args) < at+2 {
		return false
	}
	changes := slices.Contains([]string{"set", "set-all", "rm", "rm-all", "cp"}, args[at+1])
	return changes && !slices.Contains(args, "--secret")
}

// check says what would keep the stack from being deployed before anything is built for it.
func check(_ context.Context, r request) error {
	_, err := r.mayChange()
	return errors.Join(r.Check(), err)
}

// validate says what is wrong with the stack's configuration, before a cluster is built for it.
func validate(ctx context.Context, r request) error {
	_, err := planned(ctx, *r.Project)
	return err
}

// up deploys the stack and prints where it is. What it would change in production is shown first.
func up(ctx context.Context, r request) error {
	project := r.Project
	isShown, err := r.mayChange()
	if err != nil {
		return err
	}
	engine, err := prepare(ctx, project)
	if err != nil {
		return err
	}
	if err := project.Run(ctx, engine, "stack", "select", "--create"); err != nil {
		return err
	}
	if err := tellReplaced(project); err != nil {
		return err
	}
	if isShown {
		if err := project.Run(ctx, engine, "preview"); err != nil {
			return err
		}
		if err := r.agree("change this"); err != nil {
			return err
		}
	}
	if err := project.Run(ctx, engine, "up", "--yes", "--skip-preview"); err != nil {
		return err
	}
	url, err := project.Output(ctx, engine, "url")
	if err != nil || project.Context != "" {
		fmt.Printf("\n%s\n", url)
		return errors.Join(err, tellAdministrator(project))
	}
	return errors.Join(visit(ctx, project, url), tellAdministrator(project))
}

// tellAdministrator says who the site was installed with and where the password is, and never the password.
func tellAdministrator(project *stack.Project) error {
	user, isOwn, err := project.Administrator()
	if err != nil || user == "" {
		return err
	}
	fmt.Printf("A new site is installed with the administrator %q.", user)
	if isOwn {
		target := ""
		if project.Context != "" {
			target = fmt.Sprintf(" CONTEXT='%s'", project.Context)
		}
		fmt.Printf(" The password: make pulumi STACK=%s%s ARGS='config get wordpress:adminPassword'", project.Stack, target)
	}
	fmt.Println()
	return nil
}

// visit shows that the site answers, and how to reach it.
func visit(ctx context.Context, project *stack.Project, url string) error {
	end, status, err := project.Visit(ctx, url)
	if err != nil {
		return fmt.Errorf("the site does not answer: %w", err)
	}
	fmt.Printf("\n%s\n\n%s answers %d. Names below localhost lead to this machine in browsers and in curl:\n"+
		"  curl --cacert %s %s\n", url, end, status, project.EdgeCA(), end)
	if status != http.StatusOK {
		return fmt.Errorf("%s answers %d, want %d", end, status, http.StatusOK)
	}
	fmt.Printf("For kubectl, which is %s where there is none: export KUBECONFIG=%s, and name the namespace that is told above by -n. `make down` "+
		"takes all of it down.\n", filepath.Join(project.Local(), "bin", "kubectl"), project.Kubeconfig())
	return nil
}

// preview shows what up would do: against the stack's state where there is one, and otherwise against nothing,
// which needs no cluster and no secrets.
func preview(ctx context.Context, r request) error {
	project := r.Project
	project.Placeholders = !project.Deployed()
	engine, err := prepare(ctx, project)
	if err != nil {
		return err
	}
	if err := project.Run(ctx, engine, "stack", "select", "--create"); err != nil {
		return err
	}
	if err := tellReplaced(project); err != nil {
		return err
	}
	return project.Run(ctx, engine, "preview")
}

// tellReplaced says which of the stack's settings do not count on the local cluster.
func tellReplaced(project *stack.Project) error {
	replaced, err := project.Replaced()
	if err != nil || len(replaced) == 0 {
		return err
	}
	fmt.Println("The local cluster has settings of its own, whatever the stack's are:")
	for _, path := range slices.Sorted(maps.Keys(replaced)) {
		fmt.Printf("  %s: %s\n", path, replaced[path])
	}
	fmt.Println()
	return nil
}

// render prints the stack's objects with every secret hidden.
func render(ctx context.Context, r request) error {
	result, err := planned(ctx, *r.Project)
	if err != nil {
		return err
	}
	for _, warning := range result.Warnings {
		fmt.Fprintln(os.Stderr, "warning:", warning)
	}
	text, err := mocks.YAML(plan.Objects(result.Registrations, plan.HideSecrets))
	if err != nil {
		return err
	}
	_, err = fmt.Print(text)
	return err
}

// planned is what the program makes of the stack's configuration, with placeholders for its secrets.
func planned(ctx context.Context, project stack.Project) (*mocks.Result, error) {
	project.Placeholders = true
	if err := errors.Join(project.Build(ctx), project.Prepare()); err != nil {
		return nil, err
	}
	return project.Plan(ctx)
}

// destroy takes down what is not protected. What that is in production is shown first.
func destroy(ctx context.Context, r request) error {
	project := r.Project
	if !project.Deployed() && project.Context != "" {
		return fmt.Errorf("stack %q is not deployed to context %q from here: nothing is destroyed; what is has a folder in %s",
			project.Stack, project.Context, filepath.Join(project.Local(), "projects"))
	}
	if !project.Deployed() {
		fmt.Printf("Stack %q is not deployed from here: nothing to destroy.\n", project.Stack)
		return nil
	}
	isShown, err := r.mayChange()
	if err != nil {
		return err
	}
	engine, err := prepare(ctx, project)
	if err != nil {
		return err
	}
	if isShown {
		if err := project.Run(ctx, engine, "destroy", "--preview-only", "--exclude-protected"); err != nil {
			return err
		}
		if err := r.agree("delete this"); err != nil {
			return err
		}
	}
	return project.Run(ctx, engine, "destroy", "--yes", "--skip-preview", "--exclude-protected")
}

func prepare(ctx context.Context, project *stack.Project) (stack.Engine, error) {
	engine, err := project.FindEngine()
	if err != nil {
		return engine, err
	}
	return engine, errors.Join(project.Build(ctx), project.Prepare())
}
