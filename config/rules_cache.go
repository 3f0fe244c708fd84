package config

import (
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"wordpress-on-kubernetes/components/limits"
)

var cacheRules = []rule{
	{cacheHasEdge, []string{"cache.enabled", "ingress.kind", "network.enabled"}},
	{keptWithinNonces, []string{"cache.ttlSeconds", "cache.staleSeconds"}},
	{cacheFitsOnDisk, []string{"cache.enabled", "cache.size", "cache.resources.ephemeralStorage", "frontend.maxUploadSize"}},
	{cacheFitsInMemory, []string{"cache.size", "cache.resources.memory"}},
	{cacheUsersAreUsed, []string{"cache.enabled", "podSecurity.cache"}},
}

// cache.enabled goes with an edge, which ingress.kind or network.edge names: the cache decides by it whose word it takes for a visitor's
// address and for HTTPS.
func cacheHasEdge(d *draft) field.ErrorList {
	if !*d.stack.Cache.Enabled || d.stack.Ingress.Kind != IngressNone || *d.stack.Network.Enabled {
		return nil
	}
	return invalid("cache.enabled", true, "has no edge with ingress.kind none and network.enabled false: choose a kind, or turn the network "+
		"on and name the edge in network.edge")
}

// cache.ttlSeconds and cache.staleSeconds are together at most 43200: the forms in a page carry a number that WordPress takes for twelve
// hours at the least, and refuses afterwards.
func keptWithinNonces(d *draft) field.ErrorList {
	c := d.stack.Cache
	if c.TTLSeconds+c.StaleSeconds <= MaxNonceSeconds {
		return nil
	}
	return invalid("cache.staleSeconds", c.StaleSeconds, "must be at most %d with ttlSeconds of %d: forms in a page are good for %d seconds",
		MaxNonceSeconds-c.TTLSeconds, c.TTLSeconds, MaxNonceSeconds)
}

// cache.size leaves room in cache.resources.ephemeralStorage for eight uploads of frontend.maxUploadSize and 64Mi of logs: bodies lie there
// until WordPress has them, and a pod that writes more is evicted.
func cacheFitsOnDisk(d *draft) field.ErrorList {
	c := d.stack.Cache
	needed := resource.MustParse(MinEphemeralStorage)
	needed.Add(*resource.NewQuantity(limits.CacheUploads*limits.MaxBodyBytes(d.stack.Frontend.MaxUploadSize.Value()), resource.BinarySI))
	needed.Add(c.Size)
	if !*c.Enabled || needed.Cmp(c.Resources.EphemeralStorage) <= 0 {
		return nil
	}
	return invalid("cache.size", c.Size.String(), "with %d uploads of frontend.maxUploadSize and %s of logs needs %s, and "+
		"cache.resources.ephemeralStorage is %s: use less, or at least %s there",
		limits.CacheUploads, MinEphemeralStorage, mebibytes(needed.Value()), &c.Resources.EphemeralStorage, mebibytes(needed.Value()))
}

// cache.size is at most 64 times what cache.resources.memory has beyond 48Mi: for each page that is kept nginx has a note in memory.
func cacheFitsInMemory(d *draft) field.ErrorList {
	const base, ratio = 48 << 20, 64
	c := d.stack.Cache
	most := (c.Resources.Memory.Value() - base) * ratio
	if c.Size.Value() <= most {
		return nil
	}
	return invalid("cache.size", c.Size.String(), "must be at most %s with cache.resources.memory of %s: use less, or more memory",
		mebibytes(most), &c.Resources.Memory)
}

// podSecurity.cache goes with cache.enabled: nothing runs as that user otherwise.
func cacheUsersAreUsed(d *draft) field.ErrorList {
	if *d.stack.Cache.Enabled {
		return nil
	}
	return d.refuseGiven("goes with cache.enabled only: remove it, or turn the cache on", "podSecurity.cache")
}
