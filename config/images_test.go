package config_test

import (
	"testing"

	"wordpress-on-kubernetes/config"
)

func TestMirroredImages(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, row := range []struct{ registry, image, want string }{
		{"", "mysql:9.7.4", "mysql:9.7.4"},
		{"registry.example.com", "mysql:9.7.4", "registry.example.com/library/mysql:9.7.4"},
		{"registry.example.com:5000/hub", "wordpress:7.1.4-php8.3-apache", "registry.example.com:5000/hub/library/wordpress:7.1.4-php8.3-apache"},
		{"registry.example.com/hub", "company/wordpress:7.1.4", "registry.example.com/hub/company/wordpress:7.1.4"},
		{"registry.example.com/hub", "docker.io/library/mysql:9.7.4", "registry.example.com/hub/library/mysql:9.7.4"},
		{"registry.example.com/hub", "mysql" + digest, "registry.example.com/hub/library/mysql" + digest},
		{"registry.example.com/hub", "ghcr.io/company/wordpress:7.1.4", "ghcr.io/company/wordpress:7.1.4"},
		{"registry.example.com/hub", "localhost/wordpress:7.1", "localhost/wordpress:7.1"},
	} {
		stack := &config.Stack{ImageRegistry: row.registry}
		if got := stack.Mirrored(row.image); got != row.want {
			t.Errorf("%s from %q: %s, want %s", row.image, row.registry, got, row.want)
		}
	}
}
