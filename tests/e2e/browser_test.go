package e2e

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

const (
	// browserUser is a user without a name or rights.
	browserUser = 10001
	// handedIn is where the browser finds the files that it is to upload.
	handedIn = "/mnt"
)

// enterBrowserRoot becomes the browser in a root that it cannot write to, with a folder of files. It runs in namespaces of its own, so
// that nothing stays mounted or running, however the browser ends. Becoming another user makes the kernel forget that the browser is to
// end with the test, so that it is told again.
const enterBrowserRoot = `set -eu
root=$1 files=$2 user=$3; shift 3
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc none "$root/proc"
mount -t tmpfs -o mode=1777,nosuid,nodev none "$root/tmp"
mount --bind "$files" "$root` + handedIn + `"
mount -o remount,bind,ro "$root` + handedIn + `"
exec chroot "$root" setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs \
	--pdeathsig=KILL env -i HOME=/tmp "$@"`

// browser is a headless Chromium that reaches one site through the edge, and no other host.
type browser struct {
	site    *subject
	console *console
	// administrator is the tab that it started with.
	administrator tab
}

// browse starts a browser, which ends with the test. The files of the folder are in its folder handedIn.
func (s *subject) browse(t *testing.T, files string) *browser {
	t.Helper()
	if err := clusterCommand(s.project, "browser"); err != nil {
		t.Fatal(err)
	}
	key, err := s.servedKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.project.Endpoints()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(s.project.Local(), "browserroot")
	allocator, end := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/lib/chromium/chromium-headless-shell"),
		chromedp.UserDataDir("/tmp/profile"),
		chromedp.NoSandbox, // its own needs rights that it does not have here
		chromedp.WindowSize(1280, 1000),
		chromedp.Flag("force-prefers-reduced-motion", true), // a click meets what is at rest
		chromedp.Flag("host-resolver-rules", fmt.Sprintf("MAP %s %s, MAP * ~NOTFOUND", s.host, found.HTTPS)),
		chromedp.Flag("ignore-certificate-errors-spki-list", key),
		chromedp.ModifyCmdFunc(func(command *exec.Cmd) { confine(command, root, files) }),
	)...)
	b := &browser{site: s, console: &console{host: s.host}}
	first, closeTab := chromedp.NewContext(allocator, chromedp.WithListener(b.console.hear))
	t.Cleanup(func() {
		closeTab()
		end()
	})
	if err := chromedp.Do(first); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	b.administrator = tab{first}
	return b
}

// confine has the command run in the browser's root.
func confine(command *exec.Cmd, root, files string) {
	command.Args = append([]string{"sh", "-c", enterBrowserRoot, "sh", root, files, strconv.Itoa(browserUser)}, command.Args...)
	command.Path, command.Err = "/bin/sh", nil
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
	}
}

// asVisitor opens a tab that shares neither cookies nor files with the others.
func (b *browser) asVisitor(t *testing.T) tab {
	t.Helper()
	visitor, closeTab := chromedp.NewContext(b.administrator, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.console.hear))
	t.Cleanup(closeTab)
	// The tab lives as long as the context that it is first used with.
	if err := chromedp.Do(visitor); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	return tab{visitor}
}

// product is the browser's name and version.
func (b *browser) product(t *testing.T) string {
	t.Helper()
	version, err := chromedp.CallBrowser(b.administrator, cdpbrowser.GetVersion, cdp.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	return version.Product
}

// servedKey is the hash of the public key that the edge serves, whose certificate is checked here: by the tests' authority, which the
// browser does not know.
func (s *subject) servedKey(ctx context.Context) (string, error) {
	transport, err := s.project.EdgeTransport()
	if err != nil {
		return "", err
	}
	connection, err := transport.DialContext(ctx, "tcp", s.host+":443")
	if err != nil {
		return "", err
	}
	defer func() { _ = connection.Close() }()
	settings := transport.TLSClientConfig.Clone()
	settings.ServerName = s.host
	client := tls.Client(connection, settings)
	if err := client.HandshakeContext(ctx); err != nil {
		return "", err
	}
	hash := sha256.Sum256(client.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(hash[:]), nil
}
