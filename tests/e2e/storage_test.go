package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

const (
	ignoredGroup = "storage that ignores fsGroup"

	contentClass  = "wordpress:storage.content.storageClass"
	frontendUser  = "wordpress:podSecurity.frontend.userID"
	frontendGroup = "wordpress:podSecurity.frontend.groupID"

	seedContainer = "seed"
	// The owner that the class local-shared-owned gives its volumes.
	ownerUser, ownerGroup = "12033", "12044"
)

// onePod is a site of one frontend pod whose content lies on a volume of the class.
func onePod(class string) map[string]string {
	return map[string]string{
		"wordpress:frontend.replicas":     "1",
		"wordpress:frontend.drainSeconds": "2",
		"wordpress:autoscaling.enabled":   "false",
		contentClass:                      class,
		"wordpress:storage.content.size":  "128Mi",
		loginRate:                         "6000",
		loginBurst:                        "1000",
	}
}

// TestStorageThatIgnoresFSGroup brings a site up on a volume that belongs to root, and on one whose owner the storage decides on.
func TestStorageThatIgnoresFSGroup(t *testing.T) {
	needLong(t)
	s := newBeside(t, "ignored", onePod("local-shared-root"))
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	p := s.contender.(*program)

	seconds, problem := s.refusedFor(t, "it belongs to 0:0 with mode 755, and this pod is user 10033 with groups 10033.")
	s.giveOtherContent(t, "local-shared-owned")
	_, err := s.refusedFor(t, "it belongs to "+ownerUser+":"+ownerGroup+" with mode 755, and this pod is user 10033")
	s.caught(t, 29, ignoredGroup, "podSecurity is left out on a volume of somebody else's",
		outcome(err, "the pod says whose the volume is, and no site comes up"), err == nil)

	before := s.started(t, s.database)
	p.set(t, frontendUser, ownerUser)
	p.set(t, frontendGroup, ownerGroup)
	p.up(t)
	s.kubernetes.awaitRollout(t)
	problem = errors.Join(problem, s.keepsUploads(t), s.belongs(t, ownerUser+":"+ownerGroup))
	if after := s.started(t, s.database); fmt.Sprint(after) != fmt.Sprint(before) {
		problem = errors.Join(problem, errors.New("MySQL was restarted"))
	}
	s.keep(t, proof{promise: 29, part: "owner", title: ignoredGroup, rounds: 1,
		tried: "a first boot on a volume of root's, which the kubelet gives no group, then on one of a fixed owner, then there with " +
			"podSecurity.frontend; a picture is uploaded, and read when the pod has been replaced",
		figure: outcome(problem, fmt.Sprintf("%.0f s after it was created, the pod says owner, mode, its own user and the ways out; "+
			"with podSecurity the site comes up, and the picture stays", seconds)),
		figures: evidence.Figures{"messageSeconds": seconds}}, problem)
}

// refusedFor updates until a pod says for what reason it does not begin, which must hold the text, and tells how long after its creation.
func (s *subject) refusedFor(t *testing.T, reason string) (seconds float64, problem error) {
	t.Helper()
	said := ""
	problem = s.upUntil(t, "a pod says why it cannot write", func(ctx context.Context) error {
		pods, err := s.livePods(ctx, s.frontend)
		if err != nil {
			return err
		}
		for _, pod := range pods {
			if ended := endOf(pod, seedContainer); ended != nil && ended.ExitCode != 0 {
				said = ended.Message
				seconds = ended.FinishedAt.Sub(pod.CreationTimestamp.Time).Seconds()
				return nil
			}
		}
		return errors.New("none has failed")
	})
	if !strings.Contains(said, reason) || !strings.Contains(said, "podSecurity.frontend.userID") {
		problem = errors.Join(problem, fmt.Errorf("the pod says %q, want %q and the way out", said, reason))
	}
	return seconds, problem
}

// endOf is how an init container last ended. Nil: it has not.
func endOf(pod corev1.Pod, container string) *corev1.ContainerStateTerminated {
	for _, status := range pod.Status.InitContainerStatuses {
		if status.Name != container {
			continue
		}
		if status.State.Terminated != nil {
			return status.State.Terminated
		}
		return status.LastTerminationState.Terminated
	}
	return nil
}

// freeContent ends the frontend's pods. A claim cannot go while a pod has it, and the kubelet hands a local volume to a group only where
// no pod of its node has it already.
func (s *subject) freeContent(t *testing.T) {
	t.Helper()
	kubectl(t, s.project, "", "scale", "-n", s.namespace, "deployment/"+deploymentName, "--replicas=0")
	await(t, "no frontend pod is left", func(ctx context.Context) error {
		list, err := s.kubernetes.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: s.frontend})
		if err == nil && len(list.Items) > 0 {
			err = fmt.Errorf("there are %d", len(list.Items))
		}
		return err
	})
}

// giveOtherContent has the next update take a volume of another class.
func (s *subject) giveOtherContent(t *testing.T, class string) {
	t.Helper()
	s.freeContent(t)
	s.contender.(*program).set(t, contentClass, class)
}

// keepsUploads publishes an article with a picture, and reads it again from another pod.
func (s *subject) keepsUploads(t *testing.T) error {
	t.Helper()
	await(t, "the site serves", s.serves)
	if err := s.visitor.login(t.Context(), s.admin); err != nil {
		return err
	}
	var err error
	if s.article, err = s.visitor.publish(t.Context(), "A post that must stay"); err != nil {
		return err
	}
	s.kubernetes.deletePods(t, s.frontend)
	return eventually(t.Context(), patience, "another pod serves the article", func(ctx context.Context) error {
		return s.visitor.reads(ctx, s.article)
	})
}

// belongs reports files of the content that are not the owner's, and processes that are somebody else.
func (s *subject) belongs(t *testing.T, owner string) error {
	t.Helper()
	const script = `find %s/ -not -user %s -print -quit; echo "$(id -u):$(id -g)"`
	user, _, _ := strings.Cut(owner, ":")
	if said := strings.TrimSpace(s.exec(t, s.somePod(t), "", fmt.Sprintf(script, s.content, user))); said != owner {
		return fmt.Errorf("the pod says %q, want no file of somebody else's and %s", said, owner)
	}
	return nil
}

const changedUsers = "changed users keep what there is"

// TestChangedUsersKeepWhatThereIs gives a site that is in use other users, where the kubelet hands volumes to groups.
func TestChangedUsersKeepWhatThereIs(t *testing.T) {
	needLong(t)
	s := newBeside(t, "users", onePod("local-shared"))
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	p := s.contender.(*program)
	s.deploy(t)
	s.fill(t)
	before := s.article

	p.set(t, frontendUser, ownerUser)
	p.set(t, "wordpress:podSecurity.frontend.fsGroup", "10033")
	_, refused := s.refusedFor(t, "it belongs to 10033:10033 with mode 2755, and this pod is user "+ownerUser)
	s.caught(t, 29, changedUsers, "fsGroup stays while the user changes",
		outcome(refused, "the new pod says whose the folder of uploads is, and the old one serves on"),
		errors.Join(refused, s.visitor.reads(t.Context(), before)) == nil)

	p.unset(t, "wordpress:podSecurity.frontend.fsGroup")
	p.set(t, "wordpress:podSecurity.database.userID", "12055")
	s.freeContent(t)
	p.up(t)
	s.kubernetes.awaitRollout(t)
	s.exec(t, s.somePod(t), "", "touch -c "+s.content+strings.TrimPrefix(before.filePath, "/wp-content")+" && rm -r "+s.content+"/mu-plugins")
	problem := errors.Join(s.visitor.reads(t.Context(), before), s.keepsUploads(t))
	s.kubernetes.deletePods(t, s.database)
	problem = errors.Join(problem, eventually(t.Context(), patience, "the site serves from the server's next start", func(ctx context.Context) error {
		return errors.Join(s.visitor.reads(ctx, before), s.visitor.reads(ctx, s.article))
	}))
	s.keep(t, proof{promise: 29, part: "changed users", title: changedUsers, rounds: 1,
		tried: "podSecurity gives WordPress and MySQL of a site in use other users; files of before are read and deleted, a picture is uploaded, " +
			"both pods are replaced",
		figure: outcome(problem, "all that was there is read and can be changed by the new users"),
	}, problem)
}

// assigned is a user as OpenShift gives one to a namespace, with root's group as the only one of its own.
const assigned = 1000650000

const clusterUsers = "users that the cluster sets"

// TestUsersOfTheCluster leaves the users of all pods out, and puts in what a cluster would that sets them.
func TestUsersOfTheCluster(t *testing.T) {
	needLong(t)
	settings := onePod("local-shared")
	settings["wordpress:podSecurity.fromCluster"] = "true"
	s := newBeside(t, "assigned", settings)
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })

	refused := s.upUntil(t, "MySQL's pod is refused", func(ctx context.Context) error { return s.refusedAsRoot(ctx, s.database) })
	s.caught(t, 29, clusterUsers, "the cluster sets no users",
		outcome(refused, "the kubelet refuses the pods, because their images start as root"), refused == nil)

	up := s.contender.(*program).beginUp(t)
	// The engine itself gives a workload ten minutes.
	awaitWithin(t, 3*patience, "the update ends", func(ctx context.Context) error {
		if err := s.assign(ctx); err != nil {
			return err
		}
		select {
		case <-up.done:
			return nil
		default:
			return errors.New("it goes on")
		}
	})
	if up.err != nil {
		t.Fatalf("up: %v", up.err)
	}
	s.kubernetes.awaitRollout(t)
	problem := errors.Join(s.keepsUploads(t), s.belongs(t, fmt.Sprintf("%d:0", assigned)))
	s.keep(t, proof{promise: 29, part: "users of the cluster", title: clusterUsers, rounds: 1,
		tried: fmt.Sprintf("podSecurity.fromCluster, and user and fsGroup %d put into the pods as OpenShift does, with root's group; a picture is "+
			"uploaded, and read when the pod has been replaced", assigned),
		figure: outcome(problem, "WordPress and MySQL come up, and the picture stays"),
	}, problem)
}

// refusedAsRoot waits for a pod that the kubelet does not start, because nobody has said whom to run it as.
func (s *subject) refusedAsRoot(ctx context.Context, selector string) error {
	pods, err := s.livePods(ctx, selector)
	if err != nil {
		return err
	}
	for _, pod := range pods {
		for _, status := range pod.Status.ContainerStatuses {
			if waiting := status.State.Waiting; waiting != nil && strings.Contains(waiting.Message, "image will run as root") {
				return nil
			}
		}
	}
	return errors.New("none is refused")
}

// assign puts a user and a group into the workloads that are there and have none.
func (s *subject) assign(ctx context.Context) error {
	const patch = `{"spec": {"template": {"spec": {"securityContext": {"runAsUser": %d, "fsGroup": %d}}}}}`
	user := fmt.Appendf(nil, patch, assigned, assigned)
	apps := s.kubernetes.AppsV1()
	server, err := apps.StatefulSets(s.namespace).Get(ctx, statefulSetName, metav1.GetOptions{})
	if err == nil && server.Spec.Template.Spec.SecurityContext.RunAsUser == nil {
		_, err = apps.StatefulSets(s.namespace).Patch(ctx, statefulSetName, types.StrategicMergePatchType, user, metav1.PatchOptions{})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	site, err := s.kubernetes.deployment(ctx)
	if err == nil && site.Spec.Template.Spec.SecurityContext.RunAsUser == nil {
		_, err = apps.Deployments(s.namespace).Patch(ctx, deploymentName, types.StrategicMergePatchType, user, metav1.PatchOptions{})
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

const fullVolume = "a full volume"

// TestFullVolume fills the content's volume to its last byte.
func TestFullVolume(t *testing.T) {
	needLong(t)
	s := newBeside(t, "full", onePod("local-disk"))
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.deploy(t)
	s.fill(t)

	s.exec(t, s.somePod(t), "", fmt.Sprintf(fillScript, s.content))
	_, refused := s.visitor.publish(t.Context(), "A post with a picture that has no room")
	problem := s.visitor.reads(t.Context(), s.article)
	switch {
	case refused == nil:
		problem = errors.Join(problem, errors.New("a picture was uploaded to a full volume"))
	case !strings.Contains(refused.Error(), noRoom):
		problem = errors.Join(problem, fmt.Errorf("the upload was refused without the reason: %w", refused))
	}
	s.kubernetes.deletePods(t, s.frontend)
	problem = errors.Join(problem, eventually(t.Context(), patience, "a pod that began meanwhile serves", func(ctx context.Context) error {
		return s.visitor.reads(ctx, s.article)
	}))
	s.exec(t, s.somePod(t), "", "rm "+s.content+"/uploads/filler")
	later, err := s.visitor.publish(t.Context(), "A post after there was room")
	problem = errors.Join(problem, err, s.visitor.reads(t.Context(), s.article))
	if err == nil {
		problem = errors.Join(problem, s.visitor.reads(t.Context(), later))
	}
	s.keep(t, proof{promise: 29, part: "full volume", title: fullVolume, rounds: 1,
		tried: "the volume of the content, of 128 MiB, is filled; a picture is uploaded, an earlier one read, the pod replaced; then there is room again",
		figure: outcome(problem, "the upload fails with the reason, earlier articles are read all the while, a new pod serves them, and with room "+
			"the next upload succeeds"),
	}, problem)
}

// fillScript takes the volume's last block: large writes leave some, and the file system gives back what it had kept for itself when it
// has written.
const fillScript = `cd %s/uploads
dd if=/dev/zero of=filler bs=1M 2>/dev/null
sync -f filler
while dd if=/dev/zero bs=512 count=1 2>/dev/null >>filler; do sync filler; done`

// noRoom is what the site says of a file that it cannot keep.
const noRoom = "The volume of the site's files is full"
