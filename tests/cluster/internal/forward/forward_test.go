package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"
	"time"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// closedAddress is one where nothing listens.
func closedAddress(t *testing.T) string {
	listener := listen(t)
	_ = listener.Close()
	return listener.Addr().String()
}

// upperCaser reads until the client has ended its half, then answers: what a protocol that half-closes does.
func upperCaser(t *testing.T) string {
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all, _ := io.ReadAll(conn)
			_, _ = conn.Write(bytes.ToUpper(all))
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

func exchange(t *testing.T, address, message string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return finish(t, conn, message)
}

// finish sends a message, ends the own half, and returns what comes back.
func finish(t *testing.T, conn net.Conn, message string) string {
	t.Helper()
	if _, err := io.WriteString(conn, message); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestTCPPassesOverTargetsThatDoNotAnswer(t *testing.T) {
	front, target := listen(t), upperCaser(t)
	targets := func() []Target { return []Target{{Address: closedAddress(t)}, {Address: target}} }
	go TCP(context.Background(), front, targets, nil)
	if answer := exchange(t, front.Addr().String(), "hello"); answer != "HELLO" {
		t.Errorf("answer %q", answer)
	}
}

func TestTCPClosesTheConnectionWhenNoTargetAnswers(t *testing.T) {
	front := listen(t)
	go TCP(context.Background(), front, func() []Target { return nil }, nil)
	conn, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	expectClosed(t, conn)
}

func TestVisitorTellsAnAddressForEachOfTheMachine(t *testing.T) {
	front, target := listen(t), upperCaser(t)
	go TCP(context.Background(), front, func() []Target { return []Target{{Address: target}} }, Visitor)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, 0, 42)}}
	conn, err := dialer.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	from, to := conn.LocalAddr().(*net.TCPAddr).Port, conn.RemoteAddr().(*net.TCPAddr).Port
	want := fmt.Sprintf("PROXY TCP4 203.0.113.42 127.0.0.1 %d %d\r\nHELLO", from, to)
	if answer := finish(t, conn, "hello"); answer != want {
		t.Errorf("the target read %q, want %q", answer, want)
	}
}

func TestTCPClosesTheConnectionsOfATargetThatIsGone(t *testing.T) {
	front, target, gone := listen(t), listen(t), make(chan struct{})
	go TCP(context.Background(), front, func() []Target { return []Target{{Address: target.Addr().String(), Gone: gone}} }, nil)
	conn, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	server, err := target.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }() // not before the end: a dead target closes nothing
	close(gone)
	expectClosed(t, conn)
}

// expectClosed fails where the connection brings anything, or stays open.
func expectClosed(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := conn.Read(make([]byte, 1))
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is not closed: read %d bytes, %v", n, err)
	}
}

func proxyClient(t *testing.T, transport *http.Transport) *http.Client {
	t.Helper()
	server := httptest.NewServer(Proxy((&net.Dialer{}).DialContext))
	t.Cleanup(server.Close)
	proxy, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport.Proxy = http.ProxyURL(proxy)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func get(t *testing.T, client *http.Client, address string) (int, string) {
	t.Helper()
	response, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host+r.URL.String()) })

func TestProxyForwardsPlainRequests(t *testing.T) {
	server := httptest.NewServer(echo)
	defer server.Close()
	status, body := get(t, proxyClient(t, &http.Transport{}), server.URL+"/path?a=1")
	if want := server.Listener.Addr().String() + "/path?a=1"; status != http.StatusOK || body != want {
		t.Errorf("%d %q, want %q", status, body, want)
	}
}

func TestProxyTunnelsTLS(t *testing.T) {
	server := httptest.NewTLSServer(echo)
	defer server.Close()
	transport := server.Client().Transport.(*http.Transport).Clone()
	status, body := get(t, proxyClient(t, transport), server.URL+"/")
	if want := server.Listener.Addr().String() + "/"; status != http.StatusOK || body != want {
		t.Errorf("%d %q, want %q", status, body, want)
	}
}

func TestProxySaysWhenATargetDoesNotAnswer(t *testing.T) {
	status, _ := get(t, proxyClient(t, &http.Transport{}), "http://"+closedAddress(t)+"/")
	if status != http.StatusBadGateway {
		t.Errorf("status %d, want %d", status, http.StatusBadGateway)
	}
}
