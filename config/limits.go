package config

import "math"

// Limits of single fields. Those that other packages or documents mention are exported.
const (
	// MinPasswordLength and MaxPasswordLength in bytes are for a database password. MySQL refuses to create a user with a
	// longer one, and to check one.
	MinPasswordLength = 8
	MaxPasswordLength = 256
	// MinAdminPasswordLength and MaxAdminPasswordLength in bytes: who guesses it owns the site, and WordPress hashes no longer one than 4096.
	MinAdminPasswordLength = 12
	MaxAdminPasswordLength = 256
	// MaxTitleLength in characters is beyond what a browser shows.
	MaxTitleLength = 200
	// MaxBackedUpDatabaseName in characters, with each underscore counted twice, leaves MySQL's 64 room for the ending _being_restored.
	MaxBackedUpDatabaseName = 47
	// MinBackupMemory in bytes is what restic takes for a small site.
	MinBackupMemory = "256Mi"
	// MinDrillMemory in bytes is what a MySQL with a small pool and restic take.
	MinDrillMemory = "768Mi"
	// MaxPosts is beyond every site, and catches a slip.
	MaxPosts = 1_000_000
	// MinResticVersion is the first that makes no snapshot of a command that failed, and tells a missing repository from a wrong password.
	MinResticVersion = "0.17.0"
	// MinBackupPasswordLength in bytes: who has the storage can try passwords for as long as there are computers.
	MinBackupPasswordLength = 16
	// MinBinlogSeconds leaves the storage time to take what there is, and with MaxBinlogSeconds a server that keeps its log for a day has
	// time to be found out of reach.
	MinBinlogSeconds = 60
	MaxBinlogSeconds = 3600
	// MaxBinlogKeepDays is beyond every plan, and catches a slip.
	MaxBinlogKeepDays = 90
	// MaxKept is beyond every plan, and catches a slip.
	MaxKept = 1000
	// MaxCronMinutes still meets every full hour twice.
	MaxCronMinutes = 30
	// MinAuthSecretLength in bytes: 32 bytes of a random base64 text hold 192 bits, more than the HMAC keys that
	// derive from it can use.
	MinAuthSecretLength = 32
	// MaxReplicas is beyond every site this program suits; it catches a slip and keeps sums far from overflow.
	MaxReplicas = 1000
	// MinWorkers is one for a slow page and one for the readiness probe.
	MinWorkers = 2
	// MaxWorkers is Apache's own ServerLimit for the prefork module.
	MaxWorkers = 256
	// MinRequestMemory and MaxRequestMemory in bytes: WordPress's own code takes most of the first, and nothing that a visitor waits for
	// takes the second.
	MinRequestMemory = "32Mi"
	MaxRequestMemory = "2Gi"
	// MinPictureMemory and MaxPictureMemory in bytes: a picture as WordPress shows it, of 1 megapixel, and one of 80 that is read whole.
	MinPictureMemory = "32Mi"
	MaxPictureMemory = "2Gi"
	// MaxConnections is the greatest value that MySQL knows for max_connections.
	MaxConnections = 100000

	// MaxCPUUtilization in percent of the processor time that a pod can use, which is its request, or its cpuLimit: the autoscaler acts on
	// more than a tenth above its target. A target above 90 would never add a pod.
	MaxCPUUtilization = 90

	// MinCPU in cores is the least that the kernel's scheduler divides sensibly.
	MinCPU = "10m"
	// MaxCPU in cores is beyond every node this program suits; it catches 200 in place of 200m.
	MaxCPU = "128"
	// MinFrontendMemory in bytes has room for MinWorkers and MinPictureMemory of a bare site, see workersMemory.
	MinFrontendMemory = "160Mi"
	// MinCacheMemory in bytes is for nginx, its notes of what is kept, and some answers that WordPress is making.
	MinCacheMemory = "64Mi"
	// MaxCacheReplicas is beyond what any site needs: each pod asks WordPress for each page.
	MaxCacheReplicas = 10
	// MinCacheSize and MaxCacheSize in bytes: a small site, and notes of what is kept that still fit in memory.
	MinCacheSize = "16Mi"
	MaxCacheSize = "64Gi"
	// MaxNonceSeconds is how long a form of WordPress is good at the least (WordPress's wp_nonce_tick, half of a nonce's life).
	MaxNonceSeconds = 43200
	// MinDatabaseMemory in bytes: MySQL 9.7 at rest was measured at 480 MiB, and with 512Mi it was killed; the least buffer pool
	// and the default number of connections fit in the rest.
	MinDatabaseMemory = "768Mi"
	// MinEphemeralStorage in bytes: a log of one rotation and some temporary files.
	MinEphemeralStorage = "64Mi"
	// MinDatabaseVolumeSize in bytes: an empty data directory with its redo logs takes about 200 MiB.
	MinDatabaseVolumeSize = "1Gi"
	// MinContentVolumeSize in bytes: a few themes and plugins.
	MinContentVolumeSize = "64Mi"
	// MinUploadSize and MaxUploadSize in bytes: Apache's LimitRequestBody ends below 2 GiB, and a body holds 1 MiB of form
	// beside the upload.
	MinUploadSize = "1Mi"
	MaxUploadSize = "2046Mi"

	// maxCABundle in bytes leaves a ConfigMap, which holds at most 1 MiB, room for the other files; the bundle of all of a large
	// cloud's regions takes a third of it.
	maxCABundle = 512 << 10
	// maxBackupCABundle in bytes fits into one ConfigMap together with maxCABundle.
	maxBackupCABundle = 384 << 10

	// MinProductionDatabaseMemory in bytes has room for a buffer pool that holds the database of a small site.
	MinProductionDatabaseMemory = "1Gi"
	// MinProductionDrainSeconds is longer than a cluster takes to tell its proxies and edges that a pod leaves, which is
	// about three seconds.
	MinProductionDrainSeconds = 5
	// MinProductionDatabaseGraceSeconds is Kubernetes' own default for every pod.
	MinProductionDatabaseGraceSeconds = 30

	// MinWordPressVersion is the first whose official image has a wp-config-docker.php, which reads settings and secrets at every request
	// and which the program's wp-config.php ends in.
	MinWordPressVersion = "5.6"
	// MinNginxVersion is the first of the stable line without CVE-2026-60005 and CVE-2026-42533.
	MinNginxVersion = "1.30.4"
	// MinMySQLVersion is the oldest line that still gets fixes; the one before it ended in April 2026.
	MinMySQLVersion = "8.4"

	// MaxHSTSSeconds is two years, the longest that anybody recommends.
	MaxHSTSSeconds = 2 * DefaultHSTSSeconds
	// MaxLoginRequestsPerMinute and MaxLoginBurst are beyond what keeps a guesser of passwords away.
	MaxLoginRequestsPerMinute = 6000
	MaxLoginBurst             = 1000
	// MaxProxies is longer than any sensible chain before a site.
	MaxProxies = 10

	// MinProductionUserID is that of the first user who can be none of a node's; kube-score and kubesec take those below for the host's.
	MinProductionUserID = 10001

	maxUserID             = math.MaxInt32 // Kubernetes' own limit
	maxSeconds            = 3600          // an hour: a longer wait is a slip
	maxGracePeriodSeconds = 2*maxSeconds + 1
	minNodePort           = 30000 // the API server's default range
	maxNodePort           = 32767
	maxPort               = 65535
	maxLabel              = 63 // of one part of a DNS name
	maxDatabaseName       = 64 // MySQL's limits for identifiers and user names, in characters
	maxDatabaseUser       = 32
	maxSiteUser           = 60 // WordPress's columns, in characters
	maxSiteEmail          = 100
)
