// Command evidence tells of the rows of docs/evidence.md: which tests would try them anew, and how old they are.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

const usage = "usage: evidence select PROMISES | evidence freshness REPOSITORY"

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "evidence:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New(usage)
	}
	switch command, argument := args[0], args[1]; command {
	case "select":
		chosen, err := evidence.Select(argument)
		if err != nil {
			return err
		}
		fmt.Println("to be tried: " + evidence.Pattern(chosen))
		return nil
	case "freshness":
		results, err := evidence.ReadPublished(filepath.Join(argument, "docs", "evidence.json"))
		if err != nil {
			return err
		}
		table, err := evidence.Freshness(ctx, argument, results)
		fmt.Print(table)
		return err
	}
	return errors.New(usage)
}
