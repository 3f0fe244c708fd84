package config

// Limits of single fields. Those that other packages or documents mention are exported.
const (
	// MinPasswordLength in bytes is the least for a database password.
	MinPasswordLength = 8
	// MinAuthSecretLength in bytes: 32 bytes of a random base64 text hold 192 bits, more than the HMAC keys that
	// derive from it can use.
	MinAuthSecretLength = 32
	// MaxReplicas is beyond every site this program suits; it catches a slip and keeps sums far from overflow.
	MaxReplicas = 1000
	// MinWorkers is one for a slow page and one for the readiness probe.
	MinWorkers = 2
	// MaxWorkers is Apache's own ServerLimit for the prefork module.
	MaxWorkers = 256
	// ConnectionReserve is what MySQL keeps for administration, backups and scheduled tasks, beside the workers.
	ConnectionReserve = 10
	// MaxConnections is the greatest value that MySQL knows for max_connections.
	MaxConnections = 100000

	// MinCPU in cores is the least that the kernel's scheduler divides sensibly.
	MinCPU = "10m"
	// MinFrontendMemory in bytes has room for MinWorkers, see DefaultWorkers.
	MinFrontendMemory = "128Mi"
	// MinDatabaseMemory in bytes: MySQL without any data takes about 400 MiB.
	MinDatabaseMemory = "512Mi"
	// MinEphemeralStorage in bytes: a log of one rotation and some temporary files.
	MinEphemeralStorage = "64Mi"
	// MinDatabaseVolumeSize in bytes: an empty data directory with its redo logs takes about 200 MiB.
	MinDatabaseVolumeSize = "1Gi"
	// MinContentVolumeSize in bytes: a few themes and plugins.
	MinContentVolumeSize = "64Mi"
	// MinUploadSize and MaxUploadSize in bytes: Apache's LimitRequestBody ends below 2 GiB.
	MinUploadSize = "1Mi"
	MaxUploadSize = "2047Mi"

	maxSeconds            = 3600 // an hour: a longer wait is a slip
	maxGracePeriodSeconds = 2*maxSeconds + 1
	minNodePort           = 30000 // the API server's default range
	maxNodePort           = 32767
	maxPort               = 65535
	maxDatabaseName       = 64 // MySQL's limits for identifiers and user names, in characters
	maxDatabaseUser       = 32
)
