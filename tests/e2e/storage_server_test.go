package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"k8s.io/client-go/util/cert"

	"wordpress-on-kubernetes/tests/stack"
)

// objectStorage is an S3 server outside the cluster, which pods reach by its address.
type objectStorage struct {
	// address that pods reach it at.
	address net.Addr
	// folder with what it stores: a bucket is a folder in it.
	folder string
	// accessKey and secretKey open it; authority is that of its certificate, in PEM.
	accessKey, secretKey, authority string
}

const (
	bucket     = "backups"
	gatewayKey = "proofs"
)

// startStorage serves until the test ends.
func startStorage(t *testing.T) *objectStorage {
	t.Helper()
	begin(t)
	project, err := stack.Open("dev", "")
	if err != nil {
		t.Fatal(err)
	}
	kubernetes, err := connect(project.Kubeconfig(), "default")
	if err != nil {
		t.Fatal(err)
	}
	gateway := buildTool(t, project, "versitygw")
	listener, err := listenInCluster(t.Context(), project, kubernetes)
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, err := cert.GenerateSelfSignedCertKey(host, []net.IP{net.ParseIP(host)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &objectStorage{
		address: listener.Addr(), folder: t.TempDir(), accessKey: gatewayKey, secretKey: "a-secret-of-the-storage", authority: string(certificate),
	}
	files := t.TempDir()
	for name, content := range map[string][]byte{"tls.crt": certificate, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(files, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(s.folder, bucket), 0o755); err != nil {
		t.Fatal(err)
	}
	behind := freePort(t)
	log, err := os.Create(filepath.Join(files, "log"))
	if err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), gateway, "--port", behind, "--cert", filepath.Join(files, "tls.crt"),
		"--key", filepath.Join(files, "tls.key"), "posix", "--nometa", s.folder)
	server.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.accessKey, "ROOT_SECRET_KEY="+s.secretKey)
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = errors.Join(listener.Close(), server.Process.Kill())
		_ = server.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			keepArtifact(t, project, "storage.log", text)
		}
		_ = log.Close()
	})
	go pass(listener, behind)
	await(t, "the storage serves", func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", behind)
		if err == nil {
			err = connection.Close()
		}
		return err
	})
	return s
}

// settings have a site save itself here.
func (s *objectStorage) settings(t *testing.T, folder string) map[string]string {
	t.Helper()
	host, port, err := net.SplitHostPort(s.address.String())
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"wordpress:backup.enabled":    "true",
		"wordpress:backup.repository": fmt.Sprintf("s3:https://%s/%s/%s", s.address, bucket, folder),
		"wordpress:backup.caBundle":   s.authority,
		// By hand alone.
		"wordpress:backup.schedule": "0 0 31 2 *", "wordpress:backup.careSchedule": "0 0 31 2 *",
		"wordpress:backup.destination[0].cidr": host + "/32", "wordpress:backup.destination[0].ports[0]": port,
	}
}

// files that it stores, with their sizes.
func (s *objectStorage) files(t *testing.T) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	err := filepath.WalkDir(s.folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			found[path] = info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// open gives the program the keys.
func (s *objectStorage) open(t *testing.T, p *program) {
	t.Helper()
	for key, value := range map[string]string{"wordpress:backupAccessKey": s.accessKey, "wordpress:backupSecretKey": s.secretKey} {
		if err := p.SetConfig(t.Context(), key, auto.ConfigValue{Value: value, Secret: true}); err != nil {
			t.Fatal(err)
		}
	}
}

// buildTool builds a tool that proofs alone need, and tells its path.
func buildTool(t *testing.T, project *stack.Project, name string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "run", "./cmd/cluster", "tools", "-only", name)
	command.Dir = filepath.Join(project.Repo, "tests", "cluster")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("tool %s: %v\n%s", name, err, output)
	}
	return filepath.Join(project.Local(), "bin", name)
}

// freePort is an address of this machine that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
}

// pass hands each connection on.
func pass(listener net.Listener, to string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = client.Close() }()
			server, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer func() { _ = server.Close() }()
			var both sync.WaitGroup
			for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
				both.Go(func() {
					_, _ = io.Copy(way[0], way[1])
					if half, ok := way[0].(interface{ CloseWrite() error }); ok {
						_ = half.CloseWrite()
					}
				})
			}
			both.Wait()
		}()
	}
}
