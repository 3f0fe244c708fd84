package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	"wordpress-on-kubernetes/components/apiserver"
	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/components/cache"
	"wordpress-on-kubernetes/components/cluster"
	"wordpress-on-kubernetes/components/database"
	"wordpress-on-kubernetes/components/frontend"
	"wordpress-on-kubernetes/components/guard"
	"wordpress-on-kubernetes/components/passwords"
	"wordpress-on-kubernetes/components/revisions"
	"wordpress-on-kubernetes/config"
)

// upkeep is what an update does on the cluster itself, because no resource can express it. Nil: nothing, as in a rehearsal and a test.
type upkeep struct {
	// preview does nothing, and shows the order that the update has.
	preview bool
	// tell shows a message to whoever deploys.
	tell      func(message string)
	connect   func() (*cluster.Client, error)
	namespace string
	// passwords are those of the program's own server. Nil: somebody else changes them.
	passwords *passwords.Changer
	// accounts of the program's own server beside WordPress's.
	accounts []passwords.Made
	// site is what is there when the update begins. Not known where somebody else runs the database.
	site siteState
	// beforePassword and beforeRootPassword run before the engine changes the Secrets, afterPassword when it has.
	beforePassword, beforeRootPassword, afterPassword *pulumi.ResourceHook
	// filesMade runs when the engine has made a ConfigMap with files, and beforeServer before it changes MySQL after WordPress.
	filesMade, beforeServer *pulumi.ResourceHook
	// beforeAdminPassword runs before the engine changes the Secret with the administrator's.
	beforeAdminPassword *pulumi.ResourceHook
}

// newUpkeep registers the hooks; reach finds the cluster, when there is something to do there.
func newUpkeep(ctx *pulumi.Context, stack *config.Stack, reach func() (*cluster.Client, error)) (*upkeep, error) {
	if reach == nil {
		return nil, nil
	}
	keep := &upkeep{
		connect: sync.OnceValues(reach), namespace: stack.Namespace, preview: ctx.DryRun(),
		tell: func(message string) { _ = ctx.Log.Info(message, nil) },
	}
	err := keep.look(ctx.Context(), stack)
	if err != nil || keep.preview {
		return keep, err
	}
	if keep.filesMade, err = ctx.RegisterResourceHook("files", keep.release(ctx), nil); err != nil {
		return nil, err
	}
	if keep.beforeServer, err = hook(ctx, "wordpress-first", keep.awaitWordPress); err != nil {
		return nil, err
	}
	keep.beforeAdminPassword, err = ctx.RegisterResourceHook("admin-password", func(args *pulumi.ResourceHookArgs) error {
		return tellOfAdminPassword(args, func(message string) { _ = ctx.Log.Warn(message, nil) })
	}, nil)
	if err != nil || stack.Database.Mode != config.Standalone || stack.Database.ExistingSecret != "" {
		return keep, err
	}
	keep.passwords, keep.accounts = keep.changer(stack), accountsOf(stack)
	if keep.beforePassword, err = hook(ctx, "database-password", keep.passwords.BeforeUser); err != nil {
		return nil, err
	}
	if keep.afterPassword, err = hook(ctx, "database-password-changed", keep.passwords.AfterUser); err != nil {
		return nil, err
	}
	keep.beforeRootPassword, err = hook(ctx, "database-root-password", keep.passwords.BeforeRoot)
	return keep, err
}

// look finds out in which order the servers change. A preview needs no cluster for that.
func (u *upkeep) look(ctx context.Context, stack *config.Stack) (err error) {
	if stack.Database.Mode != config.Standalone {
		return nil
	}
	patience := contactPatience
	if u.preview {
		patience = previewPatience
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if u.site, err = u.there(ctx); u.preview {
		return nil
	}
	return err
}

// release has a file whose name has come back belong to the program again, before the pods that need it roll.
func (u *upkeep) release(ctx *pulumi.Context) pulumi.ResourceHookFunction {
	return func(args *pulumi.ResourceHookArgs) error {
		client, err := u.connect()
		if err != nil {
			return err
		}
		return revisions.Release(ctx.Context(), client, u.namespace, guard.ObjectOf(args.NewInputs).Name)
	}
}

// reach is the way to the cluster that the provider's settings lead to.
func reach(settings apiserver.Settings) func() (*cluster.Client, error) {
	return func() (*cluster.Client, error) {
		config, err := settings.ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("the cluster cannot be reached: %w", err)
		}
		return cluster.New(config)
	}
}

func hook(ctx *pulumi.Context, name string, run func(context.Context) error) (*pulumi.ResourceHook, error) {
	return ctx.RegisterResourceHook(name, func(*pulumi.ResourceHookArgs) error { return run(ctx.Context()) }, nil)
}

// tellOfAdminPassword says what a changed password of the administrator does, where it has changed.
func tellOfAdminPassword(args *pulumi.ResourceHookArgs, tell func(message string)) error {
	// The provider has made data of stringData by now.
	if !args.OldInputs["data"].DeepEquals(args.NewInputs["data"]) || !args.OldInputs["stringData"].DeepEquals(args.NewInputs["stringData"]) {
		tell("wordpress:adminPassword counts when the site is installed. On a site that is installed the administrator's password stays as it was: " +
			"change it in WordPress, under Users, Profile")
	}
	return nil
}

// selectorText is a selector as the API server takes it.
func selectorText(selector pulumi.StringMap) string {
	text := make(map[string]string, len(selector))
	for label, value := range selector {
		text[label] = fmt.Sprint(value)
	}
	return labels.FormatLabels(text)
}

func (u *upkeep) changer(stack *config.Stack) *passwords.Changer {
	selector := database.Selector()
	return &passwords.Changer{
		Connect: func() (kubernetes.Interface, passwords.Server, error) {
			client, err := u.connect()
			return client, &passwords.MySQL{
				Cluster: client, Namespace: u.namespace, Selector: selectorText(selector), Container: database.Container,
			}, err
		},
		Namespace: u.namespace,
		Database:  selectorText(selector), Annotation: frontend.PasswordAnnotation,
		User: passwords.Account{
			Config: "wordpress:databasePassword", Secret: database.Secret, Key: database.PasswordKey,
			User: stack.Database.User, Password: string(stack.DatabasePassword),
		},
		Root: passwords.Account{
			Config: "wordpress:databaseRootPassword", Secret: database.RootSecret, Key: database.RootPasswordKey,
			User: passwords.Root, Password: string(stack.DatabaseRootPassword),
		},
		Log: u.tell,
	}
}

// accountsOf the stack's backups have the rights that they need and no others: of a dump, and of tables that change places between databases.
func accountsOf(stack *config.Stack) []passwords.Made {
	if !*stack.Backup.Enabled {
		return nil
	}
	made := func(user string, grants ...passwords.Grant) passwords.Made {
		return passwords.Made{User: user, Password: passwords.Derived(string(stack.DatabaseRootPassword), user), Grants: grants}
	}
	// In the name of a database that rights are given on, _ stands for any character.
	on := func(name string) string { return "`" + strings.ReplaceAll(name, "_", `\_`) + "`.*" }
	name := stack.Database.Name
	all := []passwords.Made{
		made(backup.DumpUser,
			passwords.Grant{Rights: "USAGE", On: "*.*"},
			passwords.Grant{Rights: "SHOW_ROUTINE", On: "*.*"},
			passwords.Grant{Rights: "SELECT, SHOW VIEW, EVENT, TRIGGER", On: on(name)}),
		made(backup.RestoreUser,
			passwords.Grant{Rights: "USAGE", On: "*.*"},
			passwords.Grant{Rights: "SHOW_ROUTINE", On: "*.*"},
			passwords.Grant{Rights: "ALL PRIVILEGES", On: on(name)},
			passwords.Grant{Rights: "ALL PRIVILEGES", On: on(backup.RestoredDatabase(name))},
			passwords.Grant{Rights: "ALL PRIVILEGES", On: on(backup.EarlierDatabase(name))}),
	}
	if *stack.Backup.Binlog.Enabled {
		// The one right has it read the log, and the other tells which files that has.
		all = append(all, made(backup.BinlogUser, passwords.Grant{Rights: "REPLICATION SLAVE, REPLICATION CLIENT", On: "*.*"}))
	}
	return all
}

// fileHook runs when a ConfigMap with files was made. Nil: nothing does.
func (u *upkeep) fileHook() *pulumi.ResourceHook {
	if u == nil {
		return nil
	}
	return u.filesMade
}

// serverHook runs before MySQL changes. Nil: nothing does.
func (u *upkeep) serverHook() *pulumi.ResourceHook {
	if !u.databaseIsLast() {
		return nil
	}
	return u.beforeServer
}

// databaseHooks run before and after the Secrets with the passwords change. Nil: nothing does.
func (u *upkeep) databaseHooks() (beforeUser, afterUser, beforeRoot *pulumi.ResourceHook) {
	if u == nil {
		return nil, nil, nil
	}
	return u.beforePassword, u.afterPassword, u.beforeRootPassword
}

// adminHook runs before the Secret with the administrator's password changes. Nil: nothing does.
func (u *upkeep) adminHook() *pulumi.ResourceHook {
	if u == nil {
		return nil
	}
	return u.beforeAdminPassword
}

// settle comes when WordPress runs as the stack wants it, in every update, also in one that only completes what an earlier one began. The
// output is the given text, and fails with what could not be done.
func (u *upkeep) settle(
	ctx *pulumi.Context, text string, mysql *database.Database, wordpress *frontend.Frontend, pages *cache.Cache, saved *backup.Backup,
) pulumi.StringOutput {
	if u == nil || u.preview {
		return pulumi.String(text).ToStringOutput()
	}
	return pulumi.All(wordpress.Deployment, wordpress.Files, mysql.Files, wordpress.PasswordChecksum, mysql.Server, pages.Files, saved.Files).ApplyT(func(names []any) (string, error) {
		client, err := u.connect()
		if err != nil {
			return "", err
		}
		if names[4] != "" {
			if err := u.awaitMySQL(ctx.Context(), client); err != nil {
				return "", err
			}
		}
		if u.passwords != nil {
			if err := u.passwords.Settle(ctx.Context(), names[3].(string)); err != nil {
				return "", err
			}
			if err := u.passwords.Make(ctx.Context(), u.accounts); err != nil {
				return "", err
			}
		}
		files := []revisions.Files{
			{Name: frontend.Name, Selector: selectorText(frontend.Selector()), Current: names[1].(string)},
			{Name: database.Service, Selector: selectorText(database.Selector()), Current: names[2].(string)},
			{Name: cache.Name, Selector: selectorText(cache.Selector()), Current: names[5].(string)},
			{Name: backup.Name, Selector: selectorText(backup.JobsSelector()), Current: names[6].(string)},
		}
		for _, of := range files {
			of.Namespace = u.namespace
			if err := revisions.Keep(ctx.Context(), client, of); err != nil {
				return "", err
			}
		}
		return text, nil
	}).(pulumi.StringOutput)
}
