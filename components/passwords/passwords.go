// Package passwords changes the passwords of the program's own MySQL while the site runs.
//
// MySQL accepts two passwords of an account for a while. So a change has three steps, with the update of the Secret and of
// the pods between them: before the Secret changes, the server accepts the new password beside the old one; the pods that
// start from then on log in with the new one; and once none is left that started before, the old one is discarded. A step that was
// interrupted is done again by the next update, and what does not come to the last step leaves both passwords working.
package passwords

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"wordpress-on-kubernetes/components/cluster"
)

// pending is the annotation of a Secret whose old password the server still accepts. It is in the cluster, not in the stack's
// state, so that it is there from before the server is asked until after the old password is gone, whatever is interrupted.
const pending = "password.wordpress/old"

// Root administers the server, from inside its pod alone.
const Root = "root"

const (
	// rollout is how long the old password waits for the last pod that may log in with it. The Deployment has been awaited by
	// then, but for the provider's early return; a rollout that does not get on is given up after ten minutes, and a pod that is told
	// to go may take the minutes of its grace period.
	rollout = 15 * time.Minute
	// step is how often it looks.
	step = time.Second
	// answer is how long a server that runs may take to answer.
	answer = time.Minute
)

// Account of MySQL and the Secret with its password.
type Account struct {
	// Config is the key of the stack's configuration, for messages.
	Config string
	// Secret and Key say where the pods read the password.
	Secret, Key string
	// User is the account's name, at whichever hosts the server knows it.
	User string
	// Password that the stack's configuration wants.
	Password string
}

// Changer changes the passwords of one server.
type Changer struct {
	// Connect reaches the cluster. It is called when there is something to do.
	Connect func() (kubernetes.Interface, Server, error)
	// Namespace of the site, and the label selector of MySQL's pod, which reads the Secrets at its first start alone.
	Namespace, Database string
	// User is WordPress's account, and Root the one that administers the server.
	User, Root Account
	// Annotation of WordPress's pods that changes with the user's password.
	Annotation string
	// Log tells of what takes time.
	Log func(message string)

	// One at a time: a change of the one looks for the password of the other.
	mu sync.Mutex
}

// Server is MySQL as the changer knows it.
type Server interface {
	// Accepts reports whether the account can log in.
	Accepts(ctx context.Context, user, password string) (bool, error)
	// HasOld reports whether the server accepts a second password of the user. The login is that of root.
	HasOld(ctx context.Context, rootPassword, user string) (bool, error)
	// KeepOld sets a password and goes on to accept the one before it.
	KeepOld(ctx context.Context, rootPassword, user, password string) error
	// DropOld sets a password and accepts no other.
	DropOld(ctx context.Context, rootPassword, user, password string) error
	// Knows reports whether there is such an account, with that password and those rights.
	Knows(ctx context.Context, account Made) (bool, error)
	// Make makes the account so.
	Make(ctx context.Context, rootPassword string, account Made) error
}

// BeforeUser has the server accept the user's new password beside the old one, before the Secret changes.
func (c *Changer) BeforeUser(ctx context.Context) error { return c.before(ctx, &c.User) }

// BeforeRoot is the same for root.
func (c *Changer) BeforeRoot(ctx context.Context) error { return c.before(ctx, &c.Root) }

// tick is more than the second to which the API server keeps times.
const tick = 1100 * time.Millisecond

// AfterUser lets a second pass between the change of the Secret and the first pod that rolls because of it: the times of both are
// compared, and that pod would seem to have started before the change.
func (*Changer) AfterUser(ctx context.Context) error {
	select {
	case <-time.After(tick):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Changer) before(ctx context.Context, account *Account) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	api, server, err := c.Connect()
	if err != nil {
		return err
	}
	secret, err := api.CoreV1().Secrets(c.Namespace).Get(ctx, account.Secret, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("the password of before: %w", err)
	case string(secret.Data[account.Key]) == account.Password:
		return nil
	}
	admin, err := c.rootPassword(ctx, api, server)
	if err != nil {
		return fmt.Errorf("%s was not changed: %w", account.Config, err)
	}
	accepted, err := server.Accepts(ctx, account.User, account.Password)
	if err != nil {
		return err
	}
	if !accepted {
		if err := c.checkNoThird(ctx, api, server, admin, account, secret); err != nil {
			return err
		}
	}
	if err := c.mark(ctx, api, account, `"accepted"`); err != nil || accepted {
		return err
	}
	return server.KeepOld(ctx, admin, account.User, account.Password)
}

// rootPassword is the one that the server accepts: the new one, or the one before it, which the Secret holds until it changes.
func (c *Changer) rootPassword(ctx context.Context, api kubernetes.Interface, server Server) (string, error) {
	accepted, err := server.Accepts(ctx, Root, c.Root.Password)
	if err != nil || accepted {
		return c.Root.Password, err
	}
	secret, err := api.CoreV1().Secrets(c.Namespace).Get(ctx, c.Root.Secret, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("root's password of before: %w", err)
	}
	before := string(secret.Data[c.Root.Key])
	accepted, err = server.Accepts(ctx, Root, before)
	if err == nil && !accepted {
		err = fmt.Errorf("MySQL accepts for root neither %s nor what Secret %s holds, so somebody has changed it by hand: "+
			"set %s to the password that root has", c.Root.Config, c.Root.Secret, c.Root.Config)
	}
	return before, err
}

// checkNoThird refuses a third password while pods may log in with the first: the server keeps two.
func (c *Changer) checkNoThird(
	ctx context.Context, api kubernetes.Interface, server Server, admin string, account *Account, secret *corev1.Secret,
) error {
	two, err := server.HasOld(ctx, admin, account.User)
	if err != nil || !two {
		return err
	}
	pods, err := c.earlierPods(ctx, api, secret, "")
	if err != nil || len(pods) == 0 {
		return err
	}
	return fmt.Errorf("%s was not changed: the change before it is not complete, MySQL keeps two passwords, and a third would shut out %s, "+
		"which may log in with the first: set one of the two, complete that update, and change it then", account.Config, names(pods))
}

// Settle discards the old passwords, once no pod is left that may log in with one. It does nothing where none is accepted. The
// checksum is what the annotation of WordPress's pods is with the wanted password.
func (c *Changer) Settle(ctx context.Context, checksum string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	api, server, err := c.Connect()
	if err != nil {
		return err
	}
	// Root comes last: it is needed to the end, and no pod logs in as root.
	for _, account := range []*Account{&c.User, &c.Root} {
		secret, err := api.CoreV1().Secrets(c.Namespace).Get(ctx, account.Secret, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("is an old password still accepted: %w", err)
		}
		if _, marked := secret.Annotations[pending]; !marked {
			continue
		}
		if string(secret.Data[account.Key]) != account.Password {
			return fmt.Errorf("an update that was cut off, or one of some resources alone, left another password in Secret %s than %s says, "+
				"and MySQL accepts both: run `pulumi refresh`, then `pulumi up`", account.Secret, account.Config)
		}
		if err := c.settle(ctx, api, server, account, secret, checksum); err != nil {
			return fmt.Errorf("%s is in force, and MySQL still accepts the one before it, until `pulumi up` succeeds: %w", account.Config, err)
		}
	}
	return nil
}

func (c *Changer) settle(
	ctx context.Context, api kubernetes.Interface, server Server, account *Account, secret *corev1.Secret, checksum string,
) error {
	if account == &c.User {
		if err := c.awaitEarlierPods(ctx, api, secret, checksum); err != nil {
			return err
		}
	}
	admin, err := c.rootPassword(ctx, api, server)
	if err != nil {
		return err
	}
	if err := server.DropOld(ctx, admin, account.User, account.Password); err != nil {
		return err
	}
	return c.mark(ctx, api, account, "null")
}

// errStay is that pods have to be restarted by somebody.
var errStay = errors.New("they are of the wanted revision and stay: run `kubectl rollout restart deployment/wordpress`, then `pulumi up`")

// awaitEarlierPods waits for the pods that started before the Secret changed. Those that start meanwhile have the new password,
// whatever started them. Of a change that was taken back there may be pods of the wanted revision that started in between, with the
// password that is to go: nothing replaces them.
func (c *Changer) awaitEarlierPods(ctx context.Context, api kubernetes.Interface, secret *corev1.Secret, checksum string) error {
	var last error
	told := false
	err := wait.PollUntilContextTimeout(ctx, step, rollout, true, func(ctx context.Context) (bool, error) {
		pods, err := c.earlierPods(ctx, api, secret, checksum)
		switch {
		case err != nil: // an API server that is away for a moment answers the next question
			last = err
		case len(pods) > 0 && !slices.ContainsFunc(pods, func(pod corev1.Pod) bool { return pod.Annotations[c.Annotation] != checksum }):
			last = nil
			return false, fmt.Errorf("%s may log in with it: %w", names(pods), errStay)
		case len(pods) > 0:
			last = fmt.Errorf("%s may log in with it: see why they stay, or restart them", names(pods))
			if !told {
				c.Log("the old password is discarded when the last pod is gone that may log in with it: " + names(pods))
			}
			told = true
		default:
			return true, nil
		}
		return false, nil
	})
	if err != nil && last != nil {
		return last
	}
	return err
}

// earlierPods are those that mount the Secret, started no later than its password was written, and still run. MySQL's own is none of
// them, nor are those with the wanted checksum that started before the change began: of a change that was taken back, they never had
// another password. All times are of the API server's clock, to the second.
func (c *Changer) earlierPods(ctx context.Context, api kubernetes.Interface, secret *corev1.Secret, checksum string) ([]corev1.Pod, error) {
	database, err := metav1.ParseToLabelSelector(c.Database)
	if err != nil {
		return nil, err
	}
	own, err := metav1.LabelSelectorAsSelector(database)
	if err != nil {
		return nil, err
	}
	list, err := api.CoreV1().Pods(c.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("which pods may log in with the old password: %w", err)
	}
	written, began := writtenAt(secret), markedAt(secret)
	var earlier []corev1.Pod
	for _, pod := range list.Items {
		ended := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		later := !written.IsZero() && pod.CreationTimestamp.After(written)
		same := checksum != "" && pod.Annotations[c.Annotation] == checksum && pod.CreationTimestamp.Time.Before(began)
		if !ended && !later && !same && !own.Matches(labelsOf(pod)) && uses(pod, secret.Name) {
			earlier = append(earlier, pod)
		}
	}
	return earlier, nil
}

// writtenAt is when the Secret's content last changed. Nothing: it cannot be known.
func writtenAt(secret *corev1.Secret) time.Time {
	var written time.Time
	for _, entry := range secret.ManagedFields {
		if entry.Time != nil && entry.FieldsV1 != nil && writesData(entry.FieldsV1.Raw) && entry.Time.After(written) {
			written = entry.Time.Time
		}
	}
	return written
}

// markedAt is when the Secret was first marked; to mark it again changes nothing.
func markedAt(secret *corev1.Secret) time.Time {
	for _, entry := range secret.ManagedFields {
		if entry.Manager == cluster.Manager && entry.Time != nil {
			return entry.Time.Time
		}
	}
	return time.Time{}
}

// mark notes on the Secret, as JSON, that the server accepts the old password, or no longer.
func (c *Changer) mark(ctx context.Context, api kubernetes.Interface, account *Account, value string) error {
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%s}}}`, pending, value)
	_, err := api.CoreV1().Secrets(c.Namespace).Patch(ctx, account.Secret, types.MergePatchType, []byte(patch),
		metav1.PatchOptions{FieldManager: cluster.Manager})
	if err != nil && (value != "null" || !apierrors.IsNotFound(err)) {
		return fmt.Errorf("note in Secret %s that two passwords are accepted: %w", account.Secret, err)
	}
	return nil
}

// errNoServer is that MySQL does not run where it could be asked.
var errNoServer = errors.New("MySQL does not run, and a password is changed by the server alone: see why, and update again")
