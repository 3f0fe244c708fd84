// Command wordpress-on-kubernetes is a Pulumi program that deploys WordPress and MySQL on Kubernetes.
//
// It reads the stack's configuration, composes the components and exports the outputs. What a stack can say is
// in package config and docs/configuration.md.
package main

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/util/validation"

	"wordpress-on-kubernetes/components/apiserver"
	"wordpress-on-kubernetes/components/autoscaling"
	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/components/cache"
	"wordpress-on-kubernetes/components/cluster"
	"wordpress-on-kubernetes/components/cron"
	"wordpress-on-kubernetes/components/database"
	"wordpress-on-kubernetes/components/frontend"
	"wordpress-on-kubernetes/components/guard"
	"wordpress-on-kubernetes/components/ingress"
	"wordpress-on-kubernetes/components/namespace"
	"wordpress-on-kubernetes/components/network"
	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/components/rules"
	"wordpress-on-kubernetes/components/storage"
	"wordpress-on-kubernetes/config"
)

func main() {
	var values rawConfiguration
	pulumi.Run(values.deploy, func(info *pulumi.RunInfo) {
		values.read(info)
		if info.Config["kubernetes:renderYamlToDirectory"] == "" { // Otherwise nothing is deployed.
			settings := apiserver.SettingsOf(info.Config)
			settings.Insist = !info.DryRun
			values.lookup = apiserver.New(settings).Lookup
			values.reach = reach(settings)
		}
	})
}

// rawConfiguration is the stack's configuration as the engine hands it over. The SDK's own readers answer only
// for keys that are asked for and turn what they cannot parse into zero; a misspelt key must be an error.
type rawConfiguration struct {
	values     map[string]string
	secretKeys []string
	// lookup asks the cluster for what is there already. Nil: nothing is asked, as under a recorder.
	lookup guard.Lookup
	// reach is the way to the cluster that the provider deploys to. Nil: nothing is done there, as under a recorder.
	reach func() (*cluster.Client, error)
}

func (r *rawConfiguration) read(info *pulumi.RunInfo) {
	r.values, r.secretKeys = info.Config, info.ConfigSecretKeys
}

// deploy registers nothing unless the whole configuration is valid and the objects that it leads to break no rule, and creates
// nothing over what is there already.
func (r *rawConfiguration) deploy(ctx *pulumi.Context) error {
	stack, err := config.Load(r.values, r.secretKeys)
	if err != nil {
		return err
	}
	if len(validation.IsValidLabelValue(ctx.Stack())) > 0 {
		return fmt.Errorf("the stack's name is %q and becomes the label app.kubernetes.io/instance of every object: choose one of at most "+
			"63 letters, digits, -, _ and ., with a letter or digit at either end", ctx.Stack())
	}
	for _, warning := range stack.Warnings() {
		if err := ctx.Log.Warn(warning, nil); err != nil {
			return err
		}
	}
	planned, err := rehearse(ctx, func(ctx *pulumi.Context) error { return compose(ctx, stack, nil, nil) }, terms(stack))
	if err != nil {
		return err
	}
	watch, err := r.watch(ctx, stack, planned)
	if err != nil {
		return err
	}
	keep, err := newUpkeep(ctx, stack, r.reach)
	if err != nil {
		return err
	}
	return compose(ctx, stack, watch, keep)
}

// rehearse composes the stack under a recorder first: what the engine is told one by one is judged as a whole before.
func rehearse(ctx *pulumi.Context, program pulumi.RunFunc, terms rules.Terms) ([]plan.Object, error) {
	registrations, err := plan.Record(ctx.Project(), ctx.Stack(), program)
	if err != nil {
		return nil, err
	}
	planned := plan.Objects(registrations, plan.ShowSecrets)
	return planned, rules.Check(planned, terms)
}

// watch looks at what is there already when the engine is about to create something.
func (r *rawConfiguration) watch(ctx *pulumi.Context, stack *config.Stack, planned []plan.Object) (*guard.Watch, error) {
	if r.lookup == nil {
		return nil, nil
	}
	args := guardArgs(ctx, stack, planned)
	args.Lookup = r.lookup
	return guard.New(ctx, args)
}

// compose registers the components, each from the stack's configuration and the outputs of those before it.
func compose(ctx *pulumi.Context, stack *config.Stack, watch *guard.Watch, keep *upkeep) error {
	space, err := namespace.New(ctx, "namespace", namespaceArgs(ctx, stack, watch))
	if err != nil {
		return err
	}
	if err := guard.Mark(ctx, space.Owner, watch); err != nil {
		return err
	}
	var closed []pulumi.Resource
	if *stack.Network.Enabled {
		policies, err := network.New(ctx, "network", networkArgs(ctx, stack, space))
		if err != nil {
			return err
		}
		closed = policies.Closed
	}
	volumes, err := storage.New(ctx, "storage", storageArgs(ctx, stack, space))
	if err != nil {
		return err
	}
	mysql, wordpress, err := servers(ctx, stack, keep, space, volumes, closed)
	if err != nil {
		return err
	}
	pages, err := publish(ctx, stack, keep, space, wordpress, closed)
	if err != nil {
		return err
	}
	if *stack.Site.Cron.Enabled {
		if _, err = cron.New(ctx, "cron", cronArgs(ctx, stack, space, wordpress)); err != nil {
			return err
		}
	}
	saved, err := save(ctx, stack, savingArgs(ctx, stack, keep, space, volumes, mysql, wordpress, closed))
	if err != nil {
		return err
	}
	if *stack.Autoscaling.Enabled {
		if _, err = autoscaling.New(ctx, "autoscaling", autoscalingArgs(ctx, stack, space, wordpress)); err != nil {
			return err
		}
	}
	url := pulumi.String(stack.URL()).ToStringOutput()
	if stack.Ingress.Kind != config.IngressNone {
		edge, err := ingress.New(ctx, "ingress", ingressArgs(ctx, stack, space, wordpress))
		if err != nil {
			return err
		}
		url = edge.URL
	}

	export(ctx, stack, url, space, mysql, wordpress)
	ctx.Export("databasePasswords", keep.settle(ctx, databasePasswords(stack), mysql, wordpress, pages, saved))
	return nil
}

// servers registers MySQL and WordPress. WordPress comes second, but where both serve already, see databaseIsLast.
func servers(
	ctx *pulumi.Context, stack *config.Stack, keep *upkeep,
	space *namespace.Namespace, volumes *storage.Storage, closed []pulumi.Resource,
) (*database.Database, *frontend.Frontend, error) {
	mysql, err := database.New(ctx, "database", databaseArgs(ctx, stack, keep, space, volumes, closed))
	if err != nil {
		return nil, nil, err
	}
	if !keep.databaseIsLast() {
		if err := mysql.Serve(); err != nil {
			return nil, nil, err
		}
	}
	before := closed
	if run := stack.Backup.Bootstrap.Snapshot; run != "" {
		args := backupArgs(ctx, stack, space, volumes, mysql, slices.Concat(mysql.Ready, closed))
		site, err := backup.NewBootstrap(ctx, "bootstrap", args, run)
		if err != nil {
			return nil, nil, err
		}
		before = slices.Concat(site.Done, closed)
	}
	wordpress, err := frontend.New(ctx, "frontend", frontendArgs(ctx, stack, keep, space, volumes, mysql, before))
	if err == nil && keep.databaseIsLast() {
		err = mysql.Serve(wordpress.Ready...)
	}
	return mysql, wordpress, err
}

// save registers what saves the site, where it is to be saved.
func save(ctx *pulumi.Context, stack *config.Stack, args *backup.Args) (*backup.Backup, error) {
	if !*stack.Backup.Enabled {
		return &backup.Backup{Files: pulumi.String("").ToStringOutput()}, nil
	}
	return backup.New(ctx, "backup", args)
}

// publish leads the edge to WordPress, or to the cache before it once that serves.
func publish(
	ctx *pulumi.Context, stack *config.Stack, keep *upkeep,
	space *namespace.Namespace, wordpress *frontend.Frontend, closed []pulumi.Resource,
) (*cache.Cache, error) {
	if !*stack.Cache.Enabled {
		return &cache.Cache{Files: pulumi.String("").ToStringOutput()}, wordpress.Publish(nil)
	}
	pages, err := cache.New(ctx, "cache", cacheArgs(ctx, stack, keep, space, wordpress, closed))
	if err != nil {
		return nil, err
	}
	return pages, wordpress.Publish(&frontend.Behind{Selector: cache.Selector(), Port: cache.SitePortName, After: keep.unlessNew(pages.Ready)})
}

// export tells what was deployed, and never a secret.
func export(
	ctx *pulumi.Context, stack *config.Stack, url pulumi.StringOutput,
	space *namespace.Namespace, mysql *database.Database, wordpress *frontend.Frontend,
) {
	ctx.Export("url", url)
	ctx.Export("namespace", space.Name)
	ctx.Export("frontendService", wordpress.Service)
	ctx.Export("databaseHost", mysql.Host)
	ctx.Export("qosClass", wordpress.QoSClass)
	ctx.Export("replicas", pulumi.String(replicas(stack)))
	ctx.Export("databaseSecretName", mysql.SecretName)
	ctx.Export("authSecretName", wordpress.AuthSecretName)
}
