package database

import (
	_ "embed"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"wordpress-on-kubernetes/components/limits"
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
	config, start := withLog(
		fmt.Sprintf(serverConfig, BufferPoolBytes(server.Resources.Memory, server.MaxConnections), server.MaxConnections), startScript, server.BinlogSeconds)
	return map[string]string{
		serverConfigKey: withoutComments(config),
		startKey:        withoutComments(start),
		completeKey:     withoutComments(completeScript),
	}
}

// withoutComments leaves out the lines that hold a comment or nothing: the server starts anew whenever a byte of what it runs with is
// another. The first line of a script stays.
func withoutComments(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if start := strings.TrimSpace(line); start == "" || strings.HasPrefix(start, "#") && !strings.HasPrefix(start, "#!") {
			continue
		}
		kept.WriteString(line)
	}
	return kept.String()
}

// Steps of the buffer pool rule.
const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30
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
	left := limit - limits.ServerBytes - int64(connections)*limits.ConnectionBytes
	return max(min(share, left)/limits.BufferPoolChunk, 1) * limits.BufferPoolChunk
}
