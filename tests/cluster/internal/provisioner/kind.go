package provisioner

import (
	"fmt"
	"maps"
	"slices"
)

// kind is what the volumes of a storage class are like.
type kind struct {
	// likeExt4 makes a volume look like a freshly formatted block device.
	likeExt4 bool
	// ignoresGroup keeps the kubelet from giving a volume the pod's group: it gives it to a local volume, as it does to a block device of
	// production, and not to a host path, as it does not to a network file system whose driver has fsGroupPolicy None.
	ignoresGroup bool
	// isDisk makes a volume of the size that is asked for, which can be full.
	isDisk bool
	// owner of the volume's root.
	owner owner
}

type owner struct{ user, group int }

// kindOf reads the parameters of a storage class.
func kindOf(parameters map[string]string) (kind, error) {
	var found kind
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		value := parameters[name]
		switch {
		case name == "emptyFilesystem" && value == "ext4":
			found.likeExt4 = true
		case name == "fsGroup" && value == "ignored":
			found.ignoresGroup = true
		case name == "disk" && value == "ext4":
			found.isDisk = true
		case name == "owner":
			if _, err := fmt.Sscanf(value, "%d:%d", &found.owner.user, &found.owner.group); err != nil {
				return kind{}, fmt.Errorf("parameter owner: %q is not of the form USER:GROUP: %w", value, err)
			}
		default:
			return kind{}, fmt.Errorf("parameter %s: %q is not known", name, value)
		}
	}
	return found, nil
}
