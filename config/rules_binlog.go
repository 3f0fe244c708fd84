package config

import "k8s.io/apimachinery/pkg/util/validation/field"

// exampleBinlogImage is in messages. There is no default: nobody publishes one.
const exampleBinlogImage = "registry.example.com/mysql-binlog:9.7.4"

func validateBinlog(b *BackupBinlog) field.ErrorList {
	problems := append(
		checkRange(at("backup.binlog.seconds"), b.Seconds, MinBinlogSeconds, MaxBinlogSeconds, "seconds"),
		checkRange(at("backup.binlog.keepDays"), b.KeepDays, 1, MaxBinlogKeepDays, "days")...)
	if b.Image == "" {
		return problems
	}
	_, ofImage := checkImage(at("backup.binlog.image"), b.Image)
	return append(problems, ofImage...)
}

// keepsBinlog tells of one that is brought somewhere.
func (d *draft) keepsBinlog() bool { return *d.stack.Backup.Enabled && *d.stack.Backup.Binlog.Enabled }

// backup.binlog.enabled false refuses every other key of backup.binlog: nothing would read them, and whoever set them believes that any second
// can be restored.
func keysOfABinlog(d *draft) field.ErrorList {
	if *d.stack.Backup.Binlog.Enabled {
		return nil
	}
	return d.refuseGiven("not used without backup.binlog.enabled: remove it, or set enabled",
		"backup.binlog.seconds", "backup.binlog.keepDays", "backup.binlog.image")
}

// backup.binlog.enabled has backup.binlog.image: the official image of MySQL has no mysqlbinlog.
func binlogHasImage(d *draft) field.ErrorList {
	if !d.keepsBinlog() || d.stack.Backup.Binlog.Image != "" {
		return nil
	}
	return field.ErrorList{field.Required(at("backup.binlog.image"),
		"an image of MySQL with mysqlbinlog, which the official one lacks, such as "+exampleBinlogImage+": docs/examples/mysqlbinlog makes one")}
}

// backup.binlog.enabled goes with database.mode standalone and without database.existingSecret: the program sets up the log and an account that
// reads it in a server of its own, whose root's password it knows.
func binlogIsOfOwnServer(d *draft) field.ErrorList {
	const way = ": remove it, and have whoever runs the server keep its log"
	db := d.stack.Database
	switch {
	case !d.keepsBinlog():
		return nil
	case db.Mode == External:
		return field.ErrorList{field.Forbidden(at("backup.binlog.enabled"), "not possible with database.mode external, whose log and accounts are not the program's"+way)}
	case db.ExistingSecret != "":
		return field.ErrorList{field.Forbidden(at("backup.binlog.enabled"), "not possible with database.existingSecret, without root's password to make an account that reads "+
			"the log: remove one of the two")}
	}
	return nil
}

// With backup.binlog.enabled backup.keep.daily is more than backup.binlog.keepDays: a second is restored from the run before it.
func runsOutliveBinlog(d *draft) field.ErrorList {
	b := d.stack.Backup
	if !d.keepsBinlog() || b.Keep.Daily > b.Binlog.KeepDays {
		return nil
	}
	return invalid("backup.keep.daily", b.Keep.Daily, "must be more than backup.binlog.keepDays, which is %d: a second is restored from the run before it", b.Binlog.KeepDays)
}

// In production backup.binlog.image has a tag with a full version, which are three numbers, or a digest: it must be of the server's release.
func pinnedBinlogImage(d *draft) field.ErrorList {
	image := d.stack.Backup.Binlog.Image
	if !d.keepsBinlog() || image == "" {
		return nil
	}
	return d.checkPinned("backup.binlog.image", image, exampleBinlogImage)
}
