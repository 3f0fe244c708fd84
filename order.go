package main

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"wordpress-on-kubernetes/components/cluster"
	"wordpress-on-kubernetes/components/database"
	"wordpress-on-kubernetes/components/frontend"
)

const (
	// previewPatience is how long a preview waits for the cluster, which it does not need.
	previewPatience = 5 * time.Second
	// contactPatience is how long an update asks a cluster that does not answer well.
	contactPatience = time.Minute
	// rolloutPatience is the provider's own for a workload.
	rolloutPatience = 10 * time.Minute
	// look is how often the cluster is asked meanwhile.
	look = time.Second
)

// databaseIsLast tells that MySQL is changed after WordPress. A change starts it anew, and WordPress waits for it meanwhile: that must be
// the WordPress that the stack wants, of which an earlier one may not have known how. A site that does not serve, or whose pods hang in an
// update, may need its database first.
func (u *upkeep) databaseIsLast() bool { return u != nil && u.siteServes }

// serves tells whether there is a site that a restart of MySQL would disturb.
func (u *upkeep) serves(ctx context.Context) (serves bool, err error) {
	client, err := u.connect()
	if err != nil {
		return false, err
	}
	// One bad answer of the API server is no reason to end an update that has not begun.
	ended := wait.PollUntilContextCancel(ctx, look, true, func(ctx context.Context) (bool, error) {
		serves, err = u.bothServe(ctx, client)
		return err == nil || apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err), nil
	})
	if ended != nil && err == nil {
		err = ended
	}
	if err != nil {
		return false, fmt.Errorf("see whether the site serves: %w", err)
	}
	return serves, nil
}

func (u *upkeep) bothServe(ctx context.Context, client *cluster.Client) (bool, error) {
	mysql, err := client.AppsV1().StatefulSets(u.namespace).Get(ctx, database.Service, metav1.GetOptions{})
	if err != nil {
		return false, unlessMissing(err)
	}
	wordpress, err := client.AppsV1().Deployments(u.namespace).Get(ctx, frontend.Name, metav1.GetOptions{})
	if err != nil {
		return false, unlessMissing(err)
	}
	return mysql.Status.ReadyReplicas > 0 && isRolledOut(wordpress), nil
}

func unlessMissing(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// isRolledOut tells that there are pods that serve and all are of the wanted revision.
func isRolledOut(wordpress *appsv1.Deployment) bool {
	status := wordpress.Status
	return status.ObservedGeneration >= wordpress.Generation && status.UpdatedReplicas == status.Replicas && status.AvailableReplicas > 0
}

// awaitWordPress comes before MySQL changes last: the provider may return before the last pod of an earlier revision has gone.
func (u *upkeep) awaitWordPress(ctx context.Context) error {
	client, err := u.connect()
	if err != nil {
		return err
	}
	return u.await(ctx, "WordPress's pods", func(ctx context.Context) (bool, error) {
		wordpress, err := client.AppsV1().Deployments(u.namespace).Get(ctx, frontend.Name, metav1.GetOptions{})
		return err == nil && isRolledOut(wordpress), nil
	})
}

// awaitMySQL comes before something is asked of the server: the provider may return before a restart has begun.
func (u *upkeep) awaitMySQL(ctx context.Context, client *cluster.Client) error {
	return u.await(ctx, "MySQL", func(ctx context.Context) (bool, error) {
		mysql, err := client.AppsV1().StatefulSets(u.namespace).Get(ctx, database.Service, metav1.GetOptions{})
		return err == nil && isRestarted(mysql), nil
	})
}

// isRestarted tells that the pod is of the wanted revision and serves.
func isRestarted(mysql *appsv1.StatefulSet) bool {
	status := mysql.Status
	return status.ObservedGeneration >= mysql.Generation && status.CurrentRevision == status.UpdateRevision && status.ReadyReplicas > 0
}

func (u *upkeep) await(ctx context.Context, what string, condition wait.ConditionWithContextFunc) error {
	if err := wait.PollUntilContextTimeout(ctx, look, rolloutPatience, true, condition); err != nil {
		return fmt.Errorf("%s did not become as wanted within %s: see `kubectl -n %s get pods`, and run `pulumi up` again: %w",
			what, rolloutPatience, u.namespace, err)
	}
	return nil
}
