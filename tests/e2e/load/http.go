package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	// requestTimeout ends a request without an answer: longer than the sites' edge waits (30 s), so that its limit is seen, and than a
	// visitor does. It also bounds how long Stop takes.
	requestTimeout = 40 * time.Second
	// servedBy is the header in which the sites under load name the pod that answers.
	servedBy = "X-Served-By"
	// excerptBytes of an unexpected body go into the error.
	excerptBytes = 120
	// idleConnections are kept for the next request: more than any stream has. Go's default of 2 would close the others.
	idleConnections = 1024
)

// Client makes the requests of one stream. Nothing is hidden: redirects are not followed, and a request that only
// succeeded because Go's client sent it again on another connection has failed.
type Client struct {
	base string
	http *http.Client
}

// NewClient visits the site at base, a URL without a path, by a transport of its own. It speaks HTTP/1.1, so that each
// connection of a stream is one. With keepAlive a connection is used again, and a stream should leave none idle for so
// long that the server may close it; without, each request makes a new one, with its TLS handshake.
func NewClient(base string, keepAlive bool, transport func() (*http.Transport, error)) (*Client, error) {
	own, err := transport()
	if err != nil {
		return nil, fmt.Errorf("transport to %s: %w", base, err)
	}
	own.DisableKeepAlives = !keepAlive
	own.MaxIdleConnsPerHost = idleConnections
	own.Protocols = new(http.Protocols)
	own.Protocols.SetHTTP1(true)
	return &Client{
		base: base,
		http: &http.Client{
			Transport:     own,
			Timeout:       requestTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes the connections that no request uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Get asks for a page and fails unless the answer has the status and its body holds the text.
func (c *Client) Get(ctx context.Context, path string, wantStatus int, wantBody string) (Reply, error) {
	return c.GetChecked(ctx, path, func(response *http.Response, body []byte) error {
		if response.StatusCode != wantStatus {
			return fmt.Errorf("status %d, want %d: %s", response.StatusCode, wantStatus, excerpt(body))
		}
		if !bytes.Contains(body, []byte(wantBody)) {
			return fmt.Errorf("status %d, but %q is not in the body: %s", response.StatusCode, wantBody, excerpt(body))
		}
		return nil
	})
}

// GetChecked asks for a page and fails with the error of check, which sees the answer with its whole body.
func (c *Client) GetChecked(ctx context.Context, path string, check func(*http.Response, []byte) error) (Reply, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return Reply{}, err
	}
	return c.do(request, check)
}

// PostForm posts a form and fails with the error of check, which sees the answer with its whole body. The error also
// tells the status and how the body begins.
func (c *Client) PostForm(
	ctx context.Context, path string, form url.Values, check func(*http.Response, []byte) error,
) (Reply, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return Reply{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(request, func(response *http.Response, body []byte) error {
		if err := check(response, body); err != nil {
			return fmt.Errorf("status %d: %w: %s", response.StatusCode, err, excerpt(body))
		}
		return nil
	})
}

func (c *Client) do(request *http.Request, check func(*http.Response, []byte) error) (Reply, error) {
	connections := 0
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connections++ }}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
	response, err := c.http.Do(request)
	if err != nil {
		return Reply{}, broken(err)
	}
	defer response.Body.Close()
	reply := Reply{Pod: response.Header.Get(servedBy), Status: response.StatusCode}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return reply, fmt.Errorf("status %d, after %d bytes of the body: %w", response.StatusCode, len(body), broken(err))
	}
	if connections > 1 {
		return reply, fmt.Errorf("status %d, but only at attempt %d: a kept connection was reset", reply.Status, connections)
	}
	return reply, check(response, body)
}

// broken says in a word what kind of error ended a request.
func broken(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		// Without the method and URL, which the stream's name tells.
		err = wrapped.Err
	}
	var timeout interface{ Timeout() bool }
	kind := "broken"
	switch {
	case strings.Contains(err.Error(), "tls: "):
		// The type of an alert is not exported.
		kind = "TLS"
	case errors.Is(err, syscall.ECONNREFUSED):
		kind = "connection refused"
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		kind = "connection reset"
	case errors.Is(err, context.Canceled):
		kind = "canceled"
	case errors.As(err, &timeout) && timeout.Timeout():
		kind = "timeout"
	}
	return fmt.Errorf("%s: %w", kind, err)
}

func excerpt(body []byte) string {
	return fmt.Sprintf("%q", body[:min(len(body), excerptBytes)])
}
