package e2e

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/stack"
)

const (
	// rejectedNonces of a hundred are refused though they are good, as a busy authority's are; clients must try again.
	rejectedNonces = 20
	// nameOfTestServer is in the certificate that httptest serves with.
	nameOfTestServer = "example.com"
)

// acmeAuthority is a certificate authority that speaks ACME to the cluster's pods. It looks at the site from outside, by the
// ports that visitors use, before it signs.
type acmeAuthority struct {
	// directory is the URL that clients start from, served with the certificate api, in PEM.
	directory string
	api       []byte
	// roots are what the certificates that it signs lead to.
	roots *x509.CertPool
	log   *lockedBuffer
}

// startAuthority serves Pebble in the cluster's network until the test ends.
func startAuthority(t *testing.T, project *stack.Project, kubernetes *cluster, validity time.Duration) *acmeAuthority {
	t.Helper()
	// Pebble takes these from its environment alone.
	t.Setenv("PEBBLE_WFE_NONCEREJECT", strconv.Itoa(rejectedNonces))
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	found, err := project.Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	output := &lockedBuffer{}
	logger := log.New(output, "", log.LstdFlags)
	store := db.NewMemoryStore()
	profiles := map[string]ca.Profile{"default": {Description: "short-lived", ValidityPeriod: uint64(validity.Seconds())}}
	signer := ca.New(logger, store, "", "ecdsa", 0, 1, profiles)
	validator := va.New(logger, portOf(t, found.HTTP), portOf(t, found.HTTPS), true, allNamesAreHere(t, logger), store)
	front := wfe.New(logger, store, validator, signer, []string{"pebble.invalid"}, true, false, 1, 1)

	server := httptest.NewUnstartedServer(front.Handler())
	if err := server.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	if server.Listener, err = listenInCluster(t.Context(), project, kubernetes); err != nil {
		t.Fatal(err)
	}
	server.Config.ErrorLog = logger
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(signer.GetRootCert(0).PEM())
	return &acmeAuthority{
		directory: server.URL + wfe.DirectoryPath,
		api:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		roots:     roots,
		log:       output,
	}
}

// allNamesAreHere serves DNS that knows every name to be this machine, where the edge's ports are, and returns its address.
func allNamesAreHere(t *testing.T, logger *log.Logger) string {
	t.Helper()
	// The library listens by itself, on an address that must be known before.
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := challtestsrv.New(challtestsrv.Config{Log: logger, DNSAddrs: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	names.SetDefaultDNSIPv4("127.0.0.1")
	names.SetDefaultDNSIPv6("")
	go names.Run()
	t.Cleanup(names.Shutdown)
	return address
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// listenInCluster listens where the API server does, which pods can reach.
func listenInCluster(ctx context.Context, project *stack.Project, kubernetes *cluster) (net.Listener, error) {
	address, err := kubernetes.ownAddress(ctx)
	if err != nil {
		return nil, err
	}
	return inNetwork(project, func() (net.Listener, error) {
		return (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(address, "0"))
	})
}

// ownAddress is the API server's address within the cluster.
func (c *cluster) ownAddress(ctx context.Context) (string, error) {
	slice, err := c.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).Get(ctx, "kubernetes", metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if len(slice.Endpoints) == 0 || len(slice.Endpoints[0].Addresses) == 0 {
		return "", errors.New("the API server tells no address of its own")
	}
	return slice.Endpoints[0].Addresses[0], nil
}

// lockedBuffer takes a log from many goroutines.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

var _ io.Writer = (*lockedBuffer)(nil)

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(text)
}

// Bytes is a copy of the log so far.
func (b *lockedBuffer) Bytes() []byte {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return bytes.Clone(b.buffer.Bytes())
}
