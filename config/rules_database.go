package config

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"wordpress-on-kubernetes/components/limits"
)

var databaseRules = []rule{
	{connectionsSuffice, []string{"autoscaling", "frontend.replicas", "frontend.maxSurge", "frontend.workers",
		"frontend.resources.memory", "database.mode", "database.maxConnections"}},
	{connectionsFitInMemory, []string{"database.mode", "database.maxConnections", "database.resources.memory"}},
	{databaseNameFitsInGrant, []string{"database.mode", "database.name"}},
	{externalDatabaseKeys, []string{"database.mode"}},
	{externalDatabaseHost, []string{"database.mode", "database.host"}},
	{standaloneDatabaseKeys, []string{"database.mode"}},
	{authoritiesAreUsed, []string{"database.mode", "database.tls"}},
}

// database.maxConnections is at least one for each worker of each pod that can run, surge included, and a reserve of
// 10: a worker that is refused answers its visitor with an error page, and administration and backups need some too.
func connectionsSuffice(d *draft) field.ErrorList {
	db := d.stack.Database
	needed := d.stack.neededConnections()
	if db.Mode == External || *db.MaxConnections >= needed {
		return nil
	}
	return invalid("database.maxConnections", *db.MaxConnections,
		"must be at least %d: %d pods with %d workers each%s, and %d in reserve",
		needed, d.stack.peakPods(), *d.stack.Frontend.Workers, d.sourceOfWorkers(), limits.ConnectionReserve)
}

// sourceOfWorkers says where a number of workers comes from that nobody set.
func (d *draft) sourceOfWorkers() string {
	if d.has("frontend.workers") {
		return ""
	}
	r := d.stack.Frontend.Resources
	return fmt.Sprintf(", as many as frontend.resources give, %s of memory and %s of cpu", &r.Memory, &r.CPU)
}

// database.maxConnections is at most one for each 768Ki of database.resources.memory above 640Mi: the server and its least
// buffer pool take those, a connection that sorts takes up to 750 KiB, and a server that needs more is killed.
func connectionsFitInMemory(d *draft) field.ErrorList {
	db := d.stack.Database
	if db.Mode == External || int64(*db.MaxConnections) <= limits.Connections(db.Resources.Memory.Value()) {
		return nil
	}
	return invalid("database.maxConnections", *db.MaxConnections,
		"must be at most %d, one for each 768Ki above %s of resources.memory, which is %s: use fewer, or at least %s of memory",
		limits.Connections(db.Resources.Memory.Value()), mebibytes(limits.LeastServerBytes), &db.Resources.Memory,
		mebibytes(limits.ConnectionsMemory(*db.MaxConnections)))
}

// database.name has at most 64 characters with each underscore counted twice, in mode standalone: the image escapes
// underscores in the grant, and MySQL refuses a longer name there, which fails its first start.
func databaseNameFitsInGrant(d *draft) field.ErrorList {
	db := d.stack.Database
	length := len(db.Name) + strings.Count(db.Name, "_")
	if db.Mode == External || length <= maxDatabaseName {
		return nil
	}
	return invalid("database.name", db.Name, "must have at most %d characters with each underscore counted twice, and has %d",
		maxDatabaseName, length)
}

// database.mode external refuses the keys of a server that the program runs itself: nothing would read them, and
// whoever set them believes otherwise.
func externalDatabaseKeys(d *draft) field.ErrorList {
	if d.stack.Database.Mode != External {
		return nil
	}
	return d.refuseGiven("not used with database.mode external: remove it, or use mode standalone",
		"database.image", "database.resources", "database.maxConnections", "database.terminationGracePeriodSeconds",
		"storage.database", "podSecurity.database", "databaseRootPassword")
}

// database.mode external needs database.host: there is no default for somebody else's server.
func externalDatabaseHost(d *draft) field.ErrorList {
	if d.stack.Database.Mode != External || d.stack.Database.Host != "" {
		return nil
	}
	return field.ErrorList{field.Required(at("database.host"), "where the database of mode external is, such as mysql.example.com")}
}

// database.mode standalone refuses database.host, database.port and database.tls: the program's own server would be used
// instead.
func standaloneDatabaseKeys(d *draft) field.ErrorList {
	if d.stack.Database.Mode != Standalone {
		return nil
	}
	return d.refuseGiven("goes with database.mode external only: remove it, or set the mode", "database.host", "database.port",
		"database.tls")
}

// database.tls.caBundle goes with database.tls.mode verified: in the other modes no certificate is looked at, and whoever gave the
// authorities believes otherwise.
func authoritiesAreUsed(d *draft) field.ErrorList {
	db := d.stack.Database
	if db.Mode != External || db.TLS.CABundle == "" || db.TLS.Mode == DatabaseTLSVerified {
		return nil
	}
	return field.ErrorList{field.Forbidden(at("database.tls.caBundle"),
		"goes with mode verified only: remove it, or set the mode")}
}
