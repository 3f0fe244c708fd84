package database

import (
	_ "embed"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Keys of the ConfigMap.
const (
	serverConfigKey = "wordpress.cnf"
	startKey        = "start.sh"
	completeKey     = "complete.sh"
)

//go:embed files/start.sh
var startScript string

//go:embed files/complete.sh
var completeScript string

//go:embed files/wordpress.cnf
var serverConfig string

func serverFiles(server *ServerArgs) map[string]string {
	return map[string]string{
		serverConfigKey: fmt.Sprintf(serverConfig, BufferPoolBytes(server.Resources.Memory), server.MaxConnections),
		startKey:        startScript,
		completeKey:     completeScript,
	}
}

// Steps of the buffer pool rule.
const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30

	// chunk is innodb_buffer_pool_chunk_size; MySQL rounds a pool up to a multiple of it.
	chunk = 128 * mebibyte
)

// BufferPoolBytes is InnoDB's buffer pool for a memory limit: what remains after 256 MiB for the server itself
// (512 MiB above 4 GiB), of which connections and sorting get a half up to 1 GiB, a quarter up to 4 GiB and a
// fifth above; rounded down to whole chunks of 128 MiB, of which there is at least one. The shares are those
// of bitpoke/mysql-operator.
func BufferPoolBytes(memory resource.Quantity) int64 {
	limit := memory.Value()
	var pool int64
	switch {
	case limit <= gibibyte:
		pool = (limit - 256*mebibyte) / 2
	case limit <= 4*gibibyte:
		pool = (limit - 256*mebibyte) / 4 * 3
	default:
		pool = (limit - 512*mebibyte) / 5 * 4
	}
	return max(pool/chunk, 1) * chunk
}
