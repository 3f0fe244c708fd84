// Command pulumi-resource-kubernetes is the Pulumi Kubernetes provider, built from its own module.
//
// The release's main package embeds two generated files that its module does not contain. This one embeds
// the same two files, derived from the module by generate.go.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:generate go run generate.go

// version is the release that the pinned module revision was tagged as; the plugin's folder name and the
// SDK in the program's go.mod carry the same number.
const version = "4.25.0"

//go:embed schema-embed.json
var schema []byte

//go:embed terraform-mapping-embed.json
var terraformMapping []byte

func main() {
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
