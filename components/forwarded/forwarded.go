// Package forwarded is how a visitor's address is found in X-Forwarded-For, for every server that has to.
package forwarded

import "fmt"

// Patterns are regular expressions (PCRE) that find the visitor's address in X-Forwarded-For, as their first group, whose
// name is given, or empty. The last one that matches counts. So many proxies append to the header before the edge does. Where the list is shorter than
// they would make it, the visitor has come past some of them, and what is first was appended by the one that he came to.
func Patterns(proxies int, name string) []string {
	// An IPv4 or an IPv6 address. Some load balancers append the port, and then an IPv6 address is in brackets.
	const addresses = `\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*`
	if name != "" {
		name = "?<" + name + ">"
	}
	address := fmt.Sprintf(`\[?(%s%s)\]?(?::\d+)?`, name, addresses)
	exact := fmt.Sprintf(`(?:^|,)\s*%s(?:\s*,[^,]*){%d}\s*$`, address, proxies)
	if proxies == 0 {
		return []string{exact}
	}
	return []string{fmt.Sprintf(`^\s*%s(?:\s*,[^,]*){0,%d}\s*$`, address, proxies-1), exact}
}
