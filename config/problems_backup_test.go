package config

import "strings"

// A backup with everything that it needs.
const (
	backupKeys   = `wordpress:backupPassword: {secure: a-password-of-its-own}, wordpress:backupAccessKey: {secure: AKIA}, wordpress:backupSecretKey: {secure: its-secret}`
	aRepository  = `repository: "s3:https://s3.example.com/bucket/site"`
	aDestination = `destination: [{cidr: 203.0.113.0/24, ports: [443]}]`
	wholeBackup  = `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`
)

const (
	notWithoutBackup = ": Forbidden: not used without backup.enabled: remove it, or set enabled"
	fiveFields       = ": must be the five fields of cron, such as 17 2 * * * for every night at 2:17, in UTC"
)

// The backup.
var backupProblems = []problemCase{
	{"keys without a backup", `{wordpress:backup: {` + aRepository + `, schedule: "1 1 * * *"}, wordpress:backupPassword: {secure: a-password-of-its-own}}`, []string{
		`backup.repository` + notWithoutBackup,
		`backup.schedule` + notWithoutBackup,
		`backupPassword` + notWithoutBackup,
	}},
	{"backup to nowhere", `wordpress:backup: {enabled: true}`, []string{
		`backup.destination: Required value: where the storage is, such as [{cidr: 203.0.113.0/24, ports: [443]}]: a policy holds addresses, not names`,
		`backup.repository: Required value: where the snapshots go, such as s3:https://s3.example.com/bucket/site`,
		`backupAccessKey: Required value: run: pulumi config set --secret wordpress:backupAccessKey, or name a Secret in backup.existingSecret`,
		`backupPassword: Required value: run: pulumi config set --secret wordpress:backupPassword, or name a Secret in backup.existingSecret`,
		`backupSecretKey: Required value: run: pulumi config set --secret wordpress:backupSecretKey, or name a Secret in backup.existingSecret`,
	}},
	{"a copy that is saved as well", `{wordpress:backup: {bootstrap: {snapshot: latest}, schedule: "1 1 * * *", content: {enabled: false, exclude: [cache]}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`, []string{
		`backup.content.exclude` + notWithoutBackup,
		`backup.schedule` + notWithoutBackup,
	}},
	{"copy of nothing", `wordpress:backup: {bootstrap: {snapshot: latest}}`, []string{
		`backup.destination: Required value: where the storage is, such as [{cidr: 203.0.113.0/24, ports: [443]}]: a policy holds addresses, not names`,
		`backup.repository: Required value: where the snapshots go, such as s3:https://s3.example.com/bucket/site`,
		`backupAccessKey: Required value: run: pulumi config set --secret wordpress:backupAccessKey, or name a Secret in backup.existingSecret`,
		`backupPassword: Required value: run: pulumi config set --secret wordpress:backupPassword, or name a Secret in backup.existingSecret`,
		`backupSecretKey: Required value: run: pulumi config set --secret wordpress:backupSecretKey, or name a Secret in backup.existingSecret`,
	}},
	{"move of no run", `{wordpress:backup: {enabled: true, bootstrap: {from: "https://www.company.com"}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`, []string{
		`backup.bootstrap.from: Forbidden: not used without backup.bootstrap.snapshot: remove it, or say which run the site begins as`,
	}},
	{"move from here", `{wordpress:site: {host: www.example.com}, wordpress:backup: {bootstrap: {snapshot: latest, from: "https://www.example.com"}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`, []string{
		`backup.bootstrap.from: Invalid value: "https://www.example.com": must be the address of another site: remove it, since a run of this site's own needs none`,
	}},
	{"move from no address", `{wordpress:backup: {bootstrap: {snapshot: latest, from: "https://www.example.com/"}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`, []string{
		`backup.bootstrap.from: Invalid value: "https://www.example.com/": must be the address of a site, as its Settings, General say, in lower case and without a slash at its end, such as https://www.example.com`,
	}},
	{"values of a backup that cannot be", `{wordpress:backup: {enabled: true, repository: "s3:https://s3.example.com/bucket", ` + aDestination + `, existingSecret: A_b, ` +
		`schedule: daily, careSchedule: "TZ=UTC 1 1 * * *", keep: {last: -1, daily: 1001, weekly: 1001, monthly: 1001}, content: {exclude: [/cache, ../x]}, ` +
		`caBundle: none, image: "restic/restic:0.16.4", resources: {cpu: 1m, cpuLimit: 200, memory: 255Mi, ephemeralStorage: 1Mi}}}`, []string{
		`backup.caBundle: Invalid value: "4 bytes": must be certificates in PEM: no. 1 does not begin with -----BEGIN CERTIFICATE----- or does not end`,
		`backup.careSchedule: Invalid value: "TZ=UTC 1 1 * * *"` + fiveFields,
		`backup.content.exclude[0]: Invalid value: "/cache": must be the path of a folder in wp-content, such as uploads/temporary`,
		`backup.content.exclude[1]: Invalid value: "../x": must be the path of a folder in wp-content, such as uploads/temporary`,
		`backup.existingSecret: Invalid value: "A_b": must be a Secret's name: lower case letters, digits, - and .`,
		`backup.image: Invalid value: "restic/restic:0.16.4": must be restic 0.17.0 or newer, such as restic/restic:0.19.1: older ones save a dump that failed` + ownNumbers,
		`backup.keep.daily: Invalid value: 1001: must be from 0 to 1000 days`,
		`backup.keep.last: Invalid value: -1: must be from 0 to 1000 snapshots`,
		`backup.keep.monthly: Invalid value: 1001: must be from 0 to 1000 months`,
		`backup.keep.weekly: Invalid value: 1001: must be from 0 to 1000 weeks`,
		`backup.repository: Invalid value: "s3:https://s3.example.com/bucket": must name a bucket and a folder in it for this site alone, such as /bucket/site`,
		`backup.resources.cpu: Invalid value: "1m": must be at least 10m`,
		`backup.resources.cpuLimit: Invalid value: "200": must be at most 128 cores: a thousandth of a core is 1m`,
		`backup.resources.ephemeralStorage: Invalid value: "1Mi": must be at least 64Mi`,
		`backup.resources.memory: Invalid value: "255Mi": must be at least 256Mi`,
		`backup.schedule: Invalid value: "daily"` + fiveFields,
	}},
	{"drill of a backup that is off", `wordpress:backup: {drill: {schedule: "1 1 * * *"}}`, []string{
		`backup.drill` + notWithoutBackup,
	}},
	{"values of a drill that cannot be", `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, drill: {schedule: never, minimumPosts: -1, ` +
		`missingUploads: 1000001, resources: {cpu: 1m, cpuLimit: 200, memory: 767Mi, ephemeralStorage: 1Mi}}, metrics: {image: "a b"}, bootstrap: {snapshot: yesterday}}, ` + backupKeys + `}`, []string{
		`backup.bootstrap.snapshot: Invalid value: "yesterday": must be latest, or a run as make backups lists them, such as run-20261129T021700Z`,
		`backup.drill.minimumPosts: Invalid value: -1: must be from 0 to 1000000 posts`,
		`backup.drill.missingUploads: Invalid value: 1000001: must be from 0 to 1000000 uploads`,
		`backup.drill.resources.cpu: Invalid value: "1m": must be at least 10m`,
		`backup.drill.resources.cpuLimit: Invalid value: "200": must be at most 128 cores: a thousandth of a core is 1m`,
		`backup.drill.resources.ephemeralStorage: Invalid value: "1Mi": must be at least 64Mi`,
		`backup.drill.resources.memory: Invalid value: "767Mi": must be at least 768Mi`,
		`backup.drill.schedule: Invalid value: "never"` + fiveFields,
		`backup.metrics.image: Invalid value: "a b": must be an image reference such as wordpress:7.1.4-php8.3-apache`,
	}},
	{"settings of a drill that is off", `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, drill: {enabled: false, minimumPosts: 2}}, ` + backupKeys + `}`, []string{
		`backup.drill.minimumPosts: Forbidden: not used without backup.drill.enabled: remove it, or set enabled`,
	}},
	{"image of a gateway that is off", `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, metrics: {enabled: false, image: "prom/pushgateway:v1.11.2"}}, ` + backupKeys + `}`, []string{
		`backup.metrics.image: Forbidden: not used without backup.metrics.enabled: remove it, or set enabled`,
	}},
	{"name of a database that a restore cannot lengthen", `{wordpress:database: {name: ` + strings.Repeat("a", 48) + `}, wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`, []string{
		`database.name: Invalid value: "` + strings.Repeat("a", 48) + `": must have at most 47 characters with each underscore counted twice where it is backed up, and has 48: a restore makes databases with longer names beside it`,
	}},
	{"content, perhaps", `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, content: {enabled: maybe}}, ` + backupKeys + `}`, []string{
		`backup.content.enabled: Invalid value: "maybe": must be true or false, without quotes`,
	}},
	{"drill and metrics, perhaps", `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, drill: {enabled: maybe}, metrics: {enabled: maybe}}, ` + backupKeys + `}`, []string{
		`backup.drill.enabled: Invalid value: "maybe": must be true or false, without quotes`,
		`backup.metrics.enabled: Invalid value: "maybe": must be true or false, without quotes`,
	}},
	{"keys that a file of options cuts", `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, content: {exclude: [a/b, a, "up$x"]}}, ` +
		`wordpress:backupPassword: {secure: a-password-of-its-own}, wordpress:backupAccessKey: {secure: "AK#IA"}, wordpress:backupSecretKey: {secure: "its secret"}}`, []string{
		`backup.content.exclude[0]: Invalid value: "a/b": must not be in another one, which leaves it out already: remove it`,
		`backup.content.exclude[2]: Invalid value: "up$x": must be the path of a folder in wp-content, such as uploads/temporary`,
		`backupAccessKey: Invalid value: "[secret]": must not contain white space or any of # ; " ' ` + "` \\" + `, which the file that hands it to restic has another meaning for: make another key`,
		`backupSecretKey: Invalid value: "[secret]": must not contain white space or any of # ; " ' ` + "` \\" + `, which the file that hands it to restic has another meaning for: make another key`,
	}},
	{"credentials in the repository", `{wordpress:backup: {enabled: true, repository: "s3:https://key:secret@s3.example.com/bucket/site", ` + aDestination + `}, ` + backupKeys + `}`, []string{
		`backup.repository: Forbidden: must hold no credentials: give them by backupAccessKey and backupSecretKey, and change those that stood here`,
	}},
	{"repository elsewhere", `{wordpress:backup: {enabled: true, repository: "sftp:backup@host:/site", ` + aDestination + `}, ` + backupKeys + `}`, []string{
		`backup.repository: Invalid value: "sftp:backup@host:/site": must be an address such as s3:https://s3.example.com/bucket/site`,
	}},
	{"nothing kept", `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, keep: {last: 0, daily: 0, weekly: 0, monthly: 0}}, ` + backupKeys + `}`, []string{
		`backup.keep: Invalid value: "nothing": must keep something: one of last, daily, weekly and monthly above 0`,
	}},
	{"destination that no policy needs", `{wordpress:network: {enabled: false}, wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`, []string{
		`backup.destination: Forbidden: not used with network.enabled false: remove it, or set enabled`,
	}},
	{"two sources of the password", `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, existingSecret: kept}, ` + backupKeys + `}`, []string{
		`backupAccessKey: Forbidden: backup.existingSecret already holds it: remove one of the two`,
		`backupPassword: Forbidden: backup.existingSecret already holds it: remove one of the two`,
		`backupSecretKey: Forbidden: backup.existingSecret already holds it: remove one of the two`,
	}},
	{"password of something else", `{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `}, wordpress:backupPassword: {secure: ` + testAuthSecret +
		`}, wordpress:backupAccessKey: {secure: AKIA}, wordpress:backupSecretKey: {secure: its-secret}}`, []string{
		`backupPassword: Invalid value: "[secret]": must be no other secret of the stack: choose one of its own, and keep it outside the cluster`,
	}},
	{"nobody has decided", `{wordpress:profile: production, wordpress:backup: null}`, []string{
		`backup.enabled: Required value: true with a repository outside the cluster, or false where something else saves the site`,
	}},
	{"open and moving in production", `{wordpress:profile: production, wordpress:backup: {enabled: true, image: "restic/restic:latest", repository: "s3:http://s3.example.com/bucket/site", ` +
		aDestination + `}, ` + backupKeys + `}`, []string{
		`backup.image: Invalid value: "restic/restic:latest": ` + mustBePinned + DefaultResticImage + orByDigest,
		`backup.repository: Invalid value: "s3:http://s3.example.com/bucket/site": must begin with s3:https: in production`,
	}},
}
