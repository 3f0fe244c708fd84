//go:build ignore

// Derives the two files that main.go embeds from the provider's module: the schema with its version filled
// in, and the Terraform mapping as it is.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	module  = "github.com/pulumi/pulumi-kubernetes/provider/v4"
	version = "4.25.0"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate() error {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("find module %s: %w", module, err)
	}
	source := filepath.Join(strings.TrimSpace(string(dir)), "cmd", "pulumi-resource-kubernetes")

	raw, err := os.ReadFile(filepath.Join(source, "schema.json"))
	if err != nil {
		return err
	}
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil {
		return fmt.Errorf("schema.json: %w", err)
	}
	schema["version"] = version
	if raw, err = json.Marshal(schema); err != nil {
		return err
	}
	if err := os.WriteFile("schema-embed.json", raw, 0o644); err != nil {
		return err
	}

	mapping, err := os.ReadFile(filepath.Join(source, "terraform-mapping.json"))
	if err != nil {
		return err
	}
	return os.WriteFile("terraform-mapping-embed.json", mapping, 0o644)
}
