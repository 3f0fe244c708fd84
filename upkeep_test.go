package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"wordpress-on-kubernetes/components/cluster"
	"wordpress-on-kubernetes/components/database"
	"wordpress-on-kubernetes/components/frontend"
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

func TestDatabaseIsChangedLastWhereTheSiteServes(t *testing.T) {
	for name, c := range map[string]struct {
		there []runtime.Object
		last  bool
	}{
		"nothing is there":          {nil, false},
		"WordPress never came":      {[]runtime.Object{mysqlWith(1)}, false},
		"MySQL is not ready":        {[]runtime.Object{mysqlWith(0), wordpressWith(3)}, false},
		"WordPress does not serve":  {[]runtime.Object{mysqlWith(1), wordpressWith(0)}, false},
		"WordPress hangs":           {[]runtime.Object{mysqlWith(1), hanging()}, false},
		"both serve":                {[]runtime.Object{mysqlWith(1), wordpressWith(1)}, true},
		"MySQL was deleted by hand": {[]runtime.Object{wordpressWith(3)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			client := &cluster.Client{Interface: fake.NewClientset(c.there...)}
			keep := &upkeep{preview: true, namespace: "here", connect: func() (*cluster.Client, error) { return client, nil }}
			var err error
			if keep.siteServes, err = keep.serves(t.Context()); err != nil {
				t.Fatal(err)
			}
			registrations := registeredWith(t, keep)
			mysql, wordpress := registered(t, registrations, "StatefulSet"), registered(t, registrations, "Deployment")
			if got := slices.Contains(mysql.DependsOn, wordpress.URN); got != c.last {
				t.Errorf("MySQL waits for WordPress: %t", got)
			}
			if got := slices.Contains(wordpress.DependsOn, mysql.URN); got == c.last {
				t.Errorf("WordPress waits for MySQL: %t", got)
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

func registered(t *testing.T, all []plan.Registration, kind string) plan.Registration {
	t.Helper()
	for _, one := range all {
		if one.Type == "kubernetes:apps/v1:"+kind {
			return one
		}
	}
	t.Fatalf("no %s is registered", kind)
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
