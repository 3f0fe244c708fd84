package config

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// rule relates several values. It is skipped while one of the keys that it reads has a problem of its own:
// what it would say then rests on a default that the user did not ask for.
//
// A rule's detail quotes counts of other keys, never their text, because they may be marked secret.
type rule struct {
	check func(*draft) field.ErrorList
	reads []string
}

// rules are all rules between values. Their doc comments are part of the reference.
var rules = slices.Concat(scalingRules, timeAndSizeRules, storageRules, databaseRules, ingressRules, secretRules, productionRules)

// isReady reports whether none of the known problems is about a key that the rule reads.
func (r rule) isReady(known field.ErrorList) bool {
	return !slices.ContainsFunc(r.reads, func(key string) bool { return concerns(known, at(key).String()) })
}

// breaches are the problems of every rule whose values are sound.
func (d *draft) breaches(known field.ErrorList) field.ErrorList {
	var found field.ErrorList
	for _, r := range rules {
		if r.isReady(known) {
			found = append(found, r.check(d)...)
		}
	}
	return found
}

// invalid is the result of a rule that finds one value wrong.
func invalid(key string, value any, format string, args ...any) field.ErrorList {
	return field.ErrorList{field.Invalid(at(key), value, fmt.Sprintf(format, args...))}
}

// refuseGiven reports each of the keys that the user gave, although nothing would read it.
func (d *draft) refuseGiven(reason string, keys ...string) field.ErrorList {
	var problems field.ErrorList
	for _, key := range keys {
		if d.has(key) {
			problems = append(problems, field.Forbidden(at(key), reason))
		}
	}
	return problems
}

var scalingRules = []rule{
	{oneOwnerOfReplicas, []string{"autoscaling.enabled", "frontend.replicas"}},
	{minWithinMax, []string{"autoscaling"}},
	{updateMakesProgress, []string{"frontend.maxSurge", "frontend.maxUnavailable"}},
	{updateKeepsAPod, []string{"autoscaling", "frontend.replicas", "frontend.maxUnavailable"}},
	{budgetCanBeMet, []string{"autoscaling", "frontend.replicas", "frontend.disruptionBudget"}},
	{spreadFitsOnNodes, []string{"autoscaling", "frontend.replicas", "frontend.maxSurge", "frontend.spread", "frontend.nodes"}},
}

// frontend.replicas is refused while autoscaling is on: the next update would undo what the autoscaler did.
func oneOwnerOfReplicas(d *draft) field.ErrorList {
	if !*d.stack.Autoscaling.Enabled {
		return nil
	}
	return d.refuseGiven("the autoscaler owns the number of pods: remove it, or set autoscaling.enabled to false",
		"frontend.replicas")
}

// autoscaling.minReplicas is at most autoscaling.maxReplicas.
func minWithinMax(d *draft) field.ErrorList {
	a := d.stack.Autoscaling
	if !*a.Enabled || a.MinReplicas <= a.MaxReplicas {
		return nil
	}
	return invalid("autoscaling.minReplicas", a.MinReplicas, "must be at most maxReplicas, which is %d", a.MaxReplicas)
}

// frontend.maxSurge and frontend.maxUnavailable are not both 0: such an update could neither add a pod nor
// take one away.
func updateMakesProgress(d *draft) field.ErrorList {
	f := d.stack.Frontend
	if f.MaxSurge.roundUp(100) > 0 || f.MaxUnavailable.roundUp(100) > 0 {
		return nil
	}
	return invalid("frontend.maxSurge", f.MaxSurge, "must be more than 0 while maxUnavailable is 0: no update could begin")
}

// frontend.maxUnavailable leaves at least one pod of several to serve during an update.
func updateKeepsAPod(d *draft) field.ErrorList {
	least, _ := d.stack.ReplicaRange()
	unavailable := d.stack.Frontend.MaxUnavailable
	if least == 1 || unavailable.roundDown(least) < least {
		return nil
	}
	return invalid("frontend.maxUnavailable", unavailable,
		"must leave one of the %d pods to serve: use %d or less", least, least-1)
}

// frontend.disruptionBudget lets one pod go, or no node could be drained, and keeps one of several.
func budgetCanBeMet(d *draft) field.ErrorList {
	const key = "frontend.disruptionBudget.maxUnavailable"
	least, _ := d.stack.ReplicaRange()
	budget := d.stack.Frontend.DisruptionBudget.MaxUnavailable
	evictable := budget.roundUp(least)
	if evictable == 0 {
		return invalid(key, budget, "must be more than 0: no node that runs a pod could ever be drained")
	}
	if least > 1 && evictable >= least {
		return invalid(key, budget, "must leave one of the %d pods to serve: use %d or less", least, least-1)
	}
	return nil
}

// frontend.spread required needs a node for each pod, where frontend.nodes is stated. The pods that an update adds
// are spread by themselves and may share a node with an outgoing one.
func spreadFitsOnNodes(d *draft) field.ErrorList {
	f := d.stack.Frontend
	_, pods := d.stack.ReplicaRange()
	if f.Spread != SpreadRequired || f.Nodes == 0 || pods <= f.Nodes {
		return nil
	}
	return invalid("frontend.spread", f.Spread,
		"needs %d nodes for as many pods, and nodes says %d: use preferred, or fewer pods", pods, f.Nodes)
}

var timeAndSizeRules = []rule{
	{requestsFitInGracePeriod, []string{"frontend.drainSeconds", "frontend.maxRequestSeconds", "frontend.terminationGracePeriodSeconds"}},
	{workersFitInMemory, []string{"frontend.workers", "frontend.resources.memory"}},
	{uploadFitsOnDisk, []string{"frontend.maxUploadSize", "frontend.resources.ephemeralStorage"}},
	{nodePortHasType, []string{"frontend.service"}},
}

// frontend.terminationGracePeriodSeconds is more than drainSeconds and maxRequestSeconds together: a request
// that comes at the end of the drain still gets its answer. The drain counts inside the grace period.
func requestsFitInGracePeriod(d *draft) field.ErrorList {
	f := d.stack.Frontend
	needed := f.DrainSeconds + f.MaxRequestSeconds
	if f.TerminationGracePeriodSeconds > needed {
		return nil
	}
	return invalid("frontend.terminationGracePeriodSeconds", f.TerminationGracePeriodSeconds,
		"must be more than drainSeconds and maxRequestSeconds together, which is %d", needed)
}

// frontend.workers fit in frontend.resources.memory: 64 MiB for Apache and the opcode cache, 32 MiB a worker.
func workersFitInMemory(d *draft) field.ErrorList {
	f := d.stack.Frontend
	needed := workersMemory(*f.Workers)
	if needed.Cmp(f.Resources.Memory) <= 0 {
		return nil
	}
	return invalid("frontend.workers", *f.Workers, "need %s of memory and resources.memory is %s: use %d or less, or more memory",
		needed, &f.Resources.Memory, DefaultWorkers(f.Resources.Memory))
}

// frontend.maxUploadSize is at most frontend.resources.ephemeralStorage: an upload lies there until it is
// complete, and a pod that writes more is evicted.
func uploadFitsOnDisk(d *draft) field.ErrorList {
	f := d.stack.Frontend
	if f.MaxUploadSize.Cmp(f.Resources.EphemeralStorage) <= 0 {
		return nil
	}
	return invalid("frontend.maxUploadSize", f.MaxUploadSize.String(),
		"must be at most resources.ephemeralStorage, which is %s", quantityText(f.Resources.EphemeralStorage))
}

func quantityText(q resource.Quantity) string { return q.String() }

// frontend.service.nodePort goes with frontend.service.type NodePort.
func nodePortHasType(d *draft) field.ErrorList {
	s := d.stack.Frontend.Service
	if s.NodePort == 0 || s.Type == NodePort {
		return nil
	}
	return invalid("frontend.service.nodePort", s.NodePort, "goes with type NodePort only: remove it, or set the type")
}

var storageRules = []rule{
	{podsShareContent, []string{"autoscaling", "frontend.replicas", "storage.content.accessMode"}},
	{surgeCanMountContent, []string{"autoscaling", "frontend.replicas", "frontend.maxSurge", "storage.content.accessMode"}},
	{cephFSHasClass, []string{"storage.cephfs.create", "storage.content"}},
}

// storage.content.accessMode is ReadWriteMany where there can be more than one pod: they run on several nodes.
func podsShareContent(d *draft) field.ErrorList {
	_, greatest := d.stack.ReplicaRange()
	mode := d.stack.Storage.Content.AccessMode
	if greatest == 1 || mode == ReadWriteMany {
		return nil
	}
	return invalid("storage.content.accessMode", mode, "must be ReadWriteMany for %d pods on several nodes", greatest)
}

// frontend.maxSurge is 0 where a single pod has a ReadWriteOnce content volume: the new pod may land on another
// node and would wait for the volume for ever, while the update waits for the new pod.
func surgeCanMountContent(d *draft) field.ErrorList {
	_, greatest := d.stack.ReplicaRange()
	surge := d.stack.Frontend.MaxSurge
	if greatest > 1 || d.stack.Storage.Content.AccessMode == ReadWriteMany || surge.roundUp(greatest) == 0 {
		return nil
	}
	return invalid("frontend.maxSurge", surge,
		"must be 0, and maxUnavailable 1, with a ReadWriteOnce content volume: a second pod cannot mount it on another node")
}

// storage.cephfs.create needs the name of the StorageClass to create, in storage.content.storageClass, and
// ReadWriteMany, which is what the file system is for.
func cephFSHasClass(d *draft) field.ErrorList {
	s := d.stack.Storage
	if !s.CephFS.Create {
		return nil
	}
	var problems field.ErrorList
	if s.Content.StorageClass == "" {
		problems = append(problems, field.Required(at("storage.content.storageClass"),
			"the name of the StorageClass that cephfs.create creates, such as csi-cephfs"))
	}
	if s.Content.AccessMode != ReadWriteMany {
		problems = append(problems, field.Invalid(at("storage.content.accessMode"), s.Content.AccessMode,
			"must be ReadWriteMany with cephfs.create"))
	}
	return problems
}

var databaseRules = []rule{
	{connectionsSuffice, []string{"autoscaling", "frontend.replicas", "frontend.maxSurge", "frontend.workers",
		"frontend.resources.memory", "database.mode", "database.maxConnections"}},
	{externalDatabaseKeys, []string{"database.mode"}},
	{externalDatabaseHost, []string{"database.mode", "database.host"}},
	{standaloneDatabaseKeys, []string{"database.mode"}},
}

// database.maxConnections is at least one for each worker of each pod that can run, surge included, and a
// reserve of 10 for administration, backups and scheduled tasks.
func connectionsSuffice(d *draft) field.ErrorList {
	db := d.stack.Database
	needed := d.stack.neededConnections()
	if db.Mode == External || *db.MaxConnections >= needed {
		return nil
	}
	return invalid("database.maxConnections", *db.MaxConnections,
		"must be at least %d: %d pods with %d workers each, and %d in reserve",
		needed, d.stack.peakPods(), *d.stack.Frontend.Workers, ConnectionReserve)
}

// database.mode external refuses the keys of a database that the program runs itself.
func externalDatabaseKeys(d *draft) field.ErrorList {
	if d.stack.Database.Mode != External {
		return nil
	}
	return d.refuseGiven("not used with database.mode external: remove it, or use mode standalone",
		"database.image", "database.resources", "database.maxConnections", "database.terminationGracePeriodSeconds",
		"storage.database", "databaseRootPassword")
}

// database.mode external needs database.host.
func externalDatabaseHost(d *draft) field.ErrorList {
	if d.stack.Database.Mode != External || d.stack.Database.Host != "" {
		return nil
	}
	return field.ErrorList{field.Required(at("database.host"), "where the database of mode external is, such as mysql.example.com")}
}

// database.mode standalone refuses database.host and database.port.
func standaloneDatabaseKeys(d *draft) field.ErrorList {
	if d.stack.Database.Mode != Standalone {
		return nil
	}
	return d.refuseGiven("goes with database.mode external only: remove it, or set the mode", "database.host", "database.port")
}

// covers reports whether a certificate for the domain is good for the host: a wildcard stands for exactly one
// label.
func covers(domain, host string) bool {
	if parent, wildcard := strings.CutPrefix(domain, "*."); wildcard {
		_, rest, found := strings.Cut(host, ".")
		return found && rest == parent
	}
	return domain == host
}
