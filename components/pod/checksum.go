package pod

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// ChecksumAnnotation prefixes the annotations that make a changed Secret roll the pods.
const ChecksumAnnotation = "checksum.wordpress/"

// ContentName names a ConfigMap after its content. A change makes a new object instead of changing the one that
// running pods hold: they keep their files until they go, a restarted one of the old revision gets the old files,
// and the new name in the pod template rolls the pods.
func ContentName(name string, files map[string]string) string {
	const digits = 10
	return name + "-" + Checksum(files)[:digits]
}

// Checksum is the SHA-256 of a map of files, the same for the same names and contents.
func Checksum(files map[string]string) string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum.Write([]byte(name + "\x00" + files[name] + "\x00"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}
