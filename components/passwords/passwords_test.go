package passwords

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"

	"wordpress-on-kubernetes/components/cluster"
)

// errCutOff is what a step meets when the update is interrupted.
var errCutOff = errors.New("cut off")

// accounts is a server that keeps two passwords of each user, as MySQL does: a change that keeps the current one drops the one before.
type accounts struct {
	t       *testing.T
	current map[string]string
	old     map[string]string
	// made are the accounts beside WordPress's.
	made map[string]Made
	// steps until the update is interrupted, before or after one takes effect. Negative: never.
	steps int
}

func (a *accounts) Accepts(_ context.Context, user, password string) (bool, error) {
	return password == a.current[user] || password == a.old[user], nil
}

func (a *accounts) HasOld(_ context.Context, admin, user string) (bool, error) {
	return a.old[user] != "", a.login(admin)
}

func (a *accounts) KeepOld(_ context.Context, admin, user, password string) error {
	return a.change(admin, func() { a.current[user], a.old[user] = password, a.current[user] })
}

func (a *accounts) DropOld(_ context.Context, admin, user, password string) error {
	return a.change(admin, func() { a.current[user], a.old[user] = password, "" })
}

func (a *accounts) Knows(_ context.Context, account Made) (bool, error) {
	return reflect.DeepEqual(a.made[account.User], account), nil
}

func (a *accounts) Make(_ context.Context, admin string, account Made) error {
	return a.change(admin, func() { a.made[account.User] = account })
}

func (a *accounts) login(admin string) error {
	if accepted, _ := a.Accepts(a.t.Context(), Root, admin); !accepted {
		return fmt.Errorf("root is refused")
	}
	return nil
}

func (a *accounts) change(admin string, to func()) error {
	if err := a.login(admin); err != nil {
		return err
	}
	return a.step(to)
}

// step takes effect unless the update is cut off before it; it may be cut off right after it.
func (a *accounts) step(to func()) error {
	if a.steps == 0 {
		return errCutOff
	}
	to()
	if a.steps--; a.steps == 0 {
		return errCutOff
	}
	return nil
}

// world is a cluster with a site, its server and one pod, and the state of the stack.
type world struct {
	t      *testing.T
	api    *fake.Clientset
	server *accounts
	clock  time.Time
	// pod holds the password that it started with, and wanted are those of the configuration.
	pod          string
	template     string
	user, root   string
	stateOfUser  string
	stateOfRoot  string
	rolloutFails bool
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		server: &accounts{
			t: t, current: map[string]string{"wp": "user-1", Root: "root-1"}, old: map[string]string{}, made: map[string]Made{}, steps: -1,
		},
		pod: "user-1", template: "user-1", user: "user-1", root: "root-1", stateOfUser: "user-1", stateOfRoot: "root-1",
	}
	mysql := corev1.Pod{ObjectMeta: w.meta("mysql-0"), Spec: mounting("db", "db-root")}
	mysql.Labels = map[string]string{"app": "mysql"}
	// The newer one writes who manages which field by itself, at the time of the test.
	wordpress := w.wordpress()
	w.api = fake.NewSimpleClientset(w.secret("db", "user-1"), w.secret("db-root", "root-1"), &mysql,
		wordpress)
	// The mark is a step like any other.
	w.api.PrependReactor("patch", "secrets", func(action k8stesting.Action) (bool, runtime.Object, error) {
		err := w.server.step(func() { w.mark(action.(k8stesting.PatchAction)) })
		return true, &corev1.Secret{}, err
	})
	return w
}

// mark changes the annotations of a Secret, and the time of their manager where that changes anything.
func (w *world) mark(patch k8stesting.PatchAction) {
	found, err := w.api.Tracker().Get(patch.GetResource(), "site", patch.GetName())
	if err != nil {
		w.t.Fatal(err)
	}
	secret := found.DeepCopyObject().(*corev1.Secret)
	marks := strings.Contains(string(patch.GetPatch()), "accepted")
	if _, marked := secret.Annotations[pending]; marked == marks {
		return
	}
	secret.Annotations = map[string]string{}
	secret.ManagedFields = secret.ManagedFields[:1]
	if marks {
		secret.Annotations[pending] = "accepted"
		secret.ManagedFields = append(secret.ManagedFields, metav1.ManagedFieldsEntry{
			Manager: cluster.Manager, Time: new(w.meta("now").CreationTimestamp),
		})
	}
	if err := w.api.Tracker().Update(patch.GetResource(), secret, "site"); err != nil {
		w.t.Fatal(err)
	}
}

// wordpress is a pod that starts now, of the Deployment's revision.
func (w *world) wordpress() *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: w.meta("wordpress"), Spec: mounting("db")}
	pod.Annotations = map[string]string{"password": w.template}
	return pod
}

func (w *world) meta(name string) metav1.ObjectMeta {
	w.clock = w.clock.Add(time.Minute)
	return metav1.ObjectMeta{Name: name, Namespace: "site", CreationTimestamp: metav1.NewTime(w.clock)}
}

func (w *world) secret(name, password string) *corev1.Secret {
	meta := w.meta(name)
	meta.ManagedFields = []metav1.ManagedFieldsEntry{{
		Manager: "pulumi", Time: new(meta.CreationTimestamp), FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:data":{"f:key":{}}}`)},
	}}
	return &corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"key": []byte(password)}}
}

func mounting(secrets ...string) corev1.PodSpec {
	var sources []corev1.VolumeProjection
	for _, name := range secrets {
		sources = append(sources, corev1.VolumeProjection{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: name},
		}})
	}
	return corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: corev1.VolumeSource{
		Projected: &corev1.ProjectedVolumeSource{Sources: sources},
	}}}}
}

func (w *world) changer() *Changer {
	return &Changer{
		Connect:   func() (kubernetes.Interface, Server, error) { return w.api, w.server, nil },
		Namespace: "site", Database: "app=mysql", Annotation: "password",
		User: Account{Config: "databasePassword", Secret: "db", Key: "key", User: "wp", Password: w.user},
		Root: Account{Config: "databaseRootPassword", Secret: "db-root", Key: "key", User: Root, Password: w.root},
		Log:  func(string) {},
	}
}

// up is what the engine does: each Secret that differs from the state changes after its hook, the pods roll where their password
// differs, and what is left is settled.
func (w *world) up() error {
	ctx, changer := w.t.Context(), w.changer()
	if w.root != w.stateOfRoot {
		if err := w.update("db-root", w.root, &w.stateOfRoot, changer.BeforeRoot); err != nil {
			return err
		}
	}
	if w.user != w.stateOfUser {
		if err := w.update("db", w.user, &w.stateOfUser, changer.BeforeUser); err != nil {
			return err
		}
	}
	if w.template != w.user {
		if w.rolloutFails {
			return errors.New("the rollout fails")
		}
		w.template = w.user
		if err := w.server.step(w.roll); err != nil {
			return err
		}
	}
	return changer.Settle(ctx, w.user)
}

func (w *world) update(secret, password string, state *string, before func(context.Context) error) error {
	if err := before(w.t.Context()); err != nil {
		return err
	}
	err := w.server.step(func() {
		changed := w.secret(secret, password)
		now, err := w.api.CoreV1().Secrets("site").Get(w.t.Context(), secret, metav1.GetOptions{})
		if err != nil {
			w.t.Fatal(err)
		}
		changed.Annotations = now.Annotations
		changed.ManagedFields = append(changed.ManagedFields, now.ManagedFields[1:]...)
		if _, err := w.api.CoreV1().Secrets("site").Update(w.t.Context(), changed, metav1.UpdateOptions{}); err != nil {
			w.t.Fatal(err)
		}
	})
	if err == nil {
		*state = password
	}
	return err
}

// roll replaces the pod by one that starts with what the Secret holds now.
func (w *world) roll() {
	pods := w.api.CoreV1().Pods("site")
	if err := pods.Delete(w.t.Context(), "wordpress", metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
	if _, err := pods.Create(w.t.Context(), w.wordpress(), metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.pod = w.secretNow("db")
}

func (w *world) secretNow(name string) string {
	secret, err := w.api.CoreV1().Secrets("site").Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(secret.Data["key"])
}

// serves fails the test where the pod, or one that starts now, is refused.
func (w *world) serves() {
	w.t.Helper()
	for what, password := range map[string]string{"the pod": w.pod, "a pod that starts": w.secretNow("db")} {
		if accepted, _ := w.server.Accepts(w.t.Context(), "wp", password); !accepted {
			w.t.Errorf("%s is refused with %q; the server has %v and %v", what, password, w.server.current, w.server.old)
		}
	}
}

// settled fails the test unless the wanted passwords are the only ones.
func (w *world) settled() {
	w.t.Helper()
	w.serves()
	for user, password := range map[string]string{"wp": w.user, Root: w.root} {
		if w.server.current[user] != password || w.server.old[user] != "" {
			w.t.Errorf("%s logs in with %q and %q, want %q alone", user, w.server.current[user], w.server.old[user], password)
		}
	}
	if w.pod != w.user {
		w.t.Errorf("the pod has %q, want %q", w.pod, w.user)
	}
}

func TestChangedPasswordsComeIntoForce(t *testing.T) {
	changes := map[string]func(*world){
		"the user's": func(w *world) { w.user = "user-2" },
		"root's":     func(w *world) { w.root = "root-2" },
		"both":       func(w *world) { w.user, w.root = "user-2", "root-2" },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			change(w)
			if err := w.up(); err != nil {
				t.Fatal(err)
			}
			w.settled()
		})
	}
}

// Cut off at any point, an update is completed by the next one, whether that wants the same or takes it back, and no pod is ever refused.
func TestInterruptedChangeIsCompletedOrTakenBack(t *testing.T) {
	for _, takenBack := range []bool{false, true} {
		for steps := 0; ; steps++ {
			w := newWorld(t)
			w.user, w.root = "user-2", "root-2"
			w.server.steps = steps
			err := w.up()
			w.server.steps = -1
			if err == nil {
				if steps < 10 {
					t.Fatalf("an update has %d steps, want one for each mark, password, Secret and pod", steps)
				}
				break
			}
			w.serves()
			if takenBack {
				w.user, w.root = "user-1", "root-1"
			}
			err = w.up()
			if err != nil && takenBack && strings.Contains(err.Error(), "run `pulumi refresh`, then `pulumi up`") {
				w.serves()
				w.stateOfUser, w.stateOfRoot = w.secretNow("db"), w.secretNow("db-root")
				err = w.up()
			}
			if err != nil {
				t.Fatalf("after %d steps, taken back: %t: %v", steps, takenBack, err)
			}
			w.settled()
			if t.Failed() {
				t.Fatalf("after %d steps, taken back: %t", steps, takenBack)
			}
		}
	}
}

func TestFailedRolloutLeavesBothPasswords(t *testing.T) {
	w := newWorld(t)
	w.user, w.rolloutFails = "user-2", true
	if err := w.up(); err == nil {
		t.Fatal("the rollout did not fail")
	}
	w.serves()

	// A third one would shut out the pod that runs.
	w.user = "user-3"
	if err := w.up(); err == nil || !strings.Contains(err.Error(), "a third would shut out wordpress") {
		t.Errorf("got the error %v, want one that names the pod", err)
	}
	w.serves()

	w.user, w.rolloutFails = "user-2", false
	if err := w.up(); err != nil {
		t.Fatal(err)
	}
	w.settled()
}

// A pod of before that was started anew meanwhile has the password that is taken back. Its revision is the wanted one, so that nothing
// replaces it: it must not be shut out, and whoever updates is told.
func TestPodsFromBetweenAreNotShutOut(t *testing.T) {
	w := newWorld(t)
	w.user, w.rolloutFails = "user-2", true
	if err := w.up(); err == nil {
		t.Fatal("the rollout did not fail")
	}
	w.roll()
	w.user, w.rolloutFails = "user-1", false
	if err := w.up(); !errors.Is(err, errStay) {
		t.Errorf("got the error %v, want one that says to restart the pods", err)
	}
	w.serves()
	w.roll()
	if err := w.up(); err != nil {
		t.Fatal(err)
	}
	w.settled()
}

func TestThirdPasswordAfterTheRolloutIsAccepted(t *testing.T) {
	w := newWorld(t)
	w.user = "user-2"
	w.server.steps = 4 // the mark, the server, the Secret and the pods, but not the end
	if err := w.up(); err == nil {
		t.Fatal("the update was not cut off")
	}
	w.server.steps = -1
	w.user = "user-3"
	if err := w.up(); err != nil {
		t.Fatal(err)
	}
	w.settled()
}

func TestPasswordChangedByHandIsNotGuessed(t *testing.T) {
	w := newWorld(t)
	w.server.current[Root] = "by-hand"
	w.user = "user-2"
	err := w.up()
	if err == nil || !strings.Contains(err.Error(), "set databaseRootPassword to the password that root has") {
		t.Errorf("got the error %v, want one with the way out", err)
	}
	if w.secretNow("db") != "user-1" || w.server.current["wp"] != "user-1" {
		t.Error("something was changed all the same")
	}
	w.root = "by-hand"
	if err := w.up(); err != nil {
		t.Fatal(err)
	}
	w.settled()
}

func TestPodsOfBeforeKeepTheOldPassword(t *testing.T) {
	w := newWorld(t)
	left := &corev1.Pod{ObjectMeta: w.meta("a-task"), Spec: corev1.PodSpec{Containers: []corev1.Container{{
		Env: []corev1.EnvVar{{ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "db"},
		}}}},
	}}}}
	if _, err := w.api.CoreV1().Pods("site").Create(t.Context(), left, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var told []string
	changer := w.changer()
	changer.User.Password = "user-2"
	changer.Log = func(message string) {
		told = append(told, message)
		if w.server.old["wp"] != "user-1" {
			t.Error("the old password is gone before the pod")
		}
		if err := w.api.CoreV1().Pods("site").Delete(t.Context(), left.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}
	w.user = "user-2"
	if err := w.update("db", "user-2", &w.stateOfUser, changer.BeforeUser); err != nil {
		t.Fatal(err)
	}
	w.template = "user-2"
	w.roll()
	if err := changer.Settle(t.Context(), "user-2"); err != nil {
		t.Fatal(err)
	}
	w.settled()
	if want := "a-task"; len(told) != 1 || !strings.HasSuffix(told[0], ": "+want) {
		t.Errorf("told %q, want that %s is waited for", told, want)
	}
}

func TestNothingIsAskedWhereNothingChanged(t *testing.T) {
	w := newWorld(t)
	w.server.steps = 0
	if err := errors.Join(w.changer().BeforeUser(t.Context()), w.changer().BeforeRoot(t.Context()), w.changer().Settle(t.Context(), w.user)); err != nil {
		t.Error(err)
	}
	writes := slices.ContainsFunc(w.api.Actions(), func(action k8stesting.Action) bool { return action.GetVerb() != "get" })
	if writes {
		t.Errorf("the API server was asked for more than the Secrets: %v", w.api.Actions())
	}
}

func TestAnyTextIsQuoted(t *testing.T) {
	const text = `it's "a" \ # $ ; -- .`
	if got, want := quote(text), `'it\'s "a" \\ # $ ; -- .'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := optionValue(text), `"it's \"a\" \\ # $ ; -- ."`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
