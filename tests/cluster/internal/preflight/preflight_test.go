package preflight

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func goodMachine() Machine {
	return Machine{
		Root: true, Overlay: true,
		MemoryAvailable: 32 * gibibyte, DiskFree: 100 * gibibyte, DiskPath: "/data",
		PortTaken: func(int) error { return nil },
		GoVersion: "go1.26.8", GoWanted: "go1.26.0",
	}
}

func TestCheckAcceptsAGoodMachine(t *testing.T) {
	if err := Check(goodMachine(), Need{Nodes: 3, HTTP: 80, HTTPS: 443}); err != nil {
		t.Fatal(err)
	}
}

func TestCautionIsForBuildingOnASmallDisk(t *testing.T) {
	m := goodMachine()
	m.DiskFree = 20 * gibibyte
	if got := Caution(m, Need{ToolsBuilt: true}); got != "" {
		t.Errorf("nothing is to be built, and yet: %s", got)
	}
	if got := Caution(goodMachine(), Need{}); got != "" {
		t.Errorf("the disk is large, and yet: %s", got)
	}
	if got := Caution(m, Need{}); !strings.Contains(got, "20.0 GiB are free at /data") {
		t.Errorf("building on 20 GiB gives %q, which does not say how much is free", got)
	}
}

func TestCheckNamesEachProblemAndItsWayOut(t *testing.T) {
	tests := map[string]struct {
		spoil func(*Machine)
		need  Need
		want  []string
	}{
		"user":         {func(m *Machine) { m.Root = false }, Need{}, []string{"not root", "sudo"}},
		"capabilities": {func(m *Machine) { m.MissingCapabilities = []string{"CAP_SYS_ADMIN"} }, Need{}, []string{"CAP_SYS_ADMIN", "privileged"}},
		"cgroups":      {func(m *Machine) { m.Cgroups = errors.New("no hierarchy") }, Need{}, []string{"no hierarchy", "mount them"}},
		"overlay":      {func(m *Machine) { m.Overlay = false }, Need{}, []string{"overlay", "modprobe"}},
		"namespaces":   {func(m *Machine) { m.MissingNamespaces = []string{"net"} }, Need{}, []string{"net namespaces", "kernel"}},
		"memory":       {func(m *Machine) { m.MemoryAvailable = 7 * gibibyte }, Need{Nodes: 3}, []string{"7.0 GiB", "8.0 GiB", "3 node(s)"}},
		"disk":         {func(m *Machine) { m.DiskFree = 14 * gibibyte }, Need{}, []string{"14.0 GiB", "/data", "15.0 GiB"}},
		"go":           {func(m *Machine) { m.GoTooOld = true }, Need{}, []string{"go1.26.8", "go1.26.0"}},
		"command": {func(m *Machine) { m.MissingCommands = map[string]string{"mmdebstrap": "get it there"} }, Need{},
			[]string{"mmdebstrap", "get it there"}},
		"same port": {func(*Machine) {}, Need{HTTP: 8080, HTTPS: 8080}, []string{"both 8080"}},
		"taken port": {func(m *Machine) {
			m.PortTaken = func(port int) error {
				if port == 443 {
					return errors.New("in use by process 7 (nginx)")
				}
				return nil
			}
		}, Need{HTTP: 80, HTTPS: 443}, []string{"port 443", "process 7 (nginx)", "HTTPS_PORT=<port>"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := goodMachine()
			test.spoil(&m)
			if test.need.Nodes == 0 {
				test.need.Nodes = 1
			}
			if test.need.HTTPS == 0 {
				test.need.HTTP, test.need.HTTPS = 80, 443
			}
			err := Check(m, test.need)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
			if problems := strings.Count(err.Error(), "\n  - "); problems != 1 {
				t.Errorf("%d problems instead of one: %v", problems, err)
			}
		})
	}
}

func TestCheckReportsAllProblemsAtOnce(t *testing.T) {
	m := Machine{PortTaken: func(int) error { return errors.New("taken") }}
	err := Check(m, Need{Nodes: 1, HTTP: 80, HTTPS: 443})
	const root, overlay, memory, disk, ports = 1, 1, 1, 1, 2
	if want := root + overlay + memory + disk + ports; strings.Count(err.Error(), "\n  - ") != want {
		t.Errorf("want %d problems: %v", want, err)
	}
}

func TestPortTakenNamesTheProcess(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	port := listener.Addr().(*net.TCPAddr).Port
	err = portTaken(port)
	if err == nil || !strings.Contains(err.Error(), filepath.Base(os.Args[0])) {
		t.Errorf("want this test's own process in %v", err)
	}
	_ = listener.Close()
	if err := portTaken(port); err != nil {
		t.Errorf("a free port is taken: %v", err)
	}
}

func TestListenersReadsTheKernelsTable(t *testing.T) {
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:01BB 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
`
	if got := listeners(table, 443); len(got) != 1 || got[0] != "4711" {
		t.Errorf("got %v, want the listening socket 4711 alone", got)
	}
}

func TestMissingCapabilities(t *testing.T) {
	status := filepath.Join(t.TempDir(), "status")
	// All but CAP_NET_ADMIN (bit 12) and CAP_SYS_RESOURCE (bit 24), which the cluster does without.
	if err := os.WriteFile(status, []byte("Name:\ttest\nCapEff:\t000001fffeffefff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing, err := missingCapabilities(status)
	if err != nil {
		t.Fatal(err)
	}
	if len(missing) != 1 || missing[0] != "CAP_NET_ADMIN" {
		t.Errorf("got %v, want CAP_NET_ADMIN", missing)
	}
}

func TestFreeDiskOfAFolderThatDoesNotExistYet(t *testing.T) {
	parent := t.TempDir()
	path, free, err := freeDisk(filepath.Join(parent, "not", "yet"))
	if err != nil {
		t.Fatal(err)
	}
	if path != parent || free == 0 {
		t.Errorf("got %d bytes at %s, want those of %s", free, path, parent)
	}
}
