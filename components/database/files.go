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
		serverConfigKey: fmt.Sprintf(serverConfig, BufferPoolBytes(server.Resources.Memory, server.MaxConnections), server.MaxConnections),
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

	// serverBytes is what MySQL 9.7 takes beside its pool and its connections: 480 MiB were measured at rest.
	serverBytes = 512 * mebibyte
	// connectionBytes is what a connection that sorts takes: 100 to 300 of them were measured at 550 to 750 KiB each.
	connectionBytes = 768 << 10
)

// BufferPoolBytes is InnoDB's buffer pool for a memory limit and so many connections: a share of what remains after 256 MiB
// (512 MiB above 4 GiB), a half up to 1 GiB, three quarters up to 4 GiB and four fifths above, as bitpoke/mysql-operator has
// it, but no more than the server and its connections leave; rounded down to whole chunks of 128 MiB, of which there is at
// least one.
func BufferPoolBytes(memory resource.Quantity, connections int) int64 {
	limit := memory.Value()
	var share int64
	switch {
	case limit <= gibibyte:
		share = (limit - 256*mebibyte) / 2
	case limit <= 4*gibibyte:
		share = (limit - 256*mebibyte) / 4 * 3
	default:
		share = (limit - 512*mebibyte) / 5 * 4
	}
	left := limit - serverBytes - int64(connections)*connectionBytes
	return max(min(share, left)/chunk, 1) * chunk
}
