package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"

	"wordpress-on-kubernetes/tests/stack"
)

// requestTimeout is above the longest request that the site allows.
const requestTimeout = 40 * time.Second

// site is a visitor of the site, with cookies, over HTTPS through the edge or straight to one pod.
type site struct {
	client *http.Client
	base   string
	host   string
}

// throughEdge visits the site over HTTPS; the certificate must be valid for the host.
func throughEdge(host string, project *stack.Project) (*site, error) {
	transport, err := project.EdgeTransport()
	if err != nil {
		return nil, err
	}
	return newSite(transport, "https://"+host, host)
}

// throughEdgePlain visits the site over plain http.
func throughEdgePlain(host string, project *stack.Project) (*site, error) {
	transport, err := project.EdgeTransport()
	if err != nil {
		return nil, err
	}
	return newSite(transport, "http://"+host, host)
}

// straightTo visits one pod as the edge does.
func straightTo(podIP string, port int, host, proxy string) (*site, error) {
	proxyURL, err := url.Parse(proxy)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return tunnel(ctx, proxyURL.Host, address)
		},
		DisableKeepAlives: true,
	}
	return newSite(transport, "http://"+net.JoinHostPort(podIP, strconv.Itoa(port)), host)
}

// tunnel connects to an address inside the cluster. A plain proxied request would not do: its target is the host
// that the visitor asks for, not the pod.
func tunnel(ctx context.Context, proxy, address string) (net.Conn, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", proxy)
	if err != nil {
		return nil, err
	}
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address}
	if err := request.Write(connection); err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	//nolint:bodyclose // The body of an accepted CONNECT is the connection, which the caller gets.
	response, err := http.ReadResponse(bufio.NewReader(connection), request)
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("proxy to %s: %s", address, response.Status), connection.Close())
	}
	return connection, nil
}

func newSite(transport http.RoundTripper, base, host string) (*site, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &site{
		client: &http.Client{
			Transport: transport,
			Jar:       jar,
			Timeout:   requestTimeout,
			// Redirects are looked at, not followed.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		base: base,
		host: host,
	}, nil
}

// answer is a response with its whole body.
type answer struct {
	status   int
	location string
	header   http.Header
	body     []byte
}

func (s *site) do(ctx context.Context, method, path, contentType string, body []byte, header http.Header) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for key, values := range header {
		request.Header[key] = values
	}
	request.Host = s.host
	if request.Header.Get("X-Forwarded-Proto") == "" {
		request.Header.Set("X-Forwarded-Proto", "https")
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{
		status: response.StatusCode, location: response.Header.Get("Location"), header: response.Header, body: text,
	}, err
}

func (s *site) get(ctx context.Context, path string) (answer, error) {
	return s.do(ctx, http.MethodGet, path, "", nil, nil)
}

func (s *site) post(ctx context.Context, path string, form url.Values) (answer, error) {
	return s.do(ctx, http.MethodPost, path, "application/x-www-form-urlencoded", []byte(form.Encode()), nil)
}

// account is the administrator of a test's site.
type account struct {
	user, password string
}

// install runs WordPress's own installation.
func (s *site) install(ctx context.Context, title string, admin account) error {
	response, err := s.post(ctx, "/wp-admin/install.php?step=2", url.Values{
		"weblog_title":    {title},
		"user_name":       {admin.user},
		"admin_password":  {admin.password},
		"admin_password2": {admin.password},
		"pw_weak":         {"1"},
		"admin_email":     {"admin@example.com"},
		"Submit":          {"Install WordPress"},
		"language":        {""},
	})
	if err != nil {
		return err
	}
	if response.status != http.StatusOK || !bytes.Contains(response.body, []byte("wp-login.php")) {
		return fmt.Errorf("install: status %d: %s", response.status, excerpt(response.body))
	}
	return nil
}

// login makes the visitor's cookies those of the administrator.
func (s *site) login(ctx context.Context, admin account) error {
	if _, err := s.get(ctx, "/wp-login.php"); err != nil {
		return err
	}
	response, err := s.post(ctx, "/wp-login.php", url.Values{
		"log": {admin.user}, "pwd": {admin.password}, "wp-submit": {"Log In"}, "testcookie": {"1"},
	})
	if err != nil {
		return err
	}
	if response.status != http.StatusFound || !strings.Contains(response.location, "/wp-admin/") {
		return fmt.Errorf("log in: status %d, location %q: %s", response.status, response.location, excerpt(response.body))
	}
	return nil
}

// takeCookies makes the visitor the same person as another one. WordPress marks the cookies of a login as secure,
// so they are not sent over the plain connection to a pod unless they are given again without the mark.
func (s *site) takeCookies(other *site) {
	cookies := other.client.Jar.Cookies(&url.URL{Scheme: "https", Host: other.host, Path: "/wp-admin/"})
	s.client.Jar.SetCookies(&url.URL{Scheme: "http", Host: s.host}, cookies)
}

// loggedIn asks for a page that only an administrator sees.
func (s *site) loggedIn(ctx context.Context) error {
	response, err := s.get(ctx, "/wp-admin/profile.php")
	if err != nil {
		return err
	}
	if response.status != http.StatusOK {
		return fmt.Errorf("profile page: status %d, location %q", response.status, response.location)
	}
	return nil
}

// loggedOut reports a visitor whose login still holds, or who is not asked to log in.
func (s *site) loggedOut(ctx context.Context) error {
	response, err := s.get(ctx, "/wp-admin/profile.php")
	if err != nil {
		return err
	}
	if response.status != http.StatusFound || !strings.Contains(response.location, "/wp-login.php") {
		return fmt.Errorf("an earlier login is answered with status %d, location %q", response.status, response.location)
	}
	return nil
}

// article is a published post with a picture.
type article struct {
	id       int
	title    string
	path     string
	picture  []byte
	filePath string
}

// publish uploads a picture and publishes a post that shows it.
func (s *site) publish(ctx context.Context, title string) (article, error) {
	nonce, err := s.get(ctx, "/wp-admin/admin-ajax.php?action=rest-nonce")
	if err != nil || nonce.status != http.StatusOK {
		return article{}, fmt.Errorf("nonce: status %d: %w", nonce.status, err)
	}
	picture, err := drawPicture()
	if err != nil {
		return article{}, err
	}
	var media struct {
		ID        int    `json:"id"`
		SourceURL string `json:"source_url"`
	}
	header := http.Header{
		"X-Wp-Nonce":          {string(nonce.body)},
		"Content-Disposition": {`attachment; filename="picture.png"`},
	}
	if err := s.create(ctx, "/wp/v2/media", "image/png", picture, header, &media); err != nil {
		return article{}, err
	}
	draft, err := json.Marshal(map[string]any{
		"title": title, "status": "publish", "content": `<img src="` + media.SourceURL + `">`,
	})
	if err != nil {
		return article{}, err
	}
	var post struct {
		ID   int    `json:"id"`
		Link string `json:"link"`
	}
	header.Del("Content-Disposition")
	if err := s.create(ctx, "/wp/v2/posts", "application/json", draft, header, &post); err != nil {
		return article{}, err
	}
	address, err := url.Parse(post.Link)
	return article{
		id:       post.ID,
		title:    title,
		path:     address.RequestURI(),
		picture:  picture,
		filePath: strings.TrimPrefix(media.SourceURL, "https://"+s.host),
	}, err
}

func (s *site) create(ctx context.Context, route, contentType string, body []byte, header http.Header, into any) error {
	response, err := s.do(ctx, http.MethodPost, "/?rest_route="+route, contentType, body, header)
	if err != nil {
		return err
	}
	if response.status != http.StatusCreated {
		return fmt.Errorf("%s: status %d: %s", route, response.status, excerpt(response.body))
	}
	return json.Unmarshal(response.body, into)
}

// retitle edits an article as the editor does.
func (s *site) retitle(ctx context.Context, of article, title string) error {
	nonce, err := s.get(ctx, "/wp-admin/admin-ajax.php?action=rest-nonce")
	if err != nil || nonce.status != http.StatusOK {
		return fmt.Errorf("nonce: status %d: %w", nonce.status, err)
	}
	changed, err := json.Marshal(map[string]any{"title": title})
	if err != nil {
		return err
	}
	response, err := s.do(ctx, http.MethodPost, fmt.Sprintf("/?rest_route=/wp/v2/posts/%d", of.id), "application/json", changed,
		http.Header{"X-Wp-Nonce": {string(nonce.body)}})
	if err == nil && response.status != http.StatusOK {
		err = fmt.Errorf("edit post %d: status %d: %s", of.id, response.status, excerpt(response.body))
	}
	return err
}

// reads the article as a visitor: the page with its title, and the picture byte for byte.
func (s *site) reads(ctx context.Context, wanted article) error {
	page, err := s.get(ctx, wanted.path)
	if err != nil {
		return err
	}
	if page.status != http.StatusOK || !bytes.Contains(page.body, []byte(wanted.title)) {
		return fmt.Errorf("post %s: status %d, location %q: %s", wanted.path, page.status, page.location, excerpt(page.body))
	}
	file, err := s.get(ctx, wanted.filePath)
	if err != nil {
		return err
	}
	if file.status != http.StatusOK || !bytes.Equal(file.body, wanted.picture) {
		return fmt.Errorf("picture %s: status %d, %d bytes of %d", wanted.filePath, file.status, len(file.body), len(wanted.picture))
	}
	return nil
}

// drawPicture is a small PNG that no theme ships.
func drawPicture() ([]byte, error) {
	canvas := image.NewRGBA(image.Rect(0, 0, 48, 48))
	for i := range 48 {
		canvas.Set(i, i, color.RGBA{R: 200, G: uint8(5 * i), A: 255})
	}
	var file bytes.Buffer
	err := png.Encode(&file, canvas)
	return file.Bytes(), err
}

func excerpt(body []byte) string {
	const most = 300
	return string(body[:min(len(body), most)])
}
