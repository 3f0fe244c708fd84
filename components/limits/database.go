package limits

// How much memory MySQL 9.7 needs, in bytes.
const (
	// ServerBytes is what it takes beside its buffer pool and its connections: 480 MiB were measured at rest.
	ServerBytes = 512 << 20
	// ConnectionBytes is what a connection that sorts takes: 100 to 300 of them were measured at 550 to 750 KiB each.
	ConnectionBytes = 768 << 10
	// BufferPoolChunk is innodb_buffer_pool_chunk_size, which MySQL rounds a pool up to a multiple of. So it is also the least pool.
	BufferPoolChunk = 128 << 20
)

// LeastServerBytes is what a server with the least buffer pool takes beside its connections.
const LeastServerBytes = ServerBytes + BufferPoolChunk

// ConnectionReserve is what MySQL keeps for administration, backups and scheduled tasks, beside the workers.
const ConnectionReserve = 10

// Connections is how many a server with so many bytes of memory can serve.
func Connections(memory int64) int64 { return max(memory-LeastServerBytes, 0) / ConnectionBytes }

// ConnectionsMemory is the memory in bytes of a server that can serve so many connections.
func ConnectionsMemory(connections int) int64 {
	return LeastServerBytes + int64(connections)*ConnectionBytes
}

// NeededConnections is what MySQL must accept so that no worker of a pod that takes requests is ever refused: one connection a
// worker, and the reserve.
func NeededConnections(pods, workers int) int { return pods*workers + ConnectionReserve }

// BootstrapMarker is the table that is in the database while it is restored before WordPress starts, which then waits.
const BootstrapMarker = "bootstrap_under_way"

// ConnectFlags are what PHP's mysqli is asked for when it connects. Without the second flag it believes any certificate.
func ConnectFlags(encrypted, verified bool) string {
	switch {
	case !encrypted:
		return "0"
	case verified:
		return "MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT"
	default:
		return "MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT"
	}
}
