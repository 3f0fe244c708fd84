package stack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// visitTimeout is above the longest request that a stack allows by default.
const visitTimeout = 40 * time.Second

// Endpoints are where the local cluster is reached from this machine.
type Endpoints struct {
	// HTTPS and HTTP are the addresses of the edge.
	HTTPS string `json:"https"`
	HTTP  string `json:"http"`
	// Proxy is the URL of an HTTP proxy into the cluster's network.
	Proxy string `json:"proxy"`
	// Nodes is the number of nodes.
	Nodes int `json:"nodes"`
}

// Endpoints of the local cluster, which must be up.
func (p *Project) Endpoints() (Endpoints, error) {
	var found Endpoints
	text, err := os.ReadFile(filepath.Join(p.Local(), "cluster", "endpoints.json"))
	if err != nil {
		return found, errors.Join(errors.New("the local cluster is not up"), err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return found, fmt.Errorf("endpoints.json: %w", err)
	}
	return found, nil
}

// EdgeTransport reaches any host through the local cluster's edge and trusts its authority alone.
func (p *Project) EdgeTransport() (*http.Transport, error) {
	found, err := p.Endpoints()
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(p.EdgeCA())
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate", p.EdgeCA())
	}
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			edge := found.HTTPS
			if strings.HasSuffix(address, ":80") {
				edge = found.HTTP
			}
			return (&net.Dialer{}).DialContext(ctx, network, edge)
		},
	}, nil
}

// Visit asks the local cluster for a page, follows redirects and returns where they end, and the status there.
func (p *Project) Visit(ctx context.Context, url string) (end string, status int, err error) {
	transport, err := p.EdgeTransport()
	if err != nil {
		return "", 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", 0, err
	}
	response, err := (&http.Client{Transport: transport, Timeout: visitTimeout}).Do(request)
	if err != nil {
		return "", 0, err
	}
	return response.Request.URL.String(), response.StatusCode, response.Body.Close()
}
