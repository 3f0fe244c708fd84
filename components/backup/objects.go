package backup

import (
	"fmt"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/pod"
)

// repositorySecretArgs are of the Secret with what opens the repository.
func repositorySecretArgs(args *Args, name string) *corev1.SecretArgs {
	credentials := pulumi.All(args.AccessKey, args.SecretKey).ApplyT(func(pair []any) string {
		return fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", pair...)
	}).(pulumi.StringOutput)
	return &corev1.SecretArgs{
		Metadata: metadata(args, name),
		StringData: pulumi.StringMap{
			PasswordKey:    args.Password,
			CredentialsKey: pulumi.ToSecret(credentials).(pulumi.StringOutput),
		},
	}
}

// accountsSecretArgs are of the Secret with the passwords of the program's own accounts.
func accountsSecretArgs(args *Args) *corev1.SecretArgs {
	data := pulumi.StringMap{}
	for name, account := range args.accounts() {
		if account.Password != nil {
			data[name] = account.Password
		}
	}
	return &corev1.SecretArgs{Metadata: metadata(args, AccountsSecret), StringData: data}
}

// accounts by the names of the files with their passwords.
func (a *Args) accounts() map[string]Account {
	all := map[string]Account{databaseContainer: a.Database.Dump, restoreContainer: a.Database.Restore, ownAccount: a.Database.Own}
	if a.Binlog != nil {
		all[binlogContainer] = a.Binlog.Account
	}
	return all
}

func passwordFile(account Account, name string) *corev1.VolumeProjectionArgs {
	if account.Password != nil {
		return secretFile(pulumi.String(AccountsSecret), name, name)
	}
	return secretFile(account.Secret, account.Key, name)
}

// volumesOf a pod, beside what every one has: the passwords of which accounts, and what else.
type volumesOf struct{ dump, restore, own, binlog, content, keys bool }

func volumes(args *Args, names mounted, of volumesOf) corev1.VolumeArray {
	all := corev1.VolumeArray{
		pod.ConfigMapVolume(configVolume, names.configMap),
		secretVolume(repositoryVolume, secretFile(names.repository, PasswordKey, PasswordKey), secretFile(names.repository, CredentialsKey, CredentialsKey)),
		pod.Scratch(),
	}
	var passwords []*corev1.VolumeProjectionArgs
	for _, one := range []struct {
		isMounted bool
		name      string
	}{{of.dump, databaseContainer}, {of.restore, restoreContainer}, {of.own, ownAccount}, {of.binlog, binlogContainer}} {
		if one.isMounted {
			passwords = append(passwords, passwordFile(args.accounts()[one.name], one.name))
		}
	}
	if len(passwords) > 0 {
		all = append(all, secretVolume(accountsVolume, passwords...))
	}
	if of.content {
		all = append(all, pod.ClaimVolume(contentVolume, args.Content.Claim))
	}
	if cache := args.Site.Cache; of.keys && cache != nil {
		all = append(all, secretVolume(keysVolume, secretFile(cache.KeySecret, cache.SecretKey, cache.SecretKey)))
	}
	return all
}

func secretVolume(name string, files ...*corev1.VolumeProjectionArgs) *corev1.VolumeArgs {
	sources := make(corev1.VolumeProjectionArray, 0, len(files))
	for _, file := range files {
		sources = append(sources, file)
	}
	return &corev1.VolumeArgs{
		Name:      pulumi.String(name),
		Projected: &corev1.ProjectedVolumeSourceArgs{DefaultMode: pulumi.Int(0o440), Sources: sources},
	}
}

func secretFile(secret pulumi.StringInput, key, path string) *corev1.VolumeProjectionArgs {
	return &corev1.VolumeProjectionArgs{Secret: &corev1.SecretProjectionArgs{
		Name:  secret.ToStringOutput(),
		Items: corev1.KeyToPathArray{&corev1.KeyToPathArgs{Key: pulumi.String(key), Path: pulumi.String(path)}},
	}}
}
