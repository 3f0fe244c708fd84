// Package storage is the component that owns the volumes: MySQL's data, the shared WordPress content, and on
// request the CephFS file system that the shared content lives on.
package storage

import (
	"errors"
	"fmt"
	"slices"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Type is the component's type token.
const Type = "wordpress:storage:Storage"

// Names of the claims. They are fixed: a claim with another name is another, empty volume.
const (
	DatabaseClaim = "wordpress-mysql-data"
	ContentClaim  = "wordpress-content"
)

// readWriteOnce is the access mode of MySQL's volume: one node at a time.
const readWriteOnce = "ReadWriteOnce"

// Args are the inputs of New.
type Args struct {
	// Namespace that the claims live in. Required.
	Namespace pulumi.StringInput
	// Instance is the stack's name, for labels. Required.
	Instance string
	// Database is MySQL's data volume, ReadWriteOnce. Nil: no such volume, as with an external database.
	Database *VolumeArgs
	// Content is the volume of wp-content. Required.
	Content *VolumeArgs
	// ContentAccessMode is ReadWriteMany, or ReadWriteOnce for a single replica. Required.
	ContentAccessMode string
	// CephFS creates the shared file system and the StorageClass that Content names. Nil: both exist already.
	CephFS *CephFSArgs
	// Protect refuses the deletion and the replacement of every volume, and keeps it when the stack forgets it.
	Protect bool
}

// VolumeArgs describe one claim.
type VolumeArgs struct {
	// StorageClass of the claim. Empty: the cluster's default class.
	StorageClass string
	// Size in bytes. It can grow later, never shrink.
	Size resource.Quantity
	// Existing is the name of a claim that is there, to be used as it is and not owned. Empty: the program makes one.
	Existing string
}

// CephFSArgs describe a Rook CephFS file system.
type CephFSArgs struct {
	// Filesystem is the name of the CephFilesystem.
	Filesystem string
	// Namespace of the Rook cluster, which is also its cluster ID.
	Namespace string
	// OperatorNamespace is where Rook's operator runs, which the CSI driver is named after.
	OperatorNamespace string
}

// Storage is the volumes.
type Storage struct {
	pulumi.ResourceState

	// DatabaseClaim is the name of MySQL's claim, or empty without one.
	DatabaseClaim pulumi.StringOutput
	// ContentClaim is the name of the claim for wp-content.
	ContentClaim pulumi.StringOutput
}

// New registers the volumes.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Storage, error) {
	if err := args.check(); err != nil {
		return nil, fmt.Errorf("storage %q: %w", name, err)
	}
	component := &Storage{DatabaseClaim: pulumi.String("").ToStringOutput()}
	if err := ctx.RegisterComponentResource(Type, name, component, opts...); err != nil {
		return nil, fmt.Errorf("storage %q: %w", name, err)
	}
	if err := component.register(ctx, name, args); err != nil {
		return nil, fmt.Errorf("storage %q: %w", name, err)
	}
	outputs := pulumi.Map{"databaseClaim": component.DatabaseClaim, "contentClaim": component.ContentClaim}
	if err := ctx.RegisterResourceOutputs(component, outputs); err != nil {
		return nil, fmt.Errorf("storage %q: outputs: %w", name, err)
	}
	return component, nil
}

func (a *Args) check() error {
	switch {
	case a == nil || a.Namespace == nil || a.Instance == "":
		return errors.New("namespace and instance are required")
	case a.Content == nil || a.ContentAccessMode == "":
		return errors.New("content and its access mode are required")
	case a.CephFS != nil && a.Content.Existing != "":
		return errors.New("a CephFS file system is made for a claim of its own, not for one that exists")
	case a.CephFS != nil && a.Content.StorageClass == "":
		return errors.New("a CephFS file system needs the name of the content's storage class")
	}
	return nil
}

func (s *Storage) register(ctx *pulumi.Context, name string, args *Args) error {
	// A changed storage class or access mode makes the provider replace a claim, and a shared file system or
	// namespace that goes takes the claims with it: protected means refused at preview, and kept on delete.
	durable := []pulumi.ResourceOption{
		pulumi.Parent(s), pulumi.Protect(args.Protect), pulumi.RetainOnDelete(args.Protect),
	}
	content := slices.Clone(durable)
	if args.CephFS != nil {
		class, err := newCephFS(ctx, name, args, durable)
		if err != nil {
			return err
		}
		content = append(content, pulumi.DependsOn([]pulumi.Resource{class}))
	}
	var err error
	s.ContentClaim, err = claim(ctx, name+"-content",
		claimArgs(args, ContentClaim, "frontend", args.ContentAccessMode, args.Content), args.Content, content)
	if err != nil {
		return fmt.Errorf("content claim: %w", err)
	}
	if args.Database == nil {
		return nil
	}
	s.DatabaseClaim, err = claim(ctx, name+"-database",
		claimArgs(args, DatabaseClaim, "database", readWriteOnce, args.Database), args.Database, durable)
	if err != nil {
		return fmt.Errorf("database claim: %w", err)
	}
	return nil
}

// claim is the name of a claim: of one that it registers, or of the one that exists.
func claim(
	ctx *pulumi.Context, name string, args *corev1.PersistentVolumeClaimArgs, volume *VolumeArgs, opts []pulumi.ResourceOption,
) (pulumi.StringOutput, error) {
	if volume.Existing != "" {
		return pulumi.String(volume.Existing).ToStringOutput(), nil
	}
	registered, err := corev1.NewPersistentVolumeClaim(ctx, name, args, opts...)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return registered.Metadata.Name().Elem(), nil
}
