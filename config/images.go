package config

import (
	"slices"
	"strings"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkFrontendImage refuses the official variants without a web server.
func checkFrontendImage(path *field.Path, value string) field.ErrorList {
	image, problems := checkImage(path, value)
	if problems == nil && hasVariant(image, "fpm", "cli") {
		return field.ErrorList{field.Invalid(path, value, "must contain Apache: use the variant whose tag ends in -apache")}
	}
	return problems
}

// checkDatabaseImage refuses MariaDB, whose server does not start with the settings that the program writes.
func checkDatabaseImage(path *field.Path, value string) field.ErrorList {
	image, problems := checkImage(path, value)
	if problems == nil && strings.HasSuffix("/"+reference.Path(image), "/mariadb") {
		return field.ErrorList{field.Invalid(path, value, "must be MySQL, such as "+DefaultDatabaseImage)}
	}
	return problems
}

// checkImage refuses what is no image at all, and Bitnami's, which are widespread and keep files, users and variables
// elsewhere than the official images do.
func checkImage(path *field.Path, value string) (reference.Named, field.ErrorList) {
	image, err := reference.ParseNormalizedNamed(value)
	if err != nil {
		return nil, field.ErrorList{field.Invalid(path, value, "must be an image reference such as "+DefaultFrontendImage)}
	}
	if strings.HasPrefix(reference.Path(image), "bitnami") {
		return nil, field.ErrorList{field.Invalid(path, value, "must keep the contract of the official image, which Bitnami's do not")}
	}
	return image, nil
}

// hasVariant reports whether one of the words is a part of the tag, as fpm is of 7.1-php8.3-fpm-alpine.
func hasVariant(image reference.Named, words ...string) bool {
	tagged, ok := image.(reference.Tagged)
	if !ok {
		return false
	}
	isVariant := func(part string) bool { return slices.Contains(words, part) }
	return slices.ContainsFunc(strings.Split(tagged.Tag(), "-"), isVariant)
}

// isPinned reports whether a reference has a tag other than latest, or a digest.
func isPinned(image string) bool {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return false
	}
	if _, digested := named.(reference.Digested); digested {
		return true
	}
	tagged, ok := named.(reference.Tagged)
	return ok && tagged.Tag() != "latest"
}
