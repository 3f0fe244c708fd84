package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// leastID is the least user and group that a process may have: kube-score and kubesec take those up to 10000 for the host's.
const leastID = 10001

// TestPodsHaveNoRights looks at every process of every container while it runs, and tries to write everywhere.
func TestPodsHaveNoRights(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		defer s.holdReplicas(t)()
		pods, err := s.allPods(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var problem error
		processes, folders := 0, 0
		for _, pod := range pods {
			for _, container := range pod.Spec.Containers {
				place := fmt.Sprintf("%s of %s", container.Name, pod.Name)
				count, err := s.lastingRights(t, pod, container)
				processes += count
				problem = errors.Join(problem, within(place, err))
				count, err = writesOf(s.inside(t, pod, container, writeScript, writable(container)...))
				folders += count
				problem = errors.Join(problem, within(place, err))
			}
		}
		if s.name == ours {
			problem = errors.Join(problem, s.refusesPrivilege(t.Context()))
		}
		s.keep(t, proof{promise: 15, title: "pods have no rights", rounds: len(pods),
			tried: "users, groups, capabilities, seccomp and the way to more privileges of every process; a file written into every folder " +
				"of every container; a privileged pod in the namespace",
			figures: evidence.Figures{"processes": float64(processes), "folders": float64(folders)},
			figure: fmt.Sprintf("%d processes, %d folders: %s", processes, folders, outcome(problem,
				"no process is of the host's users or has a capability, no folder but the declared mounts and those in memory can be written to, "+
					"and the privileged pod is refused"))}, problem)
	})
}

func within(place string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", place, err)
}

func (s *subject) inside(t *testing.T, pod corev1.Pod, container corev1.Container, script string, args ...string) string {
	t.Helper()
	return kubectl(t, s.project, script, append([]string{
		"exec", "-i", "-n", s.namespace, pod.Name, "-c", container.Name, "--", "sh", "-s", "--"}, args...)...)
}

// memoryFolders are made by the container runtime for every container: shared memory and message queues. What is there counts as
// the container's memory.
var memoryFolders = []string{"/dev/shm", "/dev/mqueue"}

// writable are the folders that a container may write to.
func writable(container corev1.Container) []string {
	folders := slices.Clone(memoryFolders)
	for _, mount := range container.VolumeMounts {
		if !mount.ReadOnly {
			folders = append(folders, mount.MountPath)
		}
	}
	return folders
}

// processScript prints what the kernel says of every process; one that ends meanwhile is left out.
const processScript = `for file in /proc/[0-9]*/status; do cat "$file" 2>/dev/null; done; true`

// lastingRights counts a container's processes and joins what they may do. It looks again where it finds something: until a probe's
// command becomes itself, for some milliseconds, it is the container runtime.
func (s *subject) lastingRights(t *testing.T, pod corev1.Pod, container corev1.Container) (count int, problem error) {
	t.Helper()
	const looks = 3
	var lasting map[string]bool
	for look := range looks {
		var found map[string]bool
		count, found = rightsOf(s.inside(t, pod, container, processScript))
		if look > 0 {
			maps.DeleteFunc(found, func(what string, _ bool) bool { return !lasting[what] })
		}
		if lasting = found; len(lasting) == 0 {
			break
		}
	}
	if count == 0 {
		return 0, errors.New("no process was seen")
	}
	for _, text := range slices.Sorted(maps.Keys(lasting)) {
		problem = errors.Join(problem, errors.New(text))
	}
	return count, problem
}

// rightsOf counts the processes and finds what they may do.
func rightsOf(statuses string) (count int, found map[string]bool) {
	found = map[string]bool{}
	name := ""
	for line := range strings.Lines(statuses) {
		field, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		values := strings.Fields(value)
		wrong := false
		switch field {
		case "Name":
			name = strings.TrimSpace(value)
			count++
		case "Uid", "Gid", "Groups":
			wrong = slices.ContainsFunc(values, func(text string) bool {
				id, err := strconv.Atoi(text)
				return err != nil || id < leastID
			})
		case "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
			wrong = strings.Trim(value, "0 \t") != ""
		case "NoNewPrivs":
			wrong = !slices.Equal(values, []string{"1"})
		case "Seccomp": // 2 is a filter
			wrong = !slices.Equal(values, []string{"2"})
		}
		if wrong {
			found[fmt.Sprintf("%s has %s %s", name, field, strings.Join(values, " "))] = true
		}
	}
	return count, found
}

// writeScript writes a file into every folder, and prints those where that went well and which are not within a folder of its
// arguments, then how many were written to and how many were tried.
const writeScript = `declared=$(for folder; do readlink -f "$folder"; done)
find / \( -path /proc -o -path /sys \) -prune -o -type d -print 2>/dev/null | {
	tried=0 written=0
	while IFS= read -r folder; do
		tried=$((tried + 1))
		true 2>/dev/null >"$folder/.proof-of-writing" || continue
		rm "$folder/.proof-of-writing"
		written=$((written + 1))
		for mount in $declared; do
			case $folder/ in "$mount"/*) continue 2 ;; esac
		done
		echo "$folder"
	done
	echo "$written"
	echo "$tried"
}`

// writesOf counts the folders that were tried, and reports those that can be written to and should not.
func writesOf(output string) (count int, problem error) {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if len(lines) < 2 {
		return 0, fmt.Errorf("the script printed %q", output)
	}
	open, counts := lines[:len(lines)-2], lines[len(lines)-2:]
	written, err := strconv.Atoi(counts[0])
	if err == nil {
		count, err = strconv.Atoi(counts[1])
	}
	switch {
	case err != nil:
		return 0, err
	case written == 0:
		return count, errors.New("nothing at all could be written, so the try says nothing")
	case len(open) > 0:
		return count, fmt.Errorf("%d folders can be written to, such as %s", len(open), open[0])
	}
	return count, nil
}

// refusesPrivilege asks the API server for a privileged pod in the site's namespace.
func (s *subject) refusesPrivilege(ctx context.Context) error {
	_, err := s.kubernetes.CoreV1().Pods(s.namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "privileged"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "shell", Image: newImage, SecurityContext: &corev1.SecurityContext{Privileged: new(true)},
		}}},
	}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err == nil {
		return errors.New("a privileged pod is accepted")
	}
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "PodSecurity") {
		return fmt.Errorf("a privileged pod is refused, but not by Pod Security: %w", err)
	}
	return nil
}
