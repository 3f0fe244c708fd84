package config

import "strings"

// aCertificate is of an authority called Example that is used nowhere; no check looks at its dates.
const aCertificate = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUBT35S+3FhW/iZpx8AtAzZSoL3PUwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHRXhhbXBsZTAeFw0yNjExMjMwNTIyMzlaFw00NjExMTgwNTIy
MzlaMBIxEDAOBgNVBAMMB0V4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATKsiB3tvTfSuXjXNx71MVPtXhEqgG2OO3LYAvq/jmtqJFHy/0WA8/W5qk9Owsd
VG0ErV9Xp7ZaaP+lJg9L+UOjo1MwUTAdBgNVHQ4EFgQUWBSpMM3g8xX3KDdVHz+n
1YwudL4wHwYDVR0jBBgwFoAUWBSpMM3g8xX3KDdVHz+n1YwudL4wDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBueF9+iJ1M8+7P+SRrxb3iad1FsxSB
R+T8RPAHDwpMpQIhANS+hRWywhyD4JjShXck6nHwcJzXvW+p/IUMZ9ElMaek
-----END CERTIFICATE-----`

// escaped is text as it stands within double quotes in YAML.
func escaped(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }

// withTLS is a stack of an external database with these authorities.
func withTLS(bundle string) string {
	return `{wordpress:database: {mode: external, host: 192.0.2.7, tls: {caBundle: "` + escaped(bundle) + `"}}, wordpress:databaseRootPassword: null}`
}

// An external database and the way to it.
var databaseProblems = []problemCase{
	{"prefix of no table", `{wordpress:database: {tablePrefix: "wp-"}, wordpress:site: {host: www.example.com, robots: maybe, mail: maybe}}`, []string{
		`database.tablePrefix: Invalid value: "wp-": must be 1 to 20 letters, digits and _, such as wp_`,
		`site.mail: Invalid value: "maybe": must be true or false, without quotes`,
		`site.robots: Invalid value: "maybe": must be true or false, without quotes`,
	}},
	{"TLS to the program's own server", `wordpress:database: {tls: {mode: verified}}`, []string{
		`database.tls: Forbidden: goes with database.mode external only: remove it, or set the mode`,
	}},
	{"a mode that is none", `{wordpress:database: {mode: external, host: 192.0.2.7, tls: {mode: REQUIRED}}, wordpress:databaseRootPassword: null}`, []string{
		`database.tls.mode: Unsupported value: "REQUIRED": supported values: "verified", "unverified", "disabled"`,
	}},
	{"authorities that nothing looks at", `{wordpress:database: {mode: external, host: 192.0.2.7, tls: {mode: unverified, caBundle: "` + escaped(aCertificate) + `"}}, wordpress:databaseRootPassword: null}`, []string{
		`database.tls.caBundle: Forbidden: goes with mode verified only: remove it, or set the mode`,
	}},
	{"plain connections in production", `{wordpress:profile: production, wordpress:database: {mode: external, host: 192.0.2.7, tls: {mode: disabled}}, wordpress:databaseRootPassword: null}`, []string{
		`database.tls.mode: Invalid value: "disabled": must be verified in production, or unverified where the server's certificate is nobody's`,
	}},
	{"the name of a file", withTLS("/etc/ssl/rds.pem"), []string{
		`database.tls.caBundle: Invalid value: "16 bytes": must be certificates in PEM: no. 1 does not begin with -----BEGIN CERTIFICATE----- or does not end`,
	}},
	{"no authorities", withTLS("\n\n"), []string{
		`database.tls.caBundle: Invalid value: "2 bytes": must be certificates in PEM: no. 1 does not begin with -----BEGIN CERTIFICATE----- or does not end`,
	}},
	{"a private key", withTLS(aCertificate + "\n-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"), []string{
		`database.tls.caBundle: Invalid value: "633 bytes": must hold certificates alone: no. 2 is a PRIVATE KEY`,
	}},
	{"a broken certificate", withTLS("-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----"), []string{
		`database.tls.caBundle: Invalid value: "62 bytes": must be certificates in PEM: no. 1 cannot be read: x509: malformed certificate`,
	}},
	{"all the authorities of the world", withTLS(strings.Repeat(aCertificate+"\n", 1000)), []string{
		`database.tls.caBundle: Invalid value: "570000 bytes": must have at most 524288 bytes: keep the authorities that it needs alone`,
	}},
}
