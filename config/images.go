package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ownNumbers is the way out for an image whose tag counts something else than its version.
const ownNumbers = "; where the tag counts builds of your own, name the image by its digest alone"

// checkFrontendImage refuses the official variants without a web server, and versions that are too old.
func checkFrontendImage(path *field.Path, value string) field.ErrorList {
	image, problems := checkImage(path, value)
	switch {
	case problems != nil:
		return problems
	case hasVariant(image, "fpm", "cli"):
		return field.ErrorList{field.Invalid(path, value, "must contain Apache: use the variant whose tag ends in -apache")}
	case isOlder(image, "wordpress", MinWordPressVersion):
		return field.ErrorList{field.Invalid(path, value, fmt.Sprintf("must be WordPress %s or newer, such as %s: older images "+
			"lack the wp-config-docker.php that the program's settings go through%s", MinWordPressVersion, DefaultFrontendImage, ownNumbers))}
	}
	return nil
}

// checkDatabaseImage refuses MariaDB, whose server does not start with the settings that the program writes, and versions that are too old.
func checkDatabaseImage(path *field.Path, value string) field.ErrorList {
	image, problems := checkImage(path, value)
	switch {
	case problems != nil:
		return problems
	case isNamed(image, "mariadb"):
		return field.ErrorList{field.Invalid(path, value, "must be MySQL, such as "+DefaultDatabaseImage)}
	case isOlder(image, "mysql", MinMySQLVersion):
		return field.ErrorList{field.Invalid(path, value, fmt.Sprintf("must be MySQL %s or newer, such as %s: older servers get no "+
			"fixes any more%s", MinMySQLVersion, DefaultDatabaseImage, ownNumbers))}
	}
	return nil
}

// checkCacheImage refuses the official variants without njs's module, and versions that are too old.
func checkCacheImage(path *field.Path, value string) field.ErrorList {
	image, problems := checkImage(path, value)
	switch {
	case problems != nil:
		return problems
	case hasVariant(image, "slim", "perl"):
		return field.ErrorList{field.Invalid(path, value, "must have njs's module: use a variant that is neither slim nor perl")}
	case isOlder(image, "nginx", MinNginxVersion):
		return field.ErrorList{field.Invalid(path, value, fmt.Sprintf("must be nginx %s or newer, such as %s: older ones have faults that "+
			"visitors can use%s", MinNginxVersion, DefaultCacheImage, ownNumbers))}
	}
	return nil
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

// dockerHub is the registry of images that name none.
const dockerHub = "docker.io"

// checkRegistry passes a registry that is not given. Without a host, images would be looked for on Docker Hub again.
func checkRegistry(path *field.Path, value string) field.ErrorList {
	if value == "" {
		return nil
	}
	image, err := reference.ParseNormalizedNamed(value + "/image")
	if err == nil && reference.Domain(image) != dockerHub {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value, "must be a registry's host, and a path there if it has one, such as "+
		"registry.example.com/dockerhub: without scheme, tag and slash at the end")}
}

// Mirrored is where an image is pulled from: ImageRegistry's copy, where there is such a registry and the image names none of its own.
func (s *Stack) Mirrored(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if s.ImageRegistry == "" || err != nil || reference.Domain(named) != dockerHub {
		return image
	}
	return s.ImageRegistry + strings.TrimPrefix(named.String(), dockerHub)
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

// isNamed reports whether the last part of an image's name is the given one, whichever registry or mirror it comes from.
func isNamed(image reference.Named, name string) bool {
	return strings.HasSuffix("/"+reference.Path(image), "/"+name)
}

// isOlder reports whether an image of the name has a tag that tells an older version than the least one. A tag without a version, such as
// lts, is not judged, nor is an image of another name: nobody can tell what is in it.
func isOlder(image reference.Named, name, least string) bool {
	versions := versionsOf(image)
	if !isNamed(image, name) || len(versions) == 0 {
		return false
	}
	given, bound := versions[0], versionsIn(least)[0]
	// Of 8 nobody knows whether it is 8.0 or 8.4.
	shared := min(len(given), len(bound))
	return slices.Compare(given[:shared], bound[:shared]) < 0
}

// isPinned reports whether a reference has a digest, or a tag with a full version. What has fewer numbers, such as 9.7 or lts, is led to
// every new release of its line.
func isPinned(image string) bool {
	const fullVersion = 3
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return false
	}
	if _, digested := named.(reference.Digested); digested {
		return true
	}
	return slices.ContainsFunc(versionsOf(named), func(version []int) bool { return len(version) >= fullVersion })
}

// versionInTag is a part of a tag, between hyphens or underscores, that begins with numbers and dots, as 7.1.4 in 7.1.4-php8.3-apache, in
// v7.1.4 and in corp-7.1.4.
var versionInTag = regexp.MustCompile(`(?:^|[-_])v?([0-9]+(?:\.[0-9]+)*)`)

// versionsOf are the versions in an image's tag, in their order.
func versionsOf(image reference.Named) [][]int {
	tagged, ok := image.(reference.Tagged)
	if !ok {
		return nil
	}
	return versionsIn(tagged.Tag())
}

func versionsIn(tag string) [][]int {
	var versions [][]int
	for _, match := range versionInTag.FindAllStringSubmatch(tag, -1) {
		var version []int
		for number := range strings.SplitSeq(match[1], ".") {
			// A number beyond all numbers is the greatest one.
			value, _ := strconv.Atoi(number)
			version = append(version, value)
		}
		versions = append(versions, version)
	}
	return versions
}
