package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// Client talks to a supervisor.
type Client struct{ http *http.Client }

// NewClient returns a client of the supervisor that listens on the socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var conn net.Conn
		err := shortPath(socket, func(short string) (err error) {
			conn, err = (&net.Dialer{}).DialContext(ctx, "unix", short)
			return err
		})
		return conn, err
	}
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Listen opens the socket that a supervisor is to serve.
func Listen(socket string) (listener *net.UnixListener, err error) {
	err = shortPath(socket, func(short string) error {
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", socket, err)
	}
	listener.SetUnlinkOnClose(false) // it is handed to the supervisor; the caller's copy is closed
	return listener, nil
}

// shortPath calls use with another name of path: the kernel takes no more than 108 bytes, which a repository deep
// in someone's folders exceeds.
func shortPath(path string, use func(string) error) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return use(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)))
}

// Status asks for the supervisor's state.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status
	body, err := c.do(ctx, http.MethodGet, "/status")
	if err != nil {
		return status, err
	}
	defer func() { _ = body.Close() }()
	return status, json.NewDecoder(body).Decode(&status)
}

// Follow calls show for every event until the cluster is ready. An error of the cluster's is returned as one.
func (c *Client) Follow(ctx context.Context, show func(Event)) error {
	body, err := c.do(ctx, http.MethodGet, "/progress")
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	decoder := json.NewDecoder(body)
	for {
		var event Event
		if err := decoder.Decode(&event); err != nil {
			return fmt.Errorf("the supervisor ended before the cluster was ready: %w", err)
		}
		if event.Error != "" {
			return errors.New(event.Error)
		}
		show(event)
		if event.Ready {
			return nil
		}
	}
}

// KillNode ends all processes of node n at once, as a power failure would.
func (c *Client) KillNode(ctx context.Context, n int) error {
	return c.post(ctx, fmt.Sprintf("/nodes/%d/kill", n))
}

// StartNode starts node n again.
func (c *Client) StartNode(ctx context.Context, n int) error {
	return c.post(ctx, fmt.Sprintf("/nodes/%d/start", n))
}

// LoadImages imports new and changed images into all running nodes.
func (c *Client) LoadImages(ctx context.Context) error { return c.post(ctx, "/images") }

// Stop asks the supervisor to end, and everything with it.
func (c *Client) Stop(ctx context.Context) error { return c.post(ctx, "/stop") }

func (c *Client) post(ctx context.Context, path string) error {
	body, err := c.do(ctx, http.MethodPost, path)
	if err != nil {
		return err
	}
	return body.Close()
}

func (c *Client) do(ctx context.Context, method, path string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		defer func() { _ = response.Body.Close() }()
		message, _ := io.ReadAll(response.Body)
		return nil, fmt.Errorf("supervisor: %s", strings.TrimSpace(string(message)))
	}
	return response.Body, nil
}
