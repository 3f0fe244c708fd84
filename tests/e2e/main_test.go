package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/stack"
)

// proofNodes is how many nodes the proofs need: one for each replica of the frontend.
const proofNodes = 3

// results are this run's alone while it publishes.
var results evidence.Store

// TestMain starts the local cluster for the tests where none runs, and then also checks that taking it down leaves
// the machine as it was found, after a crash as well as in the ordinary way.
func TestMain(m *testing.M) {
	flag.Parse()
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	project, err := stack.Open("dev", "")
	if err != nil {
		return 1, err
	}
	if err := errors.Join(chooseTests(), allowBeside()); err != nil {
		return 1, err
	}
	everything := flag.Lookup("test.run").Value.String() == ""
	if *publish { // what was found before is not of this run
		results.Dir = evidenceDir(project)
		if err := results.Take(); err != nil {
			return 1, err
		}
		if err := results.Clear(); err != nil {
			return 1, err
		}
	}
	if _, err := project.Endpoints(); err == nil {
		fmt.Println("a local cluster runs already: it is used, and not taken down")
		return try(m, project, everything), removeSubjects(context.Background())
	}
	before, err := snapshot(project)
	if err != nil {
		return 1, err
	}
	if err := crashLeavesNothing(project, before); err != nil {
		return 1, fmt.Errorf("after a crash: %w", err)
	}
	if err := clusterCommand(project, "up", "-nodes", strconv.Itoa(proofNodes)); err != nil {
		return 1, err
	}
	code = try(m, project, everything)
	return code, errors.Join(clusterCommand(project, "down"), compareMachine(project, before))
}

// try runs the tests and writes down what they found where that is asked for, also when some failed.
func try(m *testing.M, project *stack.Project, everything bool) (code int) {
	code = m.Run()
	if !*publish {
		return code
	}
	if err := writeEvidence(context.Background(), project, everything); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: evidence:", err)
		return max(code, 1)
	}
	return code
}

// crashLeavesNothing kills the cluster without notice while all of it runs.
func crashLeavesNothing(project *stack.Project, before machineState) error {
	if err := clusterCommand(project, "up"); err != nil {
		return err
	}
	if err := killSupervisor(project); err != nil {
		return err
	}
	if err := clusterCommand(project, "down"); err != nil {
		return err
	}
	return compareMachine(project, before)
}

func clusterCommand(project *stack.Project, args ...string) error {
	command := exec.CommandContext(context.Background(), "go",
		append([]string{"-C", filepath.Join(project.Repo, "tests", "cluster"), "run", "./cmd/cluster"}, args...)...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("cluster %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
