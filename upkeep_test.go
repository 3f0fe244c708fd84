package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/components/cache"
	"wordpress-on-kubernetes/components/cluster"
	"wordpress-on-kubernetes/components/database"
	"wordpress-on-kubernetes/components/frontend"
	"wordpress-on-kubernetes/components/passwords"
	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/config"
)

// mysqlWith and wordpressWith have so many pods that serve.
func mysqlWith(ready int32) runtime.Object {
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "here", Name: database.Service}, Status: appsv1.StatefulSetStatus{ReadyReplicas: ready},
	}
}

func wordpressWith(available int32) runtime.Object {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "here", Name: frontend.Name}, Status: appsv1.DeploymentStatus{AvailableReplicas: available, Replicas: available, UpdatedReplicas: available},
	}
}

// hanging is WordPress in an update that does not get on.
func hanging() runtime.Object {
	found := wordpressWith(3).(*appsv1.Deployment)
	found.Status.UpdatedReplicas = 1
	return found
}

// A new site waits for nothing, one that serves has MySQL changed last, and any other one first.
func TestServersChangeInTheOrderThatTheSiteNeeds(t *testing.T) {
	for name, c := range map[string]struct {
		there       []runtime.Object
		last, isNew bool
	}{
		"nothing is there":          {isNew: true},
		"WordPress never came":      {there: []runtime.Object{mysqlWith(1)}},
		"MySQL is not ready":        {there: []runtime.Object{mysqlWith(0), wordpressWith(3)}},
		"WordPress does not serve":  {there: []runtime.Object{mysqlWith(1), wordpressWith(0)}},
		"WordPress hangs":           {there: []runtime.Object{mysqlWith(1), hanging()}},
		"both serve":                {there: []runtime.Object{mysqlWith(1), wordpressWith(1)}, last: true},
		"MySQL was deleted by hand": {there: []runtime.Object{wordpressWith(3)}},
	} {
		t.Run(name, func(t *testing.T) {
			client := &cluster.Client{Interface: fake.NewClientset(c.there...)}
			keep := &upkeep{preview: true, namespace: "here", connect: func() (*cluster.Client, error) { return client, nil }}
			var err error
			if keep.site, err = keep.there(t.Context()); err != nil {
				t.Fatal(err)
			}
			registrations := registeredWith(t, keep)
			mysql, wordpress := registered(t, registrations, "StatefulSet", database.Service), registered(t, registrations, "Deployment", frontend.Name)
			pages := registered(t, registrations, "Deployment", cache.Name)
			if got := slices.Contains(mysql.DependsOn, wordpress.URN); got != c.last {
				t.Errorf("MySQL waits for WordPress: %t", got)
			}
			if got, want := slices.Contains(wordpress.DependsOn, mysql.URN), !c.last && !c.isNew; got != want {
				t.Errorf("WordPress waits for MySQL: %t", got)
			}
			if got := slices.Contains(pages.DependsOn, wordpress.URN); got == c.isNew {
				t.Errorf("the cache waits for WordPress: %t", got)
			}
		})
	}
}

// registeredWith composes the development stack.
func registeredWith(t *testing.T, keep *upkeep) []plan.Registration {
	t.Helper()
	values := load(t, "dev", nil)
	stack, err := config.Load(values.values, values.secretKeys)
	if err != nil {
		t.Fatal(err)
	}
	registrations, err := plan.Record("wordpress-on-kubernetes", "dev", func(ctx *pulumi.Context) error { return compose(ctx, stack, nil, keep) })
	if err != nil {
		t.Fatal(err)
	}
	return registrations
}

func registered(t *testing.T, all []plan.Registration, kind, name string) plan.Registration {
	t.Helper()
	for _, one := range all {
		if one.Type == "kubernetes:apps/v1:"+kind && one.Inputs["metadata"].ObjectValue()["name"].StringValue() == name {
			return one
		}
	}
	t.Fatalf("no %s %s is registered", kind, name)
	return plan.Registration{}
}

func TestChangedAdminPasswordSaysWhatItDoes(t *testing.T) {
	secret := func(password string) resource.PropertyMap {
		return resource.PropertyMap{"data": resource.MakeSecret(resource.NewProperty(resource.PropertyMap{
			frontend.AdminPasswordKey: resource.NewProperty(password),
		}))}
	}
	for now, told := range map[string]bool{"one of before": false, "another": true} {
		var messages []string
		args := &pulumi.ResourceHookArgs{OldInputs: secret("one of before"), NewInputs: secret(now)}
		if err := tellOfAdminPassword(args, func(message string) { messages = append(messages, message) }); err != nil {
			t.Fatal(err)
		}
		if len(messages) > 0 != told || slices.ContainsFunc(messages, func(message string) bool { return strings.Contains(message, now) }) {
			t.Errorf("changed to %q: told %q", now, messages)
		}
	}
}

// going is a pod of WordPress that has been told to go and has so long yet.
func going(left time.Duration) runtime.Object {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: "here", Name: "wordpress-old", Labels: map[string]string{
			"app.kubernetes.io/name": "wordpress", "app.kubernetes.io/component": "frontend",
		},
		DeletionTimestamp: &metav1.Time{Time: time.Now().Add(left)}, Finalizers: []string{"a/b"}, // without one the tracker takes none
	}}
}

// changing is MySQL while its pod is replaced.
func changing() runtime.Object {
	found := mysqlWith(1).(*appsv1.StatefulSet)
	found.Status.UpdateRevision = "new"
	return found
}

// What is waited for is told, and named in the error; what cannot come is not waited for.
func TestUpdateWaitsForWhatItChanged(t *testing.T) {
	type question = func(*upkeep, context.Context, *cluster.Client) error
	wordpress := func(u *upkeep, ctx context.Context, _ *cluster.Client) error { return u.awaitWordPress(ctx) }
	mysql := (*upkeep).awaitMySQL
	for name, c := range map[string]struct {
		ask   question
		there func() []runtime.Object // by the test's own clock
		took  time.Duration
		says  string
	}{
		"WordPress serves":                        {wordpress, func() []runtime.Object { return []runtime.Object{wordpressWith(3)} }, 0, ""},
		"WordPress's rollout goes on":             {wordpress, func() []runtime.Object { return []runtime.Object{hanging()} }, rolloutPatience, "1 of 3 are of the wanted revision"},
		"an earlier pod still serves":             {wordpress, func() []runtime.Object { return []runtime.Object{wordpressWith(3), going(20 * time.Second)} }, 20 * time.Second, ""},
		"an earlier pod is on a node that is off": {wordpress, func() []runtime.Object { return []runtime.Object{wordpressWith(3), going(-time.Minute)} }, 0, ""},
		"WordPress is gone":                       {wordpress, func() []runtime.Object { return nil }, 0, "not found"},
		"MySQL is as wanted":                      {mysql, func() []runtime.Object { return []runtime.Object{mysqlWith(1)} }, 0, ""},
		"MySQL's node is off":                     {mysql, func() []runtime.Object { return []runtime.Object{mysqlWith(0)} }, 0, ""},
		"MySQL was not part of the update":        {mysql, func() []runtime.Object { return nil }, 0, ""},
		"MySQL is replaced for ever":              {mysql, func() []runtime.Object { return []runtime.Object{changing()} }, rolloutPatience, "0 pods are of the wanted revision, 1 serve"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &cluster.Client{Interface: fake.NewClientset(c.there()...)}
				var told []string
				keep := &upkeep{
					namespace: "here", connect: func() (*cluster.Client, error) { return client, nil },
					tell: func(message string) { told = append(told, message) },
				}
				began := time.Now()
				err := c.ask(keep, t.Context(), client)
				if took := time.Since(began).Round(time.Second); took != c.took {
					t.Errorf("took %s, want %s", took, c.took)
				}
				if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
					t.Errorf("got the error %v, want %q", err, c.says)
				}
				if len(told) != 0 != (c.took > silence) || len(told) > 1 {
					t.Errorf("told %q", told)
				}
			})
		})
	}
}

// The account that reads the binary log is there where there is one, and has no right to any table.
func TestBinlogHasAnAccountOfItsOwn(t *testing.T) {
	users := func(overrides map[string]string) map[string][]passwords.Grant {
		loaded := load(t, "prod", overrides)
		stack, err := config.Load(loaded.values, loaded.secretKeys)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string][]passwords.Grant{}
		for _, account := range accountsOf(stack) {
			found[account.User] = account.Grants
		}
		return found
	}
	if got := users(nil); got[backup.BinlogUser] != nil || len(got) != 2 {
		t.Errorf("without a binary log there are %v", got)
	}
	want := []passwords.Grant{{Rights: "REPLICATION SLAVE, REPLICATION CLIENT", On: "*.*"}}
	if got := users(withBinlog); !slices.Equal(got[backup.BinlogUser], want) || len(got) != 3 {
		t.Errorf("with a binary log there are %v", got)
	}
}
