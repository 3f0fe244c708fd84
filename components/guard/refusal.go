package guard

import (
	"fmt"
	"slices"
	"strings"
)

const (
	namespaceKind = "Namespace"
	configMapKind = "ConfigMap"
)

// The labels by which tools and people say whose an object is, and Helm's annotation.
const (
	labelInstance  = "app.kubernetes.io/instance"
	labelManagedBy = "app.kubernetes.io/managed-by"
	labelPartOf    = "app.kubernetes.io/part-of"
	helmRelease    = "meta.helm.sh/release-name"
)

// refuse is nil where nothing stands in the way.
func (w *Watch) refuse(verdicts []verdict) error {
	var lines, kinds []string
	for _, v := range verdicts {
		if v.err != nil {
			return unanswered(v.object, v.err)
		}
		if v.there != nil {
			lines = append(lines, fmt.Sprintf("%s, %s", v.object, w.whose(v.there)))
			kinds = append(kinds, v.object.Kind)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	var ways []string
	for _, way := range waysOut {
		if slices.ContainsFunc(kinds, way.isFor) {
			ways = append(ways, way.text)
		}
	}
	return fmt.Errorf("there already, and not made by stack %s of project %s in this state:\n  %s\nNothing of that was touched. What to do:\n  - %s\n"+
		"docs/operations.md, \"What is there already\", tells more", w.args.Stack, w.args.Project,
		strings.Join(lines, "\n  "), strings.Join(ways, "\n  - "))
}

func unanswered(object Object, err error) error {
	return fmt.Errorf("%s cannot be looked up, so that it might be taken from somebody: give whoever deploys the right to get it, "+
		"or try again: %w", object, err)
}

// whose tells what an object says of its owner.
func (w *Watch) whose(found *Found) string {
	suffix := ""
	if found.Leaving {
		suffix = ", and being deleted"
	}
	return w.maker(found) + suffix
}

func (w *Watch) maker(found *Found) string {
	if owner := ownerForm.FindStringSubmatch(found.Annotations[Annotation]); owner != nil {
		if owner[1] == w.args.Project && owner[2] == w.args.Stack {
			return "made by a stack of the same name from another state: another backend, one that was lost, or one that was destroyed and kept its data"
		}
		return fmt.Sprintf("made by stack %s of project %s", owner[2], owner[1])
	}
	instance, manager := found.Labels[labelInstance], found.Labels[labelManagedBy]
	switch {
	case isOfThisProgram(found):
		return fmt.Sprintf("made by a stack called %s, by an earlier version of this program", instance)
	case found.Annotations[helmRelease] != "":
		return fmt.Sprintf("made by Helm, release %.60q", found.Annotations[helmRelease])
	case manager != "" && instance != "":
		return fmt.Sprintf("managed by %s, instance %s", manager, instance)
	case manager != "":
		return "managed by " + manager
	}
	return "made by somebody who does not say so in labels"
}

// isOfThisProgram reports whether an object carries the labels that all of this program's do.
func isOfThisProgram(found *Found) bool {
	return found.Labels[labelManagedBy] == "pulumi" && found.Labels[labelPartOf] == "wordpress"
}

// wayOut is what somebody may do about kinds of objects.
type wayOut struct {
	isFor func(kind string) bool
	text  string
}

var (
	claimKind    = "PersistentVolumeClaim"
	cephKinds    = []string{"CephFilesystem", "StorageClass"}
	specialKinds = append([]string{namespaceKind, claimKind}, cephKinds...)

	waysOut = []wayOut{
		{func(kind string) bool { return kind == namespaceKind },
			"another name in wordpress:namespace; or, where this one is meant, wordpress:createNamespace: false, which uses it as it is"},
		{func(kind string) bool { return kind == claimKind },
			"another wordpress:namespace; or, where the data is meant, wordpress:storage.content.existingClaim and " +
				"wordpress:storage.database.existingClaim, which name claims and leave them as they are"},
		{func(kind string) bool { return slices.Contains(cephKinds, kind) },
			"wordpress:storage.cephfs.create: false, which uses class and file system as they are; or other names for both"},
		{func(kind string) bool { return !slices.Contains(specialKinds, kind) },
			"another wordpress:namespace; or delete what nobody needs any more"},
	}
)
