package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/components/cluster"
	"wordpress-on-kubernetes/tests/jobs"
)

// backups lists what is in the repository.
func backups(ctx context.Context, r request) error {
	client, namespace, err := r.site(ctx)
	if err != nil {
		return err
	}
	var printed strings.Builder
	if err := jobs.Run(ctx, client, namespace, backup.CareName, map[string]string{"TASK": "list"}, &printed); err != nil {
		return fmt.Errorf("%w\n%s", err, &printed)
	}
	list, err := readListing(printed.String())
	if err != nil {
		return err
	}
	return list.show(os.Stdout, time.Now())
}

// restore puts the site back as a run of the backup has it, or with the database of a second. Whoever does that to a production site is asked.
func restore(ctx context.Context, r request) error {
	isShown, err := r.mayChange()
	if err != nil {
		return err
	}
	client, namespace, err := r.site(ctx)
	if err != nil {
		return err
	}
	if isShown {
		if err := r.agree("replace the database and the files of the site by those of the backup"); err != nil {
			return err
		}
	}
	values := map[string]string{"SNAPSHOT": r.snapshot, "SAVE": r.save}
	if r.at != "" {
		values["AT"] = r.at
	}
	err = jobs.Run(ctx, client, namespace, backup.RestoreName, values, os.Stdout)
	if r.at != "" && errors.Is(err, jobs.ErrNoVariable) {
		return fmt.Errorf("AT is %s, and the stack keeps no binary log: set wordpress:backup.binlog.enabled for what comes after that, and deploy it: %w", r.at, err)
	}
	return err
}

// site is the cluster and the namespace that the stack was deployed to.
func (r request) site(ctx context.Context) (client *cluster.Client, namespace string, err error) {
	if !r.Deployed() {
		return nil, "", fmt.Errorf("stack %q is not deployed from here: run `make up` first", r.Stack)
	}
	engine, err := prepare(ctx, r.Project)
	if err != nil {
		return nil, "", err
	}
	if namespace, err = r.Output(ctx, engine, "namespace"); err != nil {
		return nil, "", err
	}
	client, err = r.Cluster()
	return client, namespace, err
}
