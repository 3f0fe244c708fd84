package config

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"wordpress-on-kubernetes/components/limits"
)

// A check looks at one value and needs no other. It returns nil, or the problem; its caller appends what it
// returns, so that no check hides the next one.

func checkRange(path *field.Path, value, least, greatest int, unit string) field.ErrorList {
	if value >= least && value <= greatest {
		return nil
	}
	detail := strings.TrimSpace(fmt.Sprintf("must be from %d to %d %s", least, greatest, unit))
	return field.ErrorList{field.Invalid(path, value, detail)}
}

// checkOptionalRange passes a value that is not given.
func checkOptionalRange(path *field.Path, value *int, least, greatest int, unit string) field.ErrorList {
	if value == nil {
		return nil
	}
	return checkRange(path, *value, least, greatest, unit)
}

// checkOptionalID passes a user or group that is not given.
func checkOptionalID(path *field.Path, id *int) field.ErrorList {
	if id != nil && *id == 0 {
		return field.ErrorList{field.Invalid(path, 0, "must not be 0, which is root's: no pod of the program runs as root")}
	}
	return checkOptionalRange(path, id, 1, maxUserID, "")
}

// checkAtLeast also catches the suffix m after a size: 256m is a quarter of a byte.
func checkAtLeast(path *field.Path, value resource.Quantity, least string) field.ErrorList {
	if value.Cmp(resource.MustParse(least)) >= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value.String(), "must be at least "+least)}
}

func checkAtMost(path *field.Path, value resource.Quantity, greatest string) field.ErrorList {
	if value.Cmp(resource.MustParse(greatest)) <= 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value.String(), "must be at most "+greatest)}
}

// checkOptionalSize passes a value that is not given.
func checkOptionalSize(path *field.Path, value *resource.Quantity, least, greatest string) field.ErrorList {
	if value == nil {
		return nil
	}
	return slices.Concat(checkAtLeast(path, *value, least), checkAtMost(path, *value, greatest))
}

// checkCPU tells whoever forgot the suffix m what it means.
func checkCPU(path *field.Path, value resource.Quantity) field.ErrorList {
	if value.Cmp(resource.MustParse(MaxCPU)) <= 0 {
		return checkAtLeast(path, value, MinCPU)
	}
	return field.ErrorList{field.Invalid(path, value.String(),
		fmt.Sprintf("must be at most %s cores: a thousandth of a core is 1m", MaxCPU))}
}

func checkOneOf[T ~string](path *field.Path, value T, accepted ...T) field.ErrorList {
	if slices.Contains(accepted, value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, value, accepted)}
}

// checkCountOrPercent accepts 0 and up, or 0% to 100%.
func checkCountOrPercent(path *field.Path, value IntOrPercent) field.ErrorList {
	parsed := value.IntOrString()
	if parsed.Type == intstr.Int && parsed.IntVal >= 0 && parsed.IntVal <= MaxReplicas {
		return nil
	}
	if parsed.Type == intstr.String && isPercent(parsed.StrVal) {
		return nil
	}
	detail := fmt.Sprintf("must be a count from 0 to %d or a percentage from 0%% to 100%%", MaxReplicas)
	return field.ErrorList{field.Invalid(path, value, detail)}
}

// isPercent accepts 0% to 100%.
func isPercent(text string) bool {
	percent, err := strconv.Atoi(strings.TrimSuffix(text, "%"))
	return err == nil && percent <= 100 && len(validation.IsValidPercent(text)) == 0
}

// checkHost refuses an address: neither a certificate nor a route can be made for one.
func checkHost(path *field.Path, value string) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(path, "the DNS name that visitors use, such as wordpress.example.com")}
	}
	if isHostName(value) {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value,
		"must be a DNS name in lower case such as wordpress.example.com, without scheme, port and path"+hostInstead(value))}
}

// hostInstead is what somebody meant who gave an address, a name with letters beyond ASCII or one in upper case.
func hostInstead(value string) string {
	_, rest, hasScheme := strings.Cut(value, "://")
	if !hasScheme {
		rest = value
	}
	host, folder, _ := strings.Cut(rest, "/")
	if folder != "" {
		return ": a site below a path is not supported, give it a host of its own"
	}
	host, _, _ = strings.Cut(host, ":")
	// Browsers look up names with letters beyond ASCII in this form.
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil || ascii == value || !isHostName(ascii) {
		return ""
	}
	return instead + ascii
}

// checkServerHost passes a host that is not given. It refuses addresses that mean the pod itself, where no server is.
func checkServerHost(path *field.Path, value string) field.ErrorList {
	address, err := netip.ParseAddr(value)
	isSelf := value == "localhost" || err == nil && (address.IsLoopback() || address.IsUnspecified())
	if isSelf {
		return field.ErrorList{field.Invalid(path, value, "must not be the pod itself: name the server as the pods can reach it")}
	}
	if value == "" || isHostName(value) {
		return nil
	}
	if err == nil && address.Is4() {
		return checkNoMetadata(path, value, address)
	}
	return field.ErrorList{field.Invalid(path, value,
		"must be a DNS name or an IPv4 address, without port: lower case letters, digits, - and .")}
}

// checkNoMetadata refuses the address, or a network that begins with it, where the node's own services are.
func checkNoMetadata(path *field.Path, value string, address netip.Addr) field.ErrorList {
	if !limits.NodeService(address) {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value,
		"must not be link-local, loopback or a metadata service: credentials of the cloud's machines are there")}
}

func isDNSName(value string) bool { return len(validation.IsDNS1123Subdomain(value)) == 0 }

// isHostName is stricter than the name of a Kubernetes object: DNS holds no longer labels, and what ends in a number is
// read as an address by browsers, well-formed or not.
func isHostName(value string) bool {
	labels := strings.Split(value, ".")
	isTooLong := func(label string) bool { return len(label) > maxLabel }
	endsInNumber := strings.Trim(labels[len(labels)-1], "0123456789") == ""
	return isDNSName(value) && !endsInNumber && !slices.ContainsFunc(labels, isTooLong)
}

// checkOptionalDNSName is for the names of most Kubernetes objects. It passes a name that is not given.
func checkOptionalDNSName(path *field.Path, value, what string) field.ErrorList {
	if value == "" || isDNSName(value) {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value,
		fmt.Sprintf("must be %s: lower case letters, digits, - and .", what))}
}

func checkNamespace(path *field.Path, value string) field.ErrorList {
	if len(validation.IsDNS1123Label(value)) == 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value,
		"must be a namespace's name: at most 63 lower case letters, digits and -")}
}

// checkOptionalNamespace passes a name that is not given.
func checkOptionalNamespace(path *field.Path, value string) field.ErrorList {
	if value == "" {
		return nil
	}
	return checkNamespace(path, value)
}

// checkPodLabels accepts what the API server takes in a selector.
func checkPodLabels(path *field.Path, labels map[string]string) field.ErrorList {
	var problems field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if len(validation.IsQualifiedName(name)) > 0 {
			problems = append(problems, field.Invalid(path, name, "must be a label's name such as app.kubernetes.io/name"))
		}
		if len(validation.IsValidLabelValue(labels[name])) > 0 {
			problems = append(problems, field.Invalid(path.Key(name), labels[name],
				"must be a label's value: at most 63 letters, digits, -, _ and ., with a letter or digit at either end"))
		}
	}
	return problems
}

func checkSecretNames(path *field.Path, names []string) field.ErrorList {
	var problems field.ErrorList
	for i, name := range names {
		if !isDNSName(name) {
			problems = append(problems, field.Invalid(path.Index(i), name, "must be a Secret's name: lower case letters, digits, - and ."))
		}
		if slices.Contains(names[:i], name) {
			problems = append(problems, field.Duplicate(path.Index(i), name))
		}
	}
	return problems
}

func checkCIDRs(path *field.Path, cidrs []string) field.ErrorList {
	var problems field.ErrorList
	for i, cidr := range cidrs {
		problems = append(problems, checkCIDR(path.Index(i), cidr)...)
		if slices.Contains(cidrs[:i], cidr) {
			problems = append(problems, field.Duplicate(path.Index(i), cidr))
		}
	}
	return problems
}

// checkCIDR refuses bits behind the prefix: the API server warns of them, because they mostly are a slip in the prefix's
// length. An IPv4 address written as an IPv6 one is never that of a packet.
func checkCIDR(path *field.Path, value string) field.ErrorList {
	network, err := netip.ParsePrefix(value)
	switch {
	case err != nil || network.Addr().Is4In6():
		return field.ErrorList{field.Invalid(path, value, "must be a network such as 203.0.113.0/24, with /32 for a single IPv4 address")}
	case network != network.Masked():
		return field.ErrorList{field.Invalid(path, value, fmt.Sprintf(
			"must have no bits behind its prefix: %s for the network, %s for the address",
			network.Masked(), netip.PrefixFrom(network.Addr(), network.Addr().BitLen())))}
	}
	return nil
}

// checkCABundle shows none of the text in its messages: a private key may have got into it.
func checkCABundle(path *field.Path, bundle string, most int) field.ErrorList {
	refuse := func(format string, args ...any) field.ErrorList {
		return field.ErrorList{field.Invalid(path, fmt.Sprintf("%d bytes", len(bundle)), fmt.Sprintf(format, args...))}
	}
	if len(bundle) > most {
		return refuse("must have at most %d bytes: keep the authorities that it needs alone", most)
	}
	rest := []byte(bundle)
	for number := 1; len(rest) > 0 && (number == 1 || len(bytes.TrimSpace(rest)) > 0); number++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return refuse("must be certificates in PEM: no. %d does not begin with -----BEGIN CERTIFICATE----- or does not end", number)
		}
		if block.Type != "CERTIFICATE" {
			return refuse("must hold certificates alone: no. %d is a %s", number, block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return refuse("must be certificates in PEM: no. %d cannot be read: %v", number, err)
		}
	}
	return nil
}

func checkPorts(path *field.Path, ports []int) field.ErrorList {
	if len(ports) == 0 {
		return field.ErrorList{field.Required(path, "the TCP ports that are reached there, such as [587]")}
	}
	var problems field.ErrorList
	for i, port := range ports {
		problems = append(problems, checkRange(path.Index(i), port, 1, maxPort, "")...)
		if slices.Contains(ports[:i], port) {
			problems = append(problems, field.Duplicate(path.Index(i), port))
		}
	}
	return problems
}

// checkNameInMySQL accepts what MySQL takes in a name without quotes, within ASCII, because the image's first start writes none
// around it. Whoever made the names of an external database could quote them.
func checkNameInMySQL(path *field.Path, mode DatabaseMode, value string, maxLength int) field.ErrorList {
	allowed, plain := "_ and $", value
	if mode == External {
		allowed = "_, $, -, . and @"
		plain = strings.NewReplacer("-", "", ".", "", "@", "").Replace(value)
	}
	if len(value) >= 1 && len(value) <= maxLength && strings.IndexFunc(plain, notInIdentifier) < 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value,
		fmt.Sprintf("must be 1 to %d characters of A-Z, a-z, 0-9, %s", maxLength, allowed))}
}

func notInIdentifier(r rune) bool {
	isWord := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !isWord && r != '_' && r != '$'
}

// checkSecretText refuses what does not survive the way through a file: the images read it up to the end of
// the line and drop what surrounds it. Lengths are in bytes; without a greatest one it is 0.
func checkSecretText(path *field.Path, value Secret, minLength, maxLength int) field.ErrorList {
	var problems field.ErrorList
	if text := string(value); strings.ContainsAny(text, "\r\n\x00") || strings.TrimSpace(text) != text {
		problems = append(problems, field.Invalid(path, value,
			"must not contain a line break or NUL, nor begin or end with white space"))
	}
	if len(value) < minLength {
		problems = append(problems, field.Invalid(path, value, fmt.Sprintf("must have at least %d characters", minLength)))
	}
	if maxLength > 0 && len(value) > maxLength {
		problems = append(problems, field.Invalid(path, value, fmt.Sprintf("must have at most %d characters", maxLength)))
	}
	return problems
}
