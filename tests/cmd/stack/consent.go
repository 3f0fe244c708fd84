package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"wordpress-on-kubernetes/tests/stack"
)

// request is a stack that a command is for, and how somebody agrees to what it does.
type request struct {
	*stack.Project
	// confirm is the stack that somebody has agreed to beforehand, by CONFIRM.
	confirm string
	// answers is where an answer is read from; nil where nobody can be asked.
	answers io.Reader
	// snapshot is the run of the backup that a restore is from, at the second whose database it has, or empty, and save whether what is there is
	// saved before: yes or no.
	snapshot, at, save string
	// dump and content are the files of another host's site.
	dump, content string
}

// terminal is the standard input where a person sits at it. A pipe is none: what comes out of it was written before the preview.
func terminal() io.Reader {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	return os.Stdin
}

// mayChange refuses to change a production stack where nobody has agreed to it and nobody can be asked. It reports whether what is to be
// done must be shown first.
func (r request) mayChange() (isShown bool, err error) {
	isShown, err = r.NeedsConsent()
	switch {
	case err != nil || !isShown:
		return false, err
	case r.confirm == r.Stack, r.confirm == "" && r.answers != nil:
		return true, nil
	case r.confirm != "":
		return false, fmt.Errorf("CONFIRM is %q and the stack is %q: name the stack that you mean", r.confirm, r.Stack)
	}
	return false, fmt.Errorf("stack %[1]q is a production one, and there is no terminal to ask at: look at what would be done with "+
		"`make preview STACK=%[1]s CONTEXT=%[2]s`, and agree to it with CONFIRM=%[1]s", r.Stack, r.Context)
}

// agree asks whether to go on, unless somebody has agreed beforehand. The answer is the stack's name: a yes is given too fast.
func (r request) agree(what string) error {
	if r.confirm == r.Stack {
		return nil
	}
	fmt.Printf("\nThis is production. To %s at %s, type the stack's name: ", what, r.Context)
	answer, err := bufio.NewReader(r.answers).ReadString('\n')
	if strings.TrimSpace(answer) == r.Stack {
		return nil
	}
	if err != nil {
		return fmt.Errorf("nothing was done: no answer: %w", err)
	}
	return fmt.Errorf("nothing was done: the answer was not %q", r.Stack)
}
