// Command judges has external judges compare the program's objects with the tutorial's manifests, prints the totals and
// fails where anything is found in the program's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"wordpress-on-kubernetes/tests/judges"
	"wordpress-on-kubernetes/tests/stack"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "judges:", err)
		os.Exit(1)
	}
}

func run() error {
	required := flag.Bool("require-vulnerabilities", false, "fail where the database of known vulnerabilities cannot be reached")
	database := flag.String("vulnerabilities", "", "database of known vulnerabilities; empty: the public one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	project, err := stack.Open("dev", "")
	if err != nil {
		return err
	}
	tools := judges.NewTools(project.Repo)
	if err := errors.Join(tools.Check(), tools.Collect(ctx, project.Repo)); err != nil {
		return err
	}
	contenders, program, err := judges.Contenders(ctx)
	if err != nil {
		return err
	}
	var verdicts []judges.Verdict
	for _, contender := range contenders {
		findings, err := tools.Judge(ctx, contender.Objects)
		if err != nil {
			return fmt.Errorf("%s: %w", contender.Name, err)
		}
		verdicts = append(verdicts, judges.NewVerdict(contender, findings, judges.Exemptions))
	}
	vulnerable, missing := tools.Vulnerabilities(ctx, program, *database)
	problems := append(judges.Problems(verdicts, judges.Exemptions), vulnerable...)
	if missing != nil && *required {
		problems = append(problems, "govulncheck could not check anything")
	}
	report(verdicts, problems, vulnerable, missing)
	if len(problems) > 0 {
		return fmt.Errorf("%d problems, listed above the table", len(problems))
	}
	return nil
}

// report prints the problems and, at the end, the totals. A check that could not be made is said to be missing.
func report(verdicts []judges.Verdict, problems, vulnerable []string, missing error) {
	for _, problem := range problems {
		fmt.Println(problem)
	}
	fmt.Println("\nFindings of external judges in the tutorial's manifests and in the program's stacks:")
	fmt.Print(judges.Table(verdicts))
	if missing != nil {
		fmt.Printf("govulncheck: NOT CHECKED, because it could not run or reach its database: %v\n", missing)
		return
	}
	fmt.Printf("govulncheck: %d known vulnerabilities in the compiled program\n", len(vulnerable))
}
