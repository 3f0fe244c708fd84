package main

import (
	"context"
	"errors"
	"os"

	"wordpress-on-kubernetes/tests/incoming"
)

// bringIn makes a run of the backup of another host's site.
func bringIn(ctx context.Context, r request) error {
	if r.dump == "" || r.content == "" {
		return errors.New("say what is to be brought in, as in: make import DUMP=site.sql.gz CONTENT=wp-content.tar.gz")
	}
	client, namespace, err := r.site(ctx)
	if err != nil {
		return err
	}
	return incoming.Import(ctx, client, namespace, r.dump, r.content, os.Stdout)
}
