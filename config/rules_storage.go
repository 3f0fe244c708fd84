package config

import "k8s.io/apimachinery/pkg/util/validation/field"

var storageRules = []rule{
	{podsShareContent, []string{"autoscaling", "frontend.replicas", "storage.content.accessMode"}},
	{surgeCanMountContent, []string{"autoscaling", "frontend.replicas", "frontend.maxSurge", "storage.content.accessMode"}},
	{cephFSHasClass, []string{"storage.cephfs.create", "storage.content"}},
	{namespaceIsNotRooks, []string{"namespace", "storage.cephfs"}},
	{existingClaimsDiffer, []string{"storage.content.existingClaim", "storage.database.existingClaim"}},
	{cephFSIsForOwnClaim, []string{"storage.content.existingClaim", "storage.cephfs.create"}},
}

// storage.content.accessMode is ReadWriteMany where there can be more than one pod: they run on several nodes.
func podsShareContent(d *draft) field.ErrorList {
	_, greatest := d.stack.ReplicaRange()
	mode := d.stack.Storage.Content.AccessMode
	if greatest == 1 || mode == ReadWriteMany {
		return nil
	}
	return invalid("storage.content.accessMode", mode, "must be ReadWriteMany for %d pods on several nodes: use a class that can share, such as "+
		"NFS or CephFS, or one pod (autoscaling.enabled false, frontend.replicas 1), which profile development alone allows", greatest)
}

// frontend.maxSurge is 0 where a single pod has a ReadWriteOnce content volume: the new pod may land on another
// node and would wait for the volume for ever, while the update waits for the new pod.
func surgeCanMountContent(d *draft) field.ErrorList {
	_, greatest := d.stack.ReplicaRange()
	surge := d.stack.Frontend.MaxSurge
	if greatest > 1 || d.stack.Storage.Content.AccessMode == ReadWriteMany || surge.roundUp(greatest) == 0 {
		return nil
	}
	return invalid("frontend.maxSurge", surge,
		"must be 0, and maxUnavailable 1, with a ReadWriteOnce content volume: a second pod cannot mount it on another node")
}

// storage.cephfs.create needs storage.content.storageClass and access mode ReadWriteMany: the class is created by that
// name, and sharing is what the file system is for.
func cephFSHasClass(d *draft) field.ErrorList {
	s := d.stack.Storage
	if !s.CephFS.Create {
		return nil
	}
	var problems field.ErrorList
	if s.Content.StorageClass == "" && s.Content.ExistingClaim == "" {
		problems = append(problems, field.Required(at("storage.content.storageClass"),
			"the name of the StorageClass that cephfs.create creates, such as csi-cephfs"))
	}
	if s.Content.AccessMode != ReadWriteMany {
		problems = append(problems, field.Invalid(at("storage.content.accessMode"), s.Content.AccessMode,
			"must be ReadWriteMany with cephfs.create"))
	}
	return problems
}

// namespace is not storage.cephfs.namespace where storage.cephfs.create is on: the program creates its namespace and
// deletes it with the stack, and Rook's is there already, with the data of others.
func namespaceIsNotRooks(d *draft) field.ErrorList {
	if !d.stack.Storage.CephFS.Create || d.stack.Namespace != d.stack.Storage.CephFS.Namespace {
		return nil
	}
	return invalid("namespace", d.stack.Namespace, "must not be storage.cephfs.namespace, which is Rook's own: choose another name")
}

// storage.database.existingClaim is another claim than storage.content.existingClaim: both tiers would write over each other's files.
func existingClaimsDiffer(d *draft) field.ErrorList {
	claim := d.stack.Storage.Database.ExistingClaim
	if claim == "" || claim != d.stack.Storage.Content.ExistingClaim {
		return nil
	}
	return invalid("storage.database.existingClaim", claim, "must be another claim than storage.content.existingClaim")
}

// storage.cephfs.create refuses storage.content.existingClaim: the file system is made for the claim that the program makes.
func cephFSIsForOwnClaim(d *draft) field.ErrorList {
	if !d.stack.Storage.CephFS.Create {
		return nil
	}
	return d.refuseGiven("goes without storage.cephfs.create only: leave one of them out", "storage.content.existingClaim")
}
