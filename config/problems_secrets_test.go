package config

import "strings"

// Secrets.
var secretProblems = []problemCase{
	{"secrets that are deleted when they change", `kubernetes:enableSecretMutable: null`, []string{
		`kubernetes:enableSecretMutable: Required value: must be "true", or the provider deletes a changed Secret before it makes it anew: run: pulumi config set kubernetes:enableSecretMutable true`,
	}},
	{"secrets that are deleted, as somebody wanted", `kubernetes:enableSecretMutable: false`, []string{
		`kubernetes:enableSecretMutable: Invalid value: "false": must be "true", or the provider deletes a changed Secret before it makes it anew: run: pulumi config set kubernetes:enableSecretMutable true`,
	}},
	{"secrets missing", `{wordpress:databasePassword: null, wordpress:databaseRootPassword: null, wordpress:authSecret: null}`, []string{
		`authSecret: Required value: run: pulumi config set --secret wordpress:authSecret, or name a Secret in frontend.existingSecret`,
		`databasePassword: Required value: run: pulumi config set --secret wordpress:databasePassword, or name a Secret in database.existingSecret`,
		`databaseRootPassword: Required value: run: pulumi config set --secret wordpress:databaseRootPassword, or name a Secret in database.existingSecret`,
	}},
	{"secret in plain text", `wordpress:databasePassword: ` + testPassword, []string{
		`databasePassword: Forbidden: must not be in plain text: choose a new value and run: pulumi config set --secret wordpress:databasePassword`,
	}},
	{"secrets too short", `{wordpress:databasePassword: {secure: short}, wordpress:authSecret: {secure: 31 characters are one too few..}}`, []string{
		`authSecret: Invalid value: "[secret]": must have at least 32 characters`,
		`databasePassword: Invalid value: "[secret]": must have at least 8 characters`,
	}},
	{"secret with a line break", `wordpress:databaseRootPassword: {secure: "root-password\n"}`, []string{
		`databaseRootPassword: Invalid value: "[secret]": must not contain a line break or NUL, nor begin or end with white space`,
	}},
	{"secret with white space around it", `wordpress:databasePassword: {secure: " password"}`, []string{
		`databasePassword: Invalid value: "[secret]": must not contain a line break or NUL, nor begin or end with white space`,
	}},
	{"empty secret", `wordpress:authSecret: ""`, []string{
		`authSecret: Required value: is empty: give it a value, or remove the key`,
	}},
	{"secrets given twice", `{wordpress:database: {existingSecret: db}, wordpress:frontend: {existingSecret: keys}}`, []string{
		`authSecret: Forbidden: frontend.existingSecret already holds it: remove one of the two`,
		`databasePassword: Forbidden: database.existingSecret already holds it: remove one of the two`,
		`databaseRootPassword: Forbidden: database.existingSecret already holds it: remove one of the two`,
	}},
	{"passwords that the first start misreads", `{wordpress:databasePassword: {secure: "it's wrong"}, wordpress:databaseRootPassword: {secure: "before#after"}}`, []string{
		`databasePassword: Invalid value: "[secret]": must not contain any of ' \, which the image's first start misreads: choose another one`,
		`databaseRootPassword: Invalid value: "[secret]": must not contain any of ' \ " #, which the image's first start misreads: choose another one`,
	}},
	{"administrator without anything", `wordpress:site: {host: a.example.com, admin: {}}`, []string{
		`adminPassword: Required value: run: pulumi config set --secret wordpress:adminPassword, or name a Secret in site.admin.existingSecret`,
		`site.admin.email: Required value: the administrator's mail address, such as admin@example.com`,
		`site.admin.user: Required value: the name that the administrator logs in with`,
	}},
	{"password of no administrator", `{wordpress:site: {host: a.example.com, title: A site}, wordpress:adminPassword: {secure: correct horse}}`, []string{
		`adminPassword: Forbidden: goes with site.admin only: remove it, or say who administers the site`,
		`site.title: Forbidden: goes with site.admin only: remove it, or say who administers the site`,
	}},
	{"administrator's password given twice", `{wordpress:site: {host: a.example.com, admin: {user: a, email: a@b.c, existingSecret: vault}}, wordpress:adminPassword: {secure: correct horse}}`, []string{
		`adminPassword: Forbidden: site.admin.existingSecret already holds it: remove one of the two`,
	}},
	{"administrator's password in plain text", `{wordpress:site: {host: a.example.com, admin: {user: a, email: a@b.c}}, wordpress:adminPassword: correct horse}`, []string{
		`adminPassword: Forbidden: must not be in plain text: choose a new value and run: pulumi config set --secret wordpress:adminPassword`,
	}},
	{"password longer than MySQL checks", `wordpress:databasePassword: {secure: ` + strings.Repeat("p", 257) + `}`, []string{
		`databasePassword: Invalid value: "[secret]": must have at most 256 characters`,
	}},
}
