package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"testing"
)

// TestHTTPS tries the certificate, the versions of TLS, and the redirect from plain http.
func TestHTTPS(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		problem := errors.Join(s.refusesOldTLS(t.Context()), s.redirectKeepsAddress(t.Context()))
		s.keep(t, proof{promise: 9, part: "edge", title: "HTTPS", rounds: 1,
			tried:  "handshakes with each version of TLS, the chain checked against the edge's authority; plain http with path and query",
			figure: outcome(problem, "valid chain; TLS 1.2 and 1.3 accepted, 1.0 and 1.1 refused; a permanent redirect keeps path and query"),
		}, problem)
	})
}

// refusesOldTLS shakes hands with one version of TLS at a time.
func (s *subject) refusesOldTLS(ctx context.Context) (problem error) {
	for version, accepted := range map[uint16]bool{
		tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		err := s.handshake(ctx, version)
		switch name := tls.VersionName(version); {
		case accepted && err != nil:
			problem = errors.Join(problem, fmt.Errorf("%s is refused: %w", name, err))
		case !accepted && err == nil:
			problem = errors.Join(problem, fmt.Errorf("%s is accepted", name))
		}
	}
	return problem
}

func (s *subject) handshake(ctx context.Context, version uint16) error {
	transport, err := s.project.EdgeTransport()
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	transport.TLSClientConfig.MinVersion, transport.TLSClientConfig.MaxVersion = version, version
	visitor, err := newSite(transport, "https://"+s.host, s.host)
	if err != nil {
		return err
	}
	_, err = visitor.get(ctx, aFile)
	return err
}

func (s *subject) redirectKeepsAddress(ctx context.Context) error {
	plain, err := throughEdgePlain(s.host, s.project)
	if err != nil {
		return err
	}
	const path = "/some/page?with=a&query=1"
	response, err := plain.get(ctx, path)
	if err != nil {
		return err
	}
	permanent := response.status == http.StatusMovedPermanently || response.status == http.StatusPermanentRedirect
	if want := "https://" + s.host + path; !permanent || response.location != want {
		return fmt.Errorf("plain http: status %d, location %q, want a permanent redirect to %q",
			response.status, response.location, want)
	}
	return nil
}
