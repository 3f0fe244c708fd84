package config

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

var secretRules = []rule{
	{databasePasswords, []string{"database.mode", "database.existingSecret", "databasePassword", "databaseRootPassword"}},
	{passwordsSurviveSetup, []string{"database.mode", "databasePassword", "databaseRootPassword"}},
	{authSecrets, []string{"frontend.existingSecret", "authSecret"}},
	{secretsChangeInPlace, nil},
	{administrators, []string{"site.admin", "adminPassword"}},
}

// mutableSecrets is the Kubernetes provider's own key, which the program cannot set for it.
const mutableSecrets = "kubernetes:enableSecretMutable"

// databasePassword, and in mode standalone databaseRootPassword, are given as Pulumi secrets or come from
// database.existingSecret, not both: WordPress and MySQL must know the same ones, and stack files are committed.
func databasePasswords(d *draft) field.ErrorList {
	db := d.stack.Database
	given := secretSource{existing: db.ExistingSecret != "", existingKey: "database.existingSecret",
		minLength: MinPasswordLength, maxLength: MaxPasswordLength}
	problems := d.checkSecret("databasePassword", d.stack.DatabasePassword, given)
	if db.Mode == Standalone {
		problems = append(problems, d.checkSecret("databaseRootPassword", d.stack.DatabaseRootPassword, given)...)
	}
	return problems
}

// databasePassword and databaseRootPassword hold no ' and no \ in mode standalone, and root's no " and no # either: the
// official image writes them into SQL and root's into an options file as they are, which fails MySQL's first start
// or sets another password. A Secret that exists already is not looked into.
func passwordsSurviveSetup(d *draft) field.ErrorList {
	if d.stack.Database.Mode != Standalone {
		return nil
	}
	return slices.Concat(
		refuseCharacters("databasePassword", d.stack.DatabasePassword, `'\`),
		refuseCharacters("databaseRootPassword", d.stack.DatabaseRootPassword, `'\"#`),
	)
}

func refuseCharacters(key string, value Secret, characters string) field.ErrorList {
	if !strings.ContainsAny(string(value), characters) {
		return nil
	}
	return invalid(key, value, "must not contain any of %s, which the image's first start misreads: choose another one",
		strings.Join(strings.Split(characters, ""), " "))
}

// authSecret is given as a Pulumi secret or its keys and salts come from frontend.existingSecret, not both: all pods
// must have the same ones, and with two sources nobody knows which.
func authSecrets(d *draft) field.ErrorList {
	return d.checkSecret("authSecret", d.stack.AuthSecret, secretSource{
		existing:    d.stack.Frontend.ExistingSecret != "",
		existingKey: "frontend.existingSecret",
		minLength:   MinAuthSecretLength,
	})
}

// kubernetes:enableSecretMutable, which is the provider's own key, is "true": otherwise a changed Secret is deleted and made anew, pods that
// start in between wait for it, and after an update that ends there it is gone.
func secretsChangeInPlace(d *draft) field.ErrorList {
	path := field.NewPath(mutableSecrets)
	const remedy = `must be "true", or the provider deletes a changed Secret before it makes it anew: run: pulumi config set ` +
		mutableSecrets + " true"
	value, given := d.others[mutableSecrets]
	switch {
	case !given:
		return field.ErrorList{field.Required(path, remedy)}
	case value != "true": // the provider reads every other text as no
		return field.ErrorList{field.Invalid(path, cut(value), remedy)}
	}
	return nil
}

// site.admin has a user, an email and a password, by adminPassword as a Pulumi secret or by site.admin.existingSecret, not both; and
// without site.admin there is no site.title and no adminPassword: nothing would read them.
func administrators(d *draft) field.ErrorList {
	if !d.has("site.admin") {
		return d.refuseGiven("goes with site.admin only: remove it, or say who administers the site", "site.title", "adminPassword")
	}
	var problems field.ErrorList
	if d.stack.Site.Admin.User == "" {
		problems = append(problems, field.Required(at("site.admin.user"), "the name that the administrator logs in with"))
	}
	if d.stack.Site.Admin.Email == "" {
		problems = append(problems, field.Required(at("site.admin.email"), "the administrator's mail address, such as admin@example.com"))
	}
	return append(problems, d.checkSecret("adminPassword", d.stack.AdminPassword, secretSource{
		existing: d.stack.Site.Admin.ExistingSecret != "", existingKey: "site.admin.existingSecret",
		minLength: MinAdminPasswordLength, maxLength: MaxAdminPasswordLength,
	})...)
}

// secretSource says where else a secret may come from, and its least and greatest length in bytes; 0 is no
// bound.
type secretSource struct {
	existing             bool
	existingKey          string
	minLength, maxLength int
}

func (d *draft) checkSecret(key string, value Secret, source secretSource) field.ErrorList {
	path := at(key)
	switch {
	case !d.has(key) && source.existing:
		return nil
	case !d.has(key):
		return field.ErrorList{field.Required(path,
			fmt.Sprintf("run: pulumi config set --secret %s, or name a Secret in %s", path, source.existingKey))}
	case source.existing:
		return field.ErrorList{field.Forbidden(path,
			fmt.Sprintf("%s already holds it: remove one of the two", source.existingKey))}
	}
	return append(d.checkEncrypted(path), checkSecretText(path, value, source.minLength, source.maxLength)...)
}

// checkEncrypted refuses plain text in every profile: a stack file is committed.
func (d *draft) checkEncrypted(path *field.Path) field.ErrorList {
	if d.isSecret(path.String()) {
		return nil
	}
	return field.ErrorList{field.Forbidden(path, fmt.Sprintf(
		"must not be in plain text: choose a new value and run: pulumi config set --secret %s", path))}
}
