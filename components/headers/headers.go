// Package headers says which security headers every answer of the site carries, so that the pods and the edge, whichever of
// them gives the answer, send the same.
package headers

import (
	"slices"
	"strings"
)

// Names of the headers.
const (
	ContentTypeOptions = "X-Content-Type-Options"
	ReferrerPolicy     = "Referrer-Policy"
	PermissionsPolicy  = "Permissions-Policy"
	FrameOptions       = "X-Frame-Options"
	RobotsTag          = "X-Robots-Tag"
)

const (
	// noSniff has browsers take a file for what the server says it is: an upload that looks like a script is none.
	noSniff = "nosniff"
	// originAbroad keeps paths and queries of the site, which may hold a nonce or a draft's number, from other sites. It is what
	// WordPress sends for its administration.
	originAbroad = "strict-origin-when-cross-origin"
	// sameOrigin frames are what WordPress's own customizer and previews need. A browser that meets frame-ancestors in a
	// Content-Security-Policy of the site's own goes by that instead.
	sameOrigin = "SAMEORIGIN"
	// unseen by search engines, pictures and other files too, which have no page to say so.
	unseen = "noindex, nofollow"
)

// guarded are the browser features that a page could spy on its visitors with.
var guarded = []string{"camera", "geolocation", "microphone"}

// Header is one header of an answer.
type Header struct{ Name, Value string }

// Policy is what a stack decides about the headers.
type Policy struct {
	// Embedding lets other sites show pages of this one in a frame.
	Embedding bool
	// BrowserFeatures that the site's own pages may use: camera, geolocation, microphone. Nobody may use the others.
	BrowserFeatures []string
	// HSTSSeconds is how long browsers come back over HTTPS only; 0 takes an earlier promise back. Nil: nothing is said.
	HSTSSeconds *int
	// NoRobots keeps search engines from showing the site.
	NoRobots bool
}

// Always are the headers of every answer, sorted by name. Strict-Transport-Security is not among them: it must not be sent over
// plain http (RFC 6797, section 7.2).
func (p Policy) Always() []Header {
	list := []Header{
		{PermissionsPolicy, p.permissions()},
		{ReferrerPolicy, originAbroad},
		{ContentTypeOptions, noSniff},
	}
	if !p.Embedding {
		list = append(list, Header{FrameOptions, sameOrigin})
	}
	if p.NoRobots {
		list = append(list, Header{RobotsTag, unseen})
	}
	return list
}

// permissions keeps the features from whatever a page loads, and from the page itself unless it may use them.
func (p Policy) permissions() string {
	directives := make([]string, 0, len(guarded))
	for _, feature := range guarded {
		allowed := "()"
		if slices.Contains(p.BrowserFeatures, feature) {
			allowed = "(self)"
		}
		directives = append(directives, feature+"="+allowed)
	}
	return strings.Join(directives, ", ")
}
