package images

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestWaitingForADatabaseEnds has a pod, whose patience is two seconds, ask databases that will never answer, and one that comes.
func TestWaitingForADatabaseEnds(t *testing.T) {
	m := newMySQL(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	defer func() { _ = silent.Close() }()
	planned := plannedFiles(t)
	waits := strings.NewReplacer("$patience = 25;", "$patience = 2;", "net_read_timeout = 30", "net_read_timeout = 2")
	for _, name := range []string{"patient.php", "php.ini"} {
		text := waits.Replace(planned[name])
		if text == planned[name] {
			t.Fatalf("%s says nothing of the time", name)
		}
		planned[name] = text
	}
	root := unpack(t, "wordpress-7.1")
	for name, row := range map[string]struct {
		host   string
		at     time.Duration // at least
		within time.Duration
	}{
		"nobody listens":                 {fmt.Sprintf("127.0.0.1:%d", freePort(t)), 2 * time.Second, 20 * time.Second},
		"it takes connections, silently": {silent.Addr().String(), 2 * time.Second, 20 * time.Second},
		"packets are lost":               {unreachable(t), 2 * time.Second, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, m)
			s.env[0] = "WORDPRESS_DB_HOST=" + row.host
			s.startFiles(t, root, planned)
			began := time.Now()
			got := s.visit(t, http.MethodGet, "/", "", nil)
			took := time.Since(began)
			if got.status != http.StatusInternalServerError || !strings.Contains(got.body, "Error establishing a database connection") {
				t.Errorf("status %d: %.300s", got.status, got.body)
			}
			if took < row.at || took > row.within {
				t.Errorf("told after %s, want %s to %s", took, row.at, row.within)
			}
		})
	}
}

// unreachable is an address of this machine whose packets nobody sees.
func unreachable(t *testing.T) string {
	t.Helper()
	const address = "198.51.100.7"
	lost(t, address)
	return address + ":3306"
}

// lost has packets to the address end on this machine.
func lost(t *testing.T, address string) [4]byte {
	t.Helper()
	noError(t, run(exec.Command("ip", "route", "replace", address, "dev", "lo")))
	t.Cleanup(func() { noError(t, run(exec.Command("ip", "route", "del", address, "dev", "lo"))) })
	return netip.MustParseAddr(address).As4()
}
