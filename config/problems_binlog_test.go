package config

// ofBackup is a stack with a backup, and more settings of it.
func ofBackup(more string) string {
	return `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, ` + more + `}, ` + backupKeys + `}`
}

// withBinlog is a binary log that is brought to the storage, and more settings of it.
func withBinlog(more string) string {
	if more != "" {
		more = ", " + more
	}
	return `binlog: {enabled: true, image: "registry.example.com/mysql-binlog:9.7.4"` + more + `}`
}

// The binary log.
var binlogProblems = []problemCase{
	{"binary log of a backup that is off", `wordpress:backup: {binlog: {enabled: true}}`, []string{
		`backup.binlog` + notWithoutBackup,
	}},
	{"settings of a binary log that is off", ofBackup(`binlog: {seconds: 60, keepDays: 3, image: "registry.example.com/mysql-binlog:9.7.4"}`), []string{
		`backup.binlog.image: Forbidden: not used without backup.binlog.enabled: remove it, or set enabled`,
		`backup.binlog.keepDays: Forbidden: not used without backup.binlog.enabled: remove it, or set enabled`,
		`backup.binlog.seconds: Forbidden: not used without backup.binlog.enabled: remove it, or set enabled`,
	}},
	{"values of a binary log that cannot be", ofBackup(`binlog: {enabled: true, seconds: 59, keepDays: 91, image: "a b"}`), []string{
		`backup.binlog.image: Invalid value: "a b": must be an image reference such as wordpress:7.1.4-php8.3-apache`,
		`backup.binlog.keepDays: Invalid value: 91: must be from 1 to 90 days`,
		`backup.binlog.seconds: Invalid value: 59: must be from 60 to 3600 seconds`,
	}},
	{"binary log, perhaps", ofBackup(`binlog: {enabled: maybe}`), []string{
		`backup.binlog.enabled: Invalid value: "maybe": must be true or false, without quotes`,
	}},
	{"log without its image", ofBackup(`binlog: {enabled: true}`), []string{
		`backup.binlog.image: Required value: an image of MySQL with mysqlbinlog, which the official one lacks, such as registry.example.com/mysql-binlog:9.7.4: docs/examples/mysqlbinlog makes one`,
	}},
	{"log of somebody else's server", `{wordpress:database: {mode: external, host: 192.0.2.7}, wordpress:databaseRootPassword: null, wordpress:backup: {enabled: true, ` +
		aRepository + `, ` + aDestination + `, ` + withBinlog(``) + `}, ` + backupKeys + `}`, []string{
		`backup.binlog.enabled: Forbidden: not possible with database.mode external, whose log and accounts are not the program's: remove it, and have whoever runs the server keep its log`,
	}},
	{"log without root's password", `{wordpress:database: {existingSecret: vault}, wordpress:databasePassword: null, wordpress:databaseRootPassword: null, wordpress:backup: {enabled: true, ` +
		aRepository + `, ` + aDestination + `, ` + withBinlog(``) + `}, ` + backupKeys + `}`, []string{
		`backup.binlog.enabled: Forbidden: not possible with database.existingSecret, without root's password to make an account that reads the log: remove one of the two`,
	}},
	{"log that outlives its runs", ofBackup(withBinlog(`keepDays: 14`)), []string{
		`backup.keep.daily: Invalid value: 14: must be more than backup.binlog.keepDays, which is 14: a second is restored from the run before it; this value is the default`,
	}},
	{"binary log of a moving image in production", `{wordpress:profile: production, wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination +
		`, binlog: {enabled: true, image: "registry.example.com/mysql-binlog"}}, ` + backupKeys + `}`, []string{
		`backup.binlog.image: Invalid value: "registry.example.com/mysql-binlog": ` + mustBePinned + `registry.example.com/mysql-binlog:9.7.4` + orByDigest,
	}},
}
