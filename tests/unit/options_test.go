package unit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/autoscaling"
	"wordpress-on-kubernetes/components/cache"
	"wordpress-on-kubernetes/components/database"
	"wordpress-on-kubernetes/components/frontend"
	"wordpress-on-kubernetes/components/ingress"
	"wordpress-on-kubernetes/components/namespace"
	"wordpress-on-kubernetes/components/network"
	"wordpress-on-kubernetes/components/storage"
)

// constructor makes a component with valid args, or with none.
type constructor func(ctx *pulumi.Context, valid bool, opts ...pulumi.ResourceOption) (pulumi.Resource, error)

// constructors of every component, by type token.
var constructors = map[string]constructor{
	namespace.Type: construct(namespace.New, func() *namespace.Args {
		return &namespace.Args{Name: namespaceName, Instance: instance, Seal: "seal"}
	}),
	storage.Type:     construct(storage.New, func() *storage.Args { return volumes(withCephFS) }),
	database.Type:    construct(database.New, standalone),
	frontend.Type:    construct(frontend.New, func() *frontend.Args { return wordpress() }),
	cache.Type:       construct(cache.New, func() *cache.Args { return shelf() }),
	autoscaling.Type: construct(autoscaling.New, func() *autoscaling.Args { return scaling() }),
	network.Type:     construct(network.New, func() *network.Args { return policies() }),
	ingress.Type:     construct(ingress.New, func() *ingress.Args { return edge(defaultTLS, redirect) }),
}

func construct[A any, R pulumi.Resource](
	create func(*pulumi.Context, string, *A, ...pulumi.ResourceOption) (R, error), args func() *A,
) constructor {
	return func(ctx *pulumi.Context, valid bool, opts ...pulumi.ResourceOption) (pulumi.Resource, error) {
		if !valid {
			return create(ctx, "it", nil, opts...)
		}
		return create(ctx, "it", args(), opts...)
	}
}

func forEachComponent(t *testing.T, check func(*testing.T, string, constructor)) {
	t.Helper()
	for token, create := range constructors {
		t.Run(token, func(t *testing.T) { check(t, token, create) })
	}
}

func TestComponentWithoutArgsIsAnError(t *testing.T) {
	forEachComponent(t, func(t *testing.T, _ string, create constructor) {
		wantError(t, func(ctx *pulumi.Context) error {
			_, err := create(ctx, false)
			return err
		}, `"it"`, "required")
	})
}

// Room behind the caller's slice is the caller's: a component that appends to it changes the options of the next.
func TestCallersOptionsAreLeftAlone(t *testing.T) {
	forEachComponent(t, func(t *testing.T, _ string, create constructor) {
		opts := make([]pulumi.ResourceOption, 1, 8)
		opts[0] = pulumi.IgnoreChanges([]string{"some.field"})
		run(t, func(ctx *pulumi.Context) error {
			_, err := create(ctx, true, opts...)
			return err
		})
		for i, option := range opts[1:cap(opts)] {
			if option != nil {
				t.Errorf("option %d is written behind the caller's slice", i+1)
			}
		}
	})
}

func TestCallersOptionsAreNotPassedOnToChildren(t *testing.T) {
	forEachComponent(t, func(t *testing.T, token string, create constructor) {
		const field = "some.field"
		p := run(t, func(ctx *pulumi.Context) error {
			_, err := create(ctx, true, pulumi.IgnoreChanges([]string{field}))
			return err
		})
		for _, r := range p.registrations {
			if given, ignored := r.Type == token, slices.Contains(r.IgnoreChanges, field); given != ignored {
				t.Errorf("%s: the option is given %t and found %t", r.URN, given, ignored)
			}
		}
	})
}

func TestComponentNestsUnderAParent(t *testing.T) {
	const outer = "test:outer:Outer"
	forEachComponent(t, func(t *testing.T, token string, create constructor) {
		p := run(t, func(ctx *pulumi.Context) error {
			parent := &struct{ pulumi.ResourceState }{}
			if err := ctx.RegisterComponentResource(outer, "outer", parent); err != nil {
				return err
			}
			_, err := create(ctx, true, pulumi.Parent(parent))
			return err
		})
		for _, r := range p.registrations {
			if r.Type != outer && !strings.Contains(r.URN, "::"+outer+"$"+token) {
				t.Errorf("%s lies outside the parent", r.URN)
			}
		}
	})
}

func TestEveryObjectDescendsFromItsComponent(t *testing.T) {
	forEachComponent(t, func(t *testing.T, token string, create constructor) {
		p := run(t, func(ctx *pulumi.Context) error {
			_, err := create(ctx, true)
			return err
		})
		children := 0
		for _, r := range p.registrations {
			switch {
			case !r.Custom:
			case !strings.Contains(r.URN, "::"+token+"$"):
				t.Errorf("%s is an orphan", r.URN)
			default:
				children++
			}
		}
		if children == 0 {
			t.Error("the component has no children")
		}
	})
}
