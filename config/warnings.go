package config

import (
	"fmt"
	"slices"
	"strings"
)

// Warnings are what no rule refuses, since a sample and a rehearsal have it, and what nobody should find out from visitors. None holds a
// secret.
func (s *Stack) Warnings() []string { return slices.Concat(s.sampleHost(), s.busyCopy()) }

// busyCopy is of a site that begins as another one and may go on with what that one does.
func (s *Stack) busyCopy() []string {
	if s.Backup.Bootstrap.From == "" || !*s.Site.Mail {
		return nil
	}
	return []string{fmt.Sprintf("the site begins as a copy of %s, with its visitors' addresses, its scheduled mail and the keys of its plugins: where that one "+
		"stays, set %s and %s to false before you deploy", s.Backup.Bootstrap.From, at("site.mail"), at("site.robots"))}
}

func (s *Stack) sampleHost() []string {
	// RFC 2606 keeps these for documents: nobody can have a certificate for them, and visitors find somebody else's page there.
	samples := []string{"example.com", "example.net", "example.org"}
	isSample := func(domain string) bool { return s.Site.Host == domain || strings.HasSuffix(s.Site.Host, "."+domain) }
	if s.Profile != Production || !slices.ContainsFunc(samples, isSample) {
		return nil
	}
	return []string{fmt.Sprintf("%s lies under %s, which are kept for documents: no visitor finds it there and no certificate can be had for it; "+
		"set it to a name of your own before you deploy", at("site.host"), list(samples))}
}
