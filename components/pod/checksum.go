package pod

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// ChecksumAnnotation prefixes the annotations that make a changed ConfigMap or Secret roll the pods.
const ChecksumAnnotation = "checksum.wordpress/"

// Checksum is the SHA-256 of a map of files, the same for the same names and contents.
func Checksum(files map[string]string) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum.Write([]byte(name + "\x00" + files[name] + "\x00"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}
