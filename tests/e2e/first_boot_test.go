package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// bootReplicas is how many frontend pods meet at the empty volume.
const bootReplicas = 3

// TestFirstBootIsSafe has three pods start at once on empty volumes, again and again.
func TestFirstBootIsSafe(t *testing.T) {
	sideBySide(t)
	for _, name := range contenders() {
		t.Run(name, func(t *testing.T) {
			s := newBooting(t, name)
			var boots []boot
			var problem error
			intact, up := 0, false
			t.Cleanup(func() {
				if up { // the round came to an early end
					s.giveUpBoot(t, true)
				}
			})
			for round := range pick(1, 10) {
				up = true
				found, err := s.boot(t)
				boots = append(boots, found)
				if err == nil {
					intact++
				} else {
					problem = errors.Join(problem, fmt.Errorf("round %d: %w", round+1, err))
				}
				t.Logf("round %d: %+v", round+1, found)
				s.giveUpBoot(t, err != nil)
				up = false
			}
			s.keep(t, proof{promise: 7, part: "empty volumes", title: "first boot is safe", rounds: len(boots),
				tried: fmt.Sprintf("%d pods start at once on empty volumes; WordPress is installed, an article is read from "+
					"every pod, and the content compared with the image's", bootReplicas),
				figures: bootFigures(intact, boots), addsUp: true,
				figure:  fmt.Sprintf("%d of %d rounds gave an intact site; %s", intact, len(boots), describeBoots(bootFigures(intact, boots))),
				details: boots}, problem)
		})
	}
}

// boot is what one first boot found.
type boot struct {
	// Served is the time in seconds from the beginning until the first answer, and Apart how far apart the pods began,
	// at the cluster's resolution of one second.
	Served float64 `json:"servedSeconds"`
	Apart  float64 `json:"podsBeganApartSeconds"`
	// Files of the content folder, and Restarts of all containers.
	Files    int    `json:"files"`
	Restarts int32  `json:"restarts"`
	Problem  string `json:"problem,omitempty"`
}

func bootFigures(intact int, boots []boot) evidence.Figures {
	var restarts int32
	var served []float64
	apart := 0.0
	for _, one := range boots {
		restarts += one.Restarts
		apart = max(apart, one.Apart)
		if one.Served > 0 {
			served = append(served, one.Served)
		}
	}
	found := evidence.Figures{"intactRounds": float64(intact), "restarts": float64(restarts), "beganApartSeconds": apart}
	if len(served) > 0 {
		slices.Sort(served)
		found["firstAnswerMedianSeconds"], found["firstAnswerMostSeconds"] = median(served), served[len(served)-1]
	}
	return found
}

func describeBoots(found evidence.Figures) string {
	text := fmt.Sprintf("%.0f restarts, pods began at most %.0f s apart", found["restarts"], found["beganApartSeconds"])
	if seconds, served := found["firstAnswerMedianSeconds"]; served {
		text += fmt.Sprintf(", first answer after %.0f s (median)", seconds)
	}
	return text
}

// newBooting is a site that is not up yet. The tutorial's takes the place of the one that the other proofs share; this
// program's is beside it, and without an autoscaler, which would add the other pods to the first only later.
func newBooting(t *testing.T, name string) *subject {
	t.Helper()
	if name == tutorial {
		if earlier, up := subjects[name]; up {
			delete(subjects, name)
			if err := earlier.remove(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return newSubject(t, name, newImage)
	}
	return newBeside(t, "boot", map[string]string{
		"wordpress:frontend.replicas":     fmt.Sprint(bootReplicas),
		"wordpress:frontend.drainSeconds": "2",
		"wordpress:autoscaling.enabled":   "false",
	})
}

// giveUpBoot removes the site with its volumes, after keeping what explains a failure.
func (s *subject) giveUpBoot(t *testing.T, broken bool) {
	t.Helper()
	ctx := context.Background() // the test's own has ended when this cleans up
	if broken {
		keepArtifacts(ctx, t, s.kubernetes, s.project)
		keepArtifact(t, s.project, s.namespace+"-engine.log", s.output())
	}
	if err := s.remove(ctx); err != nil {
		t.Fatalf("remove the %s site: %v", s.name, err)
	}
}

// boot brings a site up for the first time, and tells whether it is intact.
func (s *subject) boot(t *testing.T) (boot, error) {
	t.Helper()
	begun := time.Now()
	if by, applied := s.contender.(*manifests); applied {
		by.apply(t) // a rollout that never completes is a finding here
	} else {
		s.deploy(t)
	}
	var found boot
	err := s.comesUp(t.Context())
	if err == nil {
		found.Served = time.Since(begun).Seconds()
		found.Files, err = s.inspect(t.Context())
		err = errors.Join(err, s.servesEverywhere(t.Context()))
	}
	if err = errors.Join(err, s.lookAtPods(t.Context(), &found)); err != nil {
		found.Problem = err.Error()
	}
	return found, err
}

// lookAtPods tells how the pods came up. A restart is a problem.
func (s *subject) lookAtPods(ctx context.Context, found *boot) error {
	frontend, err := s.livePods(ctx, s.frontend)
	if err != nil {
		return err
	}
	found.Apart = beganApart(frontend).Seconds()
	pods, err := s.allPods(ctx)
	if err != nil {
		return err
	}
	var endings []string
	if found.Restarts, endings = restartsOf(pods); found.Restarts > 0 {
		return fmt.Errorf("%d restarts: %s", found.Restarts, strings.Join(endings, ", "))
	}
	return nil
}

// comesUp waits for all pods and for an answer through the edge.
func (s *subject) comesUp(ctx context.Context) error {
	return eventually(ctx, patience, "the site serves", func(ctx context.Context) error {
		deployment, err := s.kubernetes.deployment(ctx)
		if err != nil {
			return err
		}
		if err := rolledOut(deployment); err != nil {
			return err
		}
		return s.serves(ctx)
	})
}

// servesEverywhere publishes an article and has every pod serve it.
func (s *subject) servesEverywhere(ctx context.Context) error {
	if err := s.install(ctx); err != nil {
		return err
	}
	if err := s.visitor.login(ctx, s.admin); err != nil {
		return err
	}
	published, err := s.visitor.publish(ctx, "A post that must stay")
	if err != nil {
		return err
	}
	served := 0
	err = s.eachPod(ctx, func(pod *site) error {
		served++
		return pod.reads(ctx, published)
	})
	if err == nil && served != bootReplicas {
		err = fmt.Errorf("%d pods serve, want %d", served, bootReplicas)
	}
	return err
}

// allPods are the pods of both tiers.
func (s *subject) allPods(ctx context.Context) ([]corev1.Pod, error) {
	frontend, err := s.livePods(ctx, s.frontend)
	if err != nil {
		return nil, err
	}
	database, err := s.livePods(ctx, s.database)
	return append(frontend, database...), err
}

// restartsOf counts them, and tells how the containers had ended.
func restartsOf(pods []corev1.Pod) (count int32, endings []string) {
	for _, pod := range pods {
		count += restarts(&pod)
		for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
			if ended := status.LastTerminationState.Terminated; ended != nil {
				endings = append(endings, fmt.Sprintf("%s of %s with status %d", status.Name, pod.Name, ended.ExitCode))
			}
		}
	}
	return count, endings
}

// beganApart is the time between the starts of the first and of the last pod.
func beganApart(pods []corev1.Pod) time.Duration {
	var starts []int64
	for _, pod := range pods {
		if pod.Status.StartTime != nil {
			starts = append(starts, pod.Status.StartTime.Unix())
		}
	}
	if len(starts) == 0 {
		return 0
	}
	return time.Duration(slices.Max(starts)-slices.Min(starts)) * time.Second
}

// inspectScript compares the content folder on the volume with that of the image, and counts its files. Nobody has been to
// the site yet, so they must be the same to the byte, but for the folder of uploads, which WordPress makes when it is installed; and
// nothing must be left of how they came there.
const inspectScript = `set -eu
diff --recursive --brief --exclude=uploads /usr/src/wordpress/wp-content /volume/wp-content
left=$(find /volume -maxdepth 1 -name '.seed.*')
[ -z "$left" ] || { echo "left over: $left"; exit 1; }
find /volume/wp-content -type f | wc -l`

// inspect runs the script in a pod of the frontend's image that has the volume beside the image's content, not over it, and
// returns how many files there are.
func (s *subject) inspect(ctx context.Context) (files int, err error) {
	deployment, err := s.kubernetes.deployment(ctx)
	if err != nil {
		return 0, err
	}
	pods := s.kubernetes.CoreV1().Pods(s.namespace)
	inspector, err := pods.Create(ctx, inspectorOf(deployment.Spec.Template.Spec), metav1.CreateOptions{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, pods.Delete(ctx, inspector.Name, metav1.DeleteOptions{})) }()
	err = eventually(ctx, patience, "the content is inspected", func(ctx context.Context) error {
		inspector, err = pods.Get(ctx, inspector.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if phase := inspector.Status.Phase; phase != corev1.PodSucceeded && phase != corev1.PodFailed {
			return fmt.Errorf("the inspecting pod is %s", phase)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	said := strings.TrimSpace(string(s.kubernetes.podLog(ctx, inspector.Name, inspector.Spec.Containers[0].Name)))
	if inspector.Status.Phase == corev1.PodFailed {
		return 0, fmt.Errorf("the content is not the image's: %s", said)
	}
	return strconv.Atoi(said)
}

// inspectorUser reads what this program's pods have written, which belongs to it, and what everybody may read.
const inspectorUser int64 = 10033

// inspectorOf is a pod beside those of a template, with the same image and content, that asks for no rights.
func inspectorOf(template corev1.PodSpec) *corev1.Pod {
	const content = "content"
	spec := corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever,
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(inspectorUser), RunAsGroup: new(inspectorUser),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{{
			Name:         "inspector",
			Image:        template.Containers[0].Image,
			Command:      []string{"sh", "-c", inspectScript},
			VolumeMounts: []corev1.VolumeMount{{Name: content, MountPath: "/volume", ReadOnly: true}},
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
		}},
	}
	for _, volume := range template.Volumes {
		if volume.PersistentVolumeClaim != nil {
			volume.Name = content
			spec.Volumes = append(spec.Volumes, volume)
		}
	}
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "content-inspector"}, Spec: spec}
}

// TestLateDatabaseIsWaitedFor starts all frontend pods anew while there is no database.
func TestLateDatabaseIsWaitedFor(t *testing.T) {
	sideBySide(t)
	each(t, func(t *testing.T, s *subject) {
		late := pick(30*time.Second, 60*time.Second)
		s.scaleDatabase(t, 0)
		defer s.scaleDatabase(t, 1)
		began := s.restartFrontend(t)
		restarted, served := s.watchWithoutDatabase(t, began, late)
		s.scaleDatabase(t, 1)
		back := time.Now()
		problem := eventually(t.Context(), patience, "the site serves again", func(ctx context.Context) error {
			return s.visitor.reads(ctx, s.article)
		})
		recovered := time.Since(back)
		s.awaitRest(t)
		pods, err := s.allPods(t.Context())
		total, endings := restartsOf(pods)
		switch {
		case err != nil || problem != nil:
			problem = errors.Join(problem, err)
		case total > 0:
			problem = fmt.Errorf("containers were restarted, %d of them before the database came: %s",
				restarted, strings.Join(endings, ", "))
		case served > 0:
			problem = fmt.Errorf("%d pods were ready without a database", served)
		}
		s.keep(t, proof{promise: 7, part: "late database", title: "a late database is waited for", rounds: 1,
			tried: fmt.Sprintf("all frontend pods start while there is no database, which comes %s later", late),
			figure: fmt.Sprintf("%d restarts, %d pods ready without a database; the site serves %.1f s after the database may start",
				total, served, recovered.Seconds()),
			figures: evidence.Figures{"restarts": float64(total), "readyPodsWithoutDatabase": float64(served),
				"lateSeconds": late.Seconds(), "recoverySeconds": recovered.Seconds()},
		}, problem)
	})
}

// scaleDatabase returns when as many database pods exist.
func (s *subject) scaleDatabase(t *testing.T, replicas int) {
	t.Helper()
	kubectl(t, s.project, "", "scale", "-n", s.namespace, s.databaseWorkload, fmt.Sprintf("--replicas=%d", replicas))
	await(t, fmt.Sprintf("%d database pods", replicas), func(ctx context.Context) error {
		list, err := s.kubernetes.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: s.database})
		if err == nil && len(list.Items) != replicas {
			err = fmt.Errorf("there are %d", len(list.Items))
		}
		return err
	})
}

// restartFrontend deletes all frontend pods and tells when. Others take their place at once.
func (s *subject) restartFrontend(t *testing.T) time.Time {
	t.Helper()
	err := s.kubernetes.CoreV1().Pods(s.namespace).DeleteCollection(t.Context(), metav1.DeleteOptions{},
		metav1.ListOptions{LabelSelector: s.frontend})
	if err != nil {
		t.Fatal(err)
	}
	return time.Now()
}

// watchWithoutDatabase looks at the frontend pods until a time has gone by, and tells how many restarts there were and how
// many pods counted as ready at most.
func (s *subject) watchWithoutDatabase(t *testing.T, began time.Time, late time.Duration) (restarted int32, ready int) {
	t.Helper()
	await(t, fmt.Sprintf("%s without a database", late), func(ctx context.Context) error {
		pods, err := s.livePods(ctx, s.frontend)
		if err != nil {
			return err
		}
		restarted, _ = restartsOf(pods)
		serving := 0
		for _, pod := range pods {
			if isReady(pod) {
				serving++
			}
		}
		ready = max(ready, serving)
		if gone := time.Since(began); gone < late {
			return fmt.Errorf("only %s have gone by", gone.Round(time.Second))
		}
		return nil
	})
	return restarted, ready
}
