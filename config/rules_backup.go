package config

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

var backupRules = []rule{
	{keysOfABackup, []string{"backup.enabled", "backup.bootstrap.snapshot"}},
	{keysOfAMove, []string{"backup.bootstrap.snapshot", "backup.bootstrap.from", "site.host", "ingress", "profile"}},
	{keysOfADrill, []string{"backup.drill.enabled", "backup.binlog.enabled"}},
	{keysOfBackupMetrics, []string{"backup.metrics.enabled"}},
	{databaseNameLeavesRoom, []string{"backup.enabled", "database.name"}},
	{backupHasPlace, []string{"backup.enabled", "backup.bootstrap.snapshot", "backup.repository", "backup.destination", "network.enabled"}},
	{backupSecrets, []string{"backup.enabled", "backup.bootstrap.snapshot", "backup.existingSecret", "backupPassword", "backupAccessKey", "backupSecretKey"}},
	{backupKeysAreRead, []string{"backupAccessKey", "backupSecretKey"}},
	{keysOfABinlog, []string{"backup.binlog.enabled"}},
	{binlogHasImage, []string{"backup.enabled", "backup.binlog.enabled", "backup.binlog.image"}},
	{binlogIsOfOwnServer, []string{"backup.enabled", "backup.binlog.enabled", "database.mode", "database.existingSecret"}},
	{runsOutliveBinlog, []string{"backup.enabled", "backup.binlog.enabled", "backup.binlog.keepDays", "backup.keep.daily"}},
	{backupPasswordIsItsOwn, []string{"backupPassword", "databasePassword", "databaseRootPassword", "adminPassword", "authSecret", "backupSecretKey"}},
}

// backup.enabled false refuses every other key of backup but the images: nothing would read them, and whoever set them believes the site saved. With
// backup.bootstrap.snapshot it takes those that a restore needs.
func keysOfABackup(d *draft) field.ErrorList {
	if *d.stack.Backup.Enabled {
		return nil
	}
	unused := []string{"backup.schedule", "backup.careSchedule", "backup.keep", "backup.content.exclude", "backup.drill", "backup.binlog", "backup.metrics.enabled"}
	if !d.stack.Backup.UsesRepository() {
		unused = append(unused, "backup.repository", "backup.existingSecret", "backup.caBundle", "backup.content.enabled", "backup.bootstrap", "backup.destination",
			"backup.resources", "backupPassword", "backupAccessKey", "backupSecretKey")
	}
	return d.refuseGiven("not used without backup.enabled: remove it, or set enabled", unused...)
}

// backup.bootstrap.from needs backup.bootstrap.snapshot, and is another address than this site's: nothing would lead elsewhere.
func keysOfAMove(d *draft) field.ErrorList {
	bootstrap := d.stack.Backup.Bootstrap
	switch bootstrap.From {
	case "":
		return nil
	case d.stack.URL():
		return invalid("backup.bootstrap.from", bootstrap.From, "must be the address of another site: remove it, since a run of this site's own needs none")
	}
	if bootstrap.Snapshot != "" {
		return nil
	}
	return d.refuseGiven("not used without backup.bootstrap.snapshot: remove it, or say which run the site begins as", "backup.bootstrap.from")
}

// backup.drill.enabled false refuses every other key of the drill, but its resources with backup.binlog.enabled: nothing would read them.
func keysOfADrill(d *draft) field.ErrorList {
	if *d.stack.Backup.Drill.Enabled {
		return nil
	}
	unread := []string{"backup.drill.schedule", "backup.drill.minimumPosts", "backup.drill.missingUploads"}
	if !*d.stack.Backup.Binlog.Enabled {
		unread = append(unread, "backup.drill.resources")
	}
	return d.refuseGiven("not used without backup.drill.enabled: remove it, or set enabled", unread...)
}

// backup.metrics.enabled false refuses backup.metrics.image: nothing would run it.
func keysOfBackupMetrics(d *draft) field.ErrorList {
	if *d.stack.Backup.Metrics.Enabled {
		return nil
	}
	return d.refuseGiven("not used without backup.metrics.enabled: remove it, or set enabled", "backup.metrics.image")
}

// With backup.enabled database.name is short enough for the names of the databases that a restore makes: MySQL's names have at most 64
// characters, as have those that rights are given on, where each underscore counts twice.
func databaseNameLeavesRoom(d *draft) field.ErrorList {
	name := d.stack.Database.Name
	length := len(name) + strings.Count(name, "_")
	if !*d.stack.Backup.Enabled || length <= MaxBackedUpDatabaseName {
		return nil
	}
	return invalid("database.name", name, "must have at most %d characters with each underscore counted twice where it is backed up, and has %d: "+
		"a restore makes databases with longer names beside it", MaxBackedUpDatabaseName, length)
}

// backup.enabled, and a bootstrap, has backup.repository and, with network.enabled, backup.destination: the pods reach nothing that is not named.
func backupHasPlace(d *draft) field.ErrorList {
	b := d.stack.Backup
	var problems field.ErrorList
	if !b.UsesRepository() {
		return nil
	}
	if b.Repository == "" {
		problems = append(problems, field.Required(at("backup.repository"), "where the snapshots go, such as s3:https://s3.example.com/bucket/site"))
	}
	if len(b.Destination) == 0 && *d.stack.Network.Enabled {
		problems = append(problems, field.Required(at("backup.destination"),
			"where the storage is, such as [{cidr: 203.0.113.0/24, ports: [443]}]: a policy holds addresses, not names"))
	}
	if len(b.Destination) > 0 && !*d.stack.Network.Enabled {
		problems = append(problems, field.Forbidden(at("backup.destination"), "not used with network.enabled false: remove it, or set enabled"))
	}
	return problems
}

// backup.enabled, and a bootstrap, has backupPassword, backupAccessKey and backupSecretKey, as Pulumi secrets, or backup.existingSecret, not both: nobody would
// know which of them opens the backups.
func backupSecrets(d *draft) field.ErrorList {
	if !d.stack.Backup.UsesRepository() {
		return nil
	}
	var problems field.ErrorList
	for _, one := range []struct {
		key    string
		value  Secret
		length int
	}{
		{"backupPassword", d.stack.BackupPassword, MinBackupPasswordLength},
		{"backupAccessKey", d.stack.BackupAccessKey, 1},
		{"backupSecretKey", d.stack.BackupSecretKey, 1},
	} {
		problems = append(problems, d.checkSecret(one.key, one.value, secretSource{
			existing: d.stack.Backup.ExistingSecret != "", existingKey: "backup.existingSecret",
			minLength: one.length, maxLength: MaxPasswordLength,
		})...)
	}
	return problems
}

// backupAccessKey and backupSecretKey hold no white space and none of # ; " ' ` and \: the file that hands them to restic is read as if another
// value stood there.
func backupKeysAreRead(d *draft) field.ErrorList {
	var problems field.ErrorList
	for key, value := range map[string]Secret{"backupAccessKey": d.stack.BackupAccessKey, "backupSecretKey": d.stack.BackupSecretKey} {
		if strings.ContainsAny(string(value), " \t#;\"'`\\") {
			problems = append(problems, invalid(key, value, "must not contain white space or any of # ; \" ' ` \\, which the file that hands it to restic has "+
				"another meaning for: make another key")...)
		}
	}
	return problems
}

// backupPassword is no other of the stack's secrets: it is kept in other places than they, and lives longer.
func backupPasswordIsItsOwn(d *draft) field.ErrorList {
	s := d.stack
	for _, other := range []Secret{s.DatabasePassword, s.DatabaseRootPassword, s.AdminPassword, s.AuthSecret, s.BackupSecretKey} {
		if other != "" && other == s.BackupPassword {
			return invalid("backupPassword", s.BackupPassword, "must be no other secret of the stack: choose one of its own, and keep it outside the cluster")
		}
	}
	return nil
}

// In production backup.enabled is given: a site without backups is a decision, not something that nobody thought of.
func backupIsDecided(d *draft) field.ErrorList {
	if d.stack.Profile != Production || d.has("backup.enabled") {
		return nil
	}
	return field.ErrorList{field.Required(at("backup.enabled"), "true with a repository outside the cluster, or false where something else saves the site")}
}

// In production backup.repository is reached by https: whoever sits between would get the storage's key.
func backupIsEncrypted(d *draft) field.ErrorList {
	if d.stack.Profile != Production || !strings.HasPrefix(d.stack.Backup.Repository, "s3:http:") {
		return nil
	}
	return invalid("backup.repository", d.stack.Backup.Repository, "must begin with s3:https: in production")
}

// In production backup.image and backup.metrics.image have a tag with a full version, which are three numbers, or a digest: where a tag moves, a
// release nobody tried writes the backups.
func pinnedBackupImages(d *draft) field.ErrorList {
	b := d.stack.Backup
	if !b.UsesRepository() {
		return nil
	}
	return append(d.checkPinned("backup.image", b.Image, DefaultResticImage), d.checkPinned("backup.metrics.image", b.Metrics.Image, DefaultPushgatewayImage)...)
}
