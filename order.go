package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
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
	// look is how often the cluster is asked meanwhile, and silence after what time is told what is waited for.
	look, silence = time.Second, 5 * time.Second
)

// databaseIsLast tells that MySQL is changed after WordPress. A change starts it anew, and WordPress waits for it meanwhile: that must be
// the WordPress that the stack wants, of which an earlier one may not have known how. A site that does not serve, or whose pods hang in an
// update, may need its database first.
func (u *upkeep) databaseIsLast() bool { return u != nil && u.site.serves }

// unlessNew leaves out what a site that is made for the first time need not wait for: nobody visits it yet, WordPress's pods wait for their
// database themselves, and the cache's for WordPress. So all pods start at the same time, as by `kubectl apply`.
func (u *upkeep) unlessNew(ready []pulumi.Resource) []pulumi.Resource {
	if u != nil && u.site.isNew {
		return nil
	}
	return ready
}

// siteState is what is there of MySQL and WordPress when an update begins.
type siteState struct {
	// serves: both do, and a restart of MySQL would disturb visitors.
	serves bool
	// isNew: neither is there.
	isNew bool
}

// there is the site that the cluster has.
func (u *upkeep) there(ctx context.Context) (found siteState, err error) {
	client, err := u.connect()
	if err != nil {
		return siteState{}, err
	}
	// One bad answer of the API server is no reason to end an update that has not begun.
	ended := wait.PollUntilContextCancel(ctx, look, true, func(ctx context.Context) (bool, error) {
		found, err = u.lookAt(ctx, client)
		return err == nil || apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err), nil
	})
	if ended != nil && err == nil {
		err = ended
	}
	if err != nil {
		return siteState{}, fmt.Errorf("see whether the site serves: %w", err)
	}
	return found, nil
}

func (u *upkeep) lookAt(ctx context.Context, client *cluster.Client) (siteState, error) {
	mysql, noMySQL := client.AppsV1().StatefulSets(u.namespace).Get(ctx, database.Service, metav1.GetOptions{})
	wordpress, noWordPress := client.AppsV1().Deployments(u.namespace).Get(ctx, frontend.Name, metav1.GetOptions{})
	if noMySQL != nil || noWordPress != nil {
		isNew := apierrors.IsNotFound(noMySQL) && apierrors.IsNotFound(noWordPress)
		return siteState{isNew: isNew}, errors.Join(unlessMissing(noMySQL), unlessMissing(noWordPress))
	}
	return siteState{serves: mysql.Status.ReadyReplicas > 0 && isRolledOut(wordpress)}, nil
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

// awaitWordPress comes before MySQL changes last. Pods of an earlier revision serve on for a while when they are told to go, and may not
// know how to wait for it.
func (u *upkeep) awaitWordPress(ctx context.Context) error {
	client, err := u.connect()
	if err != nil {
		return err
	}
	return u.await(ctx, "WordPress's pods", func(ctx context.Context) (string, error) {
		wordpress, err := client.AppsV1().Deployments(u.namespace).Get(ctx, frontend.Name, metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		if status := wordpress.Status; !isRolledOut(wordpress) {
			return fmt.Sprintf("%d of %d are of the wanted revision, %d serve", status.UpdatedReplicas, status.Replicas, status.AvailableReplicas), nil
		}
		pods, err := client.CoreV1().Pods(u.namespace).List(ctx, metav1.ListOptions{LabelSelector: selectorText(frontend.Selector())})
		if err != nil {
			return "", err
		}
		for _, pod := range pods.Items {
			// The time is when its grace period ends: one that is still there then is on a node that does not answer.
			if ends := pod.DeletionTimestamp; ends != nil && time.Now().Before(ends.Time) {
				return "pod " + pod.Name + " is on its way out", nil
			}
		}
		return "", nil
	})
}

// awaitMySQL comes before something is asked of the server: the provider may return before a restart has begun. A server that is away
// without an update, as when its node is dead, is not waited for.
func (u *upkeep) awaitMySQL(ctx context.Context, client *cluster.Client) error {
	return u.await(ctx, "MySQL", func(ctx context.Context) (string, error) {
		mysql, err := client.AppsV1().StatefulSets(u.namespace).Get(ctx, database.Service, metav1.GetOptions{})
		if err != nil || isRestarted(mysql) {
			return "", unlessMissing(err) // an update of some resources alone may not have come to it
		}
		return fmt.Sprintf("%d pods are of the wanted revision, %d serve", mysql.Status.UpdatedReplicas, mysql.Status.ReadyReplicas), nil
	})
}

// isRestarted tells that no change is under way.
func isRestarted(mysql *appsv1.StatefulSet) bool {
	status := mysql.Status
	return status.ObservedGeneration >= mysql.Generation && status.CurrentRevision == status.UpdateRevision
}

// await asks until nothing is missing any more, and tells what is where that takes long. What asking again does not change, ends it.
func (u *upkeep) await(ctx context.Context, what string, ask func(context.Context) (missing string, err error)) error {
	began := time.Now()
	told, missing, last := false, "", error(nil)
	err := wait.PollUntilContextTimeout(ctx, look, rolloutPatience, true, func(ctx context.Context) (bool, error) {
		missing, last = ask(ctx)
		if apierrors.IsForbidden(last) || apierrors.IsUnauthorized(last) || apierrors.IsNotFound(last) {
			return false, last
		}
		if done := missing == "" && last == nil; done || told || time.Since(began) < silence {
			return done, nil
		}
		told = true
		u.tell(fmt.Sprintf("waiting for %s: %s", what, cmp.Or(missing, fmt.Sprint(last))))
		return false, nil
	})
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %s: see `kubectl -n %s get pods`, and run `pulumi up` again: %w",
		what, cmp.Or(missing, "the cluster did not tell"), u.namespace, errors.Join(err, last))
}
