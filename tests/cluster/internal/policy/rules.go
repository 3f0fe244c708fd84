package policy

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"wordpress-on-kubernetes/tests/cluster/internal/netsetup"
	"wordpress-on-kubernetes/tests/cluster/internal/spec"
)

// queueNumber is the kernel's queue between the rules and the agent. Each network namespace has its own.
const queueNumber = 100

// rulesV4 hand the first packet of every connection from or to a pod to the agent; the kernel passes the others on by
// itself. Without an agent a queue drops what it is given, so no new connection gets by. What the node's own processes
// send, such as the kubelet's probes, takes neither chain.
//
// The table is mangle, because kube-proxy's rules in filter must go on deciding about what is accepted here.
var rulesV4 = fmt.Sprintf(`*mangle
:JUDGE - [0:0]
-A JUDGE -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
-A JUDGE -j NFQUEUE --queue-num %d
-A FORWARD -j JUDGE
-A INPUT -i %s -j JUDGE
COMMIT
`, queueNumber, spec.PodBridge)

// rulesV6 drop all of IPv6. The cluster does not use it, but pods of one node have link-local addresses, by which they
// would reach one another past every policy.
var rulesV6 = fmt.Sprintf(`*mangle
-A FORWARD -j DROP
-A INPUT -i %s -j DROP
COMMIT
`, spec.PodBridge)

// Divert makes the calling thread's network namespace, a new node's, drop every connection from or to a pod until an
// Agent accepts it. The programs are those of the file system at root; empty means the caller's own.
func Divert(root string) error {
	// Pods of one node reach each other over its bridge, whose packets pass the rules only where this is set.
	for _, family := range []string{"iptables", "ip6tables"} {
		if err := netsetup.Sysctl("net/bridge/bridge-nf-call-"+family, "1"); err != nil {
			return err
		}
	}
	if err := restore(root, "/usr/sbin/iptables-restore", rulesV4); err != nil {
		return err
	}
	return restore(root, "/usr/sbin/ip6tables-restore", rulesV6)
}

func restore(root, program, rules string) error {
	cmd := exec.Command(program)
	if root != "" {
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
		cmd.Dir = "/"
	}
	cmd.Stdin = strings.NewReader(rules)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(string(output)))
	}
	return nil
}
