package config

// The cache.
var cacheProblems = []problemCase{
	{"values of the cache that cannot be", `
wordpress:cache: {enabled: true, replicas: 11, image: "nginx:1.30.4-alpine-slim", ttlSeconds: 0, staleSeconds: 43201, size: 1Mi, resources: {memory: 32Mi}}`, []string{
		`cache.image: Invalid value: "nginx:1.30.4-alpine-slim": must have njs's module: use a variant that is neither slim nor perl`,
		`cache.replicas: Invalid value: 11: must be from 1 to 10 pods`,
		`cache.resources.memory: Invalid value: "32Mi": must be at least 64Mi`,
		`cache.size: Invalid value: "1Mi": must be at least 16Mi`,
		`cache.staleSeconds: Invalid value: 43201: must be from 1 to 43200 seconds`,
		`cache.ttlSeconds: Invalid value: 0: must be from 1 to 43200 seconds`,
	}},
	{"old nginx", `wordpress:cache: {enabled: true, image: "nginx:1.28.0"}`, []string{
		`cache.image: Invalid value: "nginx:1.28.0": must be nginx 1.30.4 or newer, such as nginx:1.30.6: older ones have faults that visitors can use` + ownNumbers,
	}},
	{"cache without an edge", `
wordpress:profile: development
wordpress:network: {enabled: false}
wordpress:ingress: {kind: none}
wordpress:cache: {enabled: true}`, []string{
		`cache.enabled: Invalid value: true: has no edge with ingress.kind none and network.enabled false: choose a kind, or turn the network on and name the edge in network.edge`,
	}},
	{"pages kept beyond their forms", `wordpress:cache: {enabled: true, ttlSeconds: 3600, staleSeconds: 40000}`, []string{
		`cache.staleSeconds: Invalid value: 40000: must be at most 39600 with ttlSeconds of 3600: forms in a page are good for 43200 seconds`,
	}},
	{"cache beyond its disk", `wordpress:cache: {enabled: true, size: 1Gi}`, []string{
		`cache.size: Invalid value: "1Gi": with 8 uploads of frontend.maxUploadSize and 64Mi of logs needs 1608Mi, and cache.resources.ephemeralStorage is 1Gi: use less, or at least 1608Mi there`,
	}},
	{"notes beyond the cache's memory", `
wordpress:cache: {enabled: true, size: 6Gi, resources: {memory: 128Mi, ephemeralStorage: 8Gi}}`, []string{
		`cache.size: Invalid value: "6Gi": must be at most 5120Mi with cache.resources.memory of 128Mi: use less, or more memory`,
	}},
	{"user of no cache", `wordpress:podSecurity: {cache: {userID: 20000}}`, []string{
		`podSecurity.cache: Forbidden: goes with cache.enabled only: remove it, or turn the cache on`,
	}},
	{"resources and users that cannot be", `
wordpress:cache: {enabled: true, resources: {cpu: 1m, cpuLimit: 200, ephemeralStorage: 1Mi}}
wordpress:podSecurity: {cache: {groupID: 0, fsGroup: -1}}`, []string{
		`cache.resources.cpu: Invalid value: "1m": must be at least 10m`,
		`cache.resources.cpuLimit: Invalid value: "200": must be at most 128 cores: a thousandth of a core is 1m`,
		`cache.resources.ephemeralStorage: Invalid value: "1Mi": must be at least 64Mi`,
		`podSecurity.cache.fsGroup: Invalid value: -1: must be from 1 to 2147483647`,
		`podSecurity.cache.groupID: Invalid value: 0: ` + isRoot,
	}},
	{"moving tag of the cache, once", `
wordpress:profile: production
wordpress:cache: {enabled: true, replicas: 1, image: "nginx:1.30"}`, []string{
		`cache.image: Invalid value: "nginx:1.30": ` + mustBePinned + DefaultCacheImage + orByDigest,
		`cache.replicas: Invalid value: 1: must be at least 2 in production: the site would be away with its node`,
	}},
	{"user of a node for the cache", `
wordpress:profile: production
wordpress:cache: {enabled: true}
wordpress:podSecurity: {cache: {userID: 101}}`, []string{
		`podSecurity.cache.userID: Invalid value: 101: must be at least 10001 in production, as no user of a node has: give the volume's folder to such a one`,
	}},
}
