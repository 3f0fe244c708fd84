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
	"sync/atomic"
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

// Visitor is somebody who visits the local cluster's edge from an address of his own, 203.0.113.N. 1 is this machine.
type Visitor byte

// Crowd is everybody but this machine.
func Crowd() []Visitor {
	var all []Visitor
	for n := Visitor(2); n < 255; n++ {
		all = append(all, n)
	}
	return all
}

// String is the visitor's address, as the edge is told by what forwards this machine's ports to it.
func (v Visitor) String() string { return fmt.Sprintf("203.0.113.%d", byte(v)) }

// EdgeTransport reaches any host through the local cluster's edge and trusts its authority alone. Each connection is the next visitor's of those
// that are named, in turn, or else this machine's.
func (p *Project) EdgeTransport(visitors ...Visitor) (*http.Transport, error) {
	if len(visitors) == 0 {
		visitors = []Visitor{1}
	}
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
	var connections atomic.Uint64
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			edge := found.HTTPS
			if strings.HasSuffix(address, ":80") {
				edge = found.HTTP
			}
			visitor := visitors[(connections.Add(1)-1)%uint64(len(visitors))]
			from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(visitor))}
			return (&net.Dialer{LocalAddr: from}).DialContext(ctx, network, edge)
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
