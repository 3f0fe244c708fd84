package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateBackup(b *Backup) field.ErrorList {
	return slices.Concat(
		validateRepository(b.Repository),
		checkOptionalDNSName(at("backup.existingSecret"), b.ExistingSecret, "a Secret's name"),
		checkCABundle(at("backup.caBundle"), b.CABundle, maxBackupCABundle),
		checkSchedule(at("backup.schedule"), b.Schedule),
		checkSchedule(at("backup.careSchedule"), b.CareSchedule),
		validateKeep(&b.Keep),
		validateExcludes(b.Content.Exclude),
		checkSchedule(at("backup.drill.schedule"), b.Drill.Schedule),
		checkRange(at("backup.drill.minimumPosts"), b.Drill.MinimumPosts, 0, MaxPosts, "posts"),
		checkRange(at("backup.drill.missingUploads"), b.Drill.MissingUploads, 0, MaxPosts, "uploads"),
		validateResources(at("backup.drill.resources"), b.Drill.Resources, MinDrillMemory),
		checkRun(at("backup.bootstrap.snapshot"), b.Bootstrap.Snapshot),
		checkSiteAddress(at("backup.bootstrap.from"), b.Bootstrap.From),
		validateBinlog(&b.Binlog),
		checkGatewayImage(at("backup.metrics.image"), b.Metrics.Image),
		validateDestinations(at("backup.destination"), b.Destination),
		checkResticImage(at("backup.image"), b.Image),
		validateResources(at("backup.resources"), b.Resources, MinBackupMemory),
	)
}

// validateRepository passes one that is not given. The scripts of the pods hold it in quotes.
func validateRepository(repository string) field.ErrorList {
	if repository == "" {
		return nil
	}
	where := at("backup.repository")
	address, isS3 := strings.CutPrefix(repository, "s3:")
	parsed, err := url.Parse(address)
	switch {
	case !isS3 || err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || !isServer(parsed.Hostname()) ||
		parsed.RawQuery != "" || parsed.Fragment != "" || strings.ContainsAny(address, "'\\ \t\n"):
		return field.ErrorList{field.Invalid(where, cut(repository), "must be an address such as s3:https://s3.example.com/bucket/site")}
	case parsed.User != nil:
		return field.ErrorList{field.Forbidden(where,
			"must hold no credentials: give them by backupAccessKey and backupSecretKey, and change those that stood here")}
	case strings.Count(strings.Trim(parsed.Path, "/"), "/") < 1:
		return field.ErrorList{field.Invalid(where, repository, "must name a bucket and a folder in it for this site alone, such as /bucket/site")}
	}
	return nil
}

// isServer accepts a DNS name or an address.
func isServer(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil || isHostName(name)
}

// checkSchedule accepts what a CronJob does, and no time zone in it.
func checkSchedule(where *field.Path, schedule string) field.ErrorList {
	const wanted = "must be the five fields of cron, such as 17 2 * * * for every night at 2:17, in UTC"
	if strings.Contains(schedule, "TZ") || strings.HasPrefix(schedule, "@every") {
		return field.ErrorList{field.Invalid(where, schedule, wanted)}
	}
	if _, err := cron.ParseStandard(schedule); err != nil {
		return field.ErrorList{field.Invalid(where, schedule, wanted)}
	}
	return nil
}

func validateKeep(k *BackupKeep) field.ErrorList {
	problems := slices.Concat(
		checkRange(at("backup.keep.last"), k.Last, 0, MaxKept, "snapshots"),
		checkRange(at("backup.keep.daily"), k.Daily, 0, MaxKept, "days"),
		checkRange(at("backup.keep.weekly"), k.Weekly, 0, MaxKept, "weeks"),
		checkRange(at("backup.keep.monthly"), k.Monthly, 0, MaxKept, "months"),
	)
	if *k == (BackupKeep{}) {
		problems = append(problems, field.Invalid(at("backup.keep"), "nothing", "must keep something: one of last, daily, weekly and monthly above 0"))
	}
	return problems
}

func validateExcludes(excludes []string) field.ErrorList {
	var problems field.ErrorList
	for i, exclude := range excludes {
		if exclude == "" || path.IsAbs(exclude) || path.Clean(exclude) != exclude || strings.HasPrefix(exclude, "..") || exclude == "." ||
			strings.ContainsAny(exclude, "'\"`$\\*?[\n") {
			problems = append(problems, field.Invalid(at("backup.content.exclude").Index(i), exclude,
				"must be the path of a folder in wp-content, such as uploads/temporary"))
		}
		for _, other := range excludes {
			if strings.HasPrefix(exclude, other+"/") {
				problems = append(problems, field.Invalid(at("backup.content.exclude").Index(i), exclude, "must not be in another one, which leaves it out already: remove it"))
			}
		}
	}
	return problems
}

var runName = regexp.MustCompile(`^(latest|run-\d{8}T\d{6}Z)$`)

// checkRun passes one that is not given.
func checkRun(where *field.Path, run string) field.ErrorList {
	if run == "" || runName.MatchString(run) {
		return nil
	}
	return field.ErrorList{field.Invalid(where, cut(run), "must be latest, or a run as make backups lists them, such as run-20261129T021700Z")}
}

var sitePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)

// checkSiteAddress passes one that is not given. A slash at its end would be missed in links that have none.
func checkSiteAddress(where *field.Path, address string) field.ErrorList {
	if address == "" {
		return nil
	}
	parsed, err := url.Parse(address)
	if err == nil && (parsed.Scheme == "https" || parsed.Scheme == "http") && parsed.User == nil && parsed.RawQuery == "" && parsed.Fragment == "" &&
		isServer(parsed.Hostname()) && sitePath.MatchString(parsed.Path) && parsed.RawPath == "" && parsed.Scheme+"://"+parsed.Host+parsed.Path == address {
		return nil
	}
	return field.ErrorList{field.Invalid(where, cut(address), "must be the address of a site, as its Settings, General say, in lower case and without a slash at "+
		"its end, such as https://www.example.com")}
}

func checkGatewayImage(where *field.Path, value string) field.ErrorList {
	_, problems := checkImage(where, value)
	return problems
}

// checkResticImage refuses versions that are too old.
func checkResticImage(where *field.Path, value string) field.ErrorList {
	image, problems := checkImage(where, value)
	if problems == nil && isOlder(image, "restic", MinResticVersion) {
		problems = field.ErrorList{field.Invalid(where, value, fmt.Sprintf("must be restic %s or newer, such as %s: older ones save a dump that "+
			"failed%s", MinResticVersion, DefaultResticImage, ownNumbers))}
	}
	return problems
}

// MaxAge is how old the newest run may be: twice the longest pause between two of a year. 0 where there are no two.
func (b *Backup) MaxAge() time.Duration {
	schedule, err := cron.ParseStandard(b.Schedule)
	if err != nil {
		return 0
	}
	// Any year is as good; a fixed one has the same configuration make the same objects.
	const most = 1000
	last := schedule.Next(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	var longest time.Duration
	for end, runs := last.AddDate(1, 0, 0), 0; !last.IsZero() && last.Before(end) && runs < most; runs++ {
		next := schedule.Next(last)
		longest, last = max(longest, next.Sub(last)), next
	}
	return 2 * longest
}
