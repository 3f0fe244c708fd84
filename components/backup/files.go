package backup

import (
	"embed"
	"fmt"
	"maps"
	"strings"
	"text/template"

	"wordpress-on-kubernetes/components/limits"
)

// Keys of the ConfigMap, which are also the names of the files here.
const (
	commonKey      = "common.sh"
	databaseKey    = "database.sh"
	dumpKey        = "dump.sh"
	contentKey     = "content.sh"
	careKey        = "care.sh"
	drillKey       = "drill.sh"
	bootstrapKey   = "bootstrap.sh"
	restoreKey     = "restore.sh"
	arriveKey      = "arrive.php"
	moveKey        = "move.php"
	linksKey       = "links.php"
	receiveKey     = "receive.sh"
	serveKey       = "serve.sh"
	loadKey        = "load.sh"
	importKey      = "import.sh"
	importDumpKey  = "dump-imported.sh"
	authorityKey   = "ca.crt"
	databaseCAsKey = "database-ca.crt"
)

// scripts of the CronJobs, and bootstrapScripts of what a new stack begins with.
var (
	scripts          = []string{commonKey, databaseKey, dumpKey, contentKey, careKey, restoreKey, arriveKey, drillKey, receiveKey, serveKey, loadKey, moveKey, linksKey, importKey, importDumpKey}
	bootstrapScripts = []string{commonKey, bootstrapKey}
	// moveScripts are of a site that begins as one of another address.
	moveScripts = []string{moveKey, linksKey}
)

const (
	// Where what the program mounts lies in the containers.
	scriptsPath = "/scripts"
	toolPath    = "/tool"
	sharedPath  = "/shared"
	// movedPath is a file with the address that a site's links lead to. Where it is missing they lead here.
	movedPath      = sharedPath + "/moved"
	repositoryPath = "/etc/wordpress-backup"
	accountsPath   = "/etc/wordpress-backup-accounts"
	keysPath       = "/etc/wordpress-backup-keys"
	sitePath       = "/site"
	volumePath     = "/volume"
	drillPath      = "/var/drill"

	// imageDataPath is where the image of the server has its data, which no pod of the backup has.
	imageDataPath = "/var/lib/mysql"

	// host of the snapshots, whatever pod made them.
	host = "wordpress"
	// dumpName of the database in its snapshot.
	dumpName = "wordpress.sql"
	// drillName of a drill's result in its snapshot.
	drillName = "drill.json"
	// contactSeconds is how long the repository may take to answer at all: restic tries for 15 minutes.
	contactSeconds = 60
	// lockMinutes is how long another pod's work on the repository is waited for. A lock that nobody renews is stale after half an hour.
	lockMinutes = 35
	// tidySeconds is how long what can as well be done by the next run waits for it.
	tidySeconds = 5
	// lockSeconds is how long the swap waits for statements on the tables, which hold up others meanwhile, and swapTries how often it does.
	lockSeconds, swapTries = 5, 6
	// parts of the repository's data, of which each check reads one.
	parts = 7
	// locked is how restic ends where another one works on the repository.
	locked = 11
	// keepBefore is how many of the states are kept that were there before a restore, and keepBeforeDays for how many days all are.
	keepBefore, keepBeforeDays = 6, 30
	// keepDrills is how many results of drills are kept, and keepLeftovers for how many days snapshots are of runs that came to no end.
	keepDrills, keepLeftovers = 30, 7
	// keepImported is how many sites are kept that came from another host, and incomingSeconds how long one may take to come.
	keepImported, incomingSeconds = 3, 4 * 3600
	// sampleFiles of wp-content are read by a drill and compared with what was saved.
	sampleFiles = 20
	// complained is how a run ends that is saved, and could not be restored.
	complained = 3
	// patienceSeconds is how long MySQL may take to start.
	patienceSeconds = 900
)

//go:embed files
var sources embed.FS

var templates = template.Must(template.ParseFS(sources, "files/*"))

// files are what the pods run with.
func files(args *Args, scripts []string) map[string]string {
	values := map[string]any{
		"ScriptsPath":     scriptsPath,
		"ToolPath":        toolPath,
		"SharedPath":      sharedPath,
		"RepositoryPath":  repositoryPath,
		"ContentPath":     sitePath,
		"VolumePath":      volumePath,
		"Repository":      args.Repository,
		"AuthorityFile":   authorityFile(args),
		"Host":            host,
		"DumpName":        dumpName,
		"ContactSeconds":  contactSeconds,
		"LockMinutes":     lockMinutes,
		"TidySeconds":     tidySeconds,
		"LockSeconds":     lockSeconds,
		"SwapTries":       swapTries,
		"Locked":          locked,
		"KeepBefore":      keepBefore,
		"KeepDrills":      keepDrills,
		"KeepImported":    keepImported,
		"IncomingSeconds": incomingSeconds,
		"KeepLeftovers":   keepLeftovers,
		"KeepBeforeDays":  keepBeforeDays,
		"SampleFiles":     sampleFiles,
		"PatienceSeconds": patienceSeconds,
		"BootstrapMarker": limits.BootstrapMarker,
		"Complained":      complained,
		"DrillName":       drillName,
		"DrillPath":       drillPath,
		"Parts":           parts,
		"Keep":            args.Keep.options(),
		"Kinds":           kinds(args),
		"HasContent":      args.Content != nil,
		"SiteURL":         args.Site.URL,
		"MovedFile":       movedPath,
	}
	maps.Copy(values, databaseValues(&args.Database))
	maps.Copy(values, binlogValues(args))
	if args.Gateway != nil {
		values["GatewayHost"], values["GatewayPort"] = GatewayName, GatewayPort
	}
	if args.Content != nil {
		values["Excludes"] = args.Content.Excludes
	}
	all := make(map[string]string)
	for _, key := range scripts {
		all[key] = render(key, values)
	}
	if args.CABundle != "" {
		all[authorityKey] = args.CABundle
	}
	if args.Database.TLS != nil && args.Database.TLS.CABundle != "" {
		all[databaseCAsKey] = args.Database.TLS.CABundle
	}
	return all
}

// databaseValues are what the files say of the site's database.
func databaseValues(database *DatabaseArgs) map[string]any {
	values := map[string]any{
		"Foreign":          database.Restore.Secret != nil,
		"Database":         database.Name,
		"DatabaseHost":     database.Host,
		"DatabasePort":     database.Port,
		"DatabaseHasTLS":   database.TLS != nil,
		"DatabaseCAs":      database.authorities(),
		"DatabaseFlags":    limits.ConnectFlags(database.TLS != nil, database.TLS != nil && database.TLS.Verify),
		"RestoredDatabase": RestoredDatabase(database.Name),
		"EarlierDatabase":  EarlierDatabase(database.Name),
		"TablePrefix":      database.TablePrefix,
	}
	if tls := database.TLS; tls != nil && tls.CABundle != "" {
		values["DatabaseCABundle"] = scriptsPath + "/" + databaseCAsKey
	}
	return values
}

// RestoredDatabase is where a restore brings the tables together before they change places.
func RestoredDatabase(name string) string { return name + "_being_restored" }

// EarlierDatabase is where the tables go that were there before a restore.
func EarlierDatabase(name string) string { return name + "_before_restore" }

func authorityFile(args *Args) string {
	if args.CABundle == "" {
		return ""
	}
	return scriptsPath + "/" + authorityKey
}

// kinds of snapshots, in the order in which they are made.
func kinds(args *Args) []string {
	if args.Content == nil {
		return []string{"database"}
	}
	return []string{"database", "content"}
}

func (k Keep) options() string {
	var options []string
	for _, one := range []struct {
		name  string
		count int
	}{{"last", k.Last}, {"daily", k.Daily}, {"weekly", k.Weekly}, {"monthly", k.Monthly}} {
		if one.count > 0 {
			options = append(options, fmt.Sprintf("--keep-%s %d", one.name, one.count))
		}
	}
	return strings.Join(options, " ")
}

func render(key string, values map[string]any) string {
	var text strings.Builder
	// The templates are compiled in and get plain values: a failure is a mistake in this package.
	if err := templates.ExecuteTemplate(&text, key, values); err != nil {
		panic(fmt.Sprintf("backup: file %s: %v", key, err))
	}
	return text.String()
}
