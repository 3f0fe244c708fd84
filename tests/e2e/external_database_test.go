package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/util/cert"

	"wordpress-on-kubernetes/tests/stack"
)

const (
	elsewhereName = "mysql"
	mysqlImage    = "localhost/mysql:9.7"
	mysqlPort     = 3306
)

// somebodysDatabase is a MySQL that the program does not run. It takes encrypted connections alone.
type somebodysDatabase struct {
	project   *stack.Project
	namespace string
}

// TestExternalDatabaseIsVerified has the site use a database of somebody else's, and then puts servers in its place that cannot
// prove to be the one that is meant.
func TestExternalDatabaseIsVerified(t *testing.T) {
	sideBySide(t)
	namespace := beside("wordpress-elsewhere")
	host := elsewhereName + "." + namespace + ".svc.cluster.local"
	right, unknown, misnamed := certificateFor(t, host), certificateFor(t, host), certificateFor(t, "other.example.com")
	s := newBeside(t, "external", map[string]string{
		"wordpress:frontend.replicas":          fmt.Sprint(bootReplicas),
		"wordpress:frontend.drainSeconds":      "2",
		"wordpress:autoscaling.enabled":        "false",
		"wordpress:storage.database":           "",
		"wordpress:database.image":             "",
		"wordpress:database.resources":         "",
		"wordpress:database.mode":              "external",
		"wordpress:database.host":              host,
		"wordpress:database.tls.caBundle":      right.certificate + misnamed.certificate,
		"wordpress:network.database.namespace": namespace,
	})
	p := s.contender.(*program)
	server := newSomebodysDatabase(t, s, namespace)
	server.present(t, right)

	// Registered last, so that the site goes before its database.
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.deploy(t)
	problem := s.comesUp(t.Context())
	if problem == nil {
		problem = s.servesEverywhere(t.Context())
	}
	if problem != nil {
		t.Fatal(problem)
	}
	for name, impostor := range map[string]identity{"an authority that is not trusted": unknown, "another name": misnamed} {
		server.present(t, impostor)
		if err := s.isWithoutDatabase(t.Context()); err != nil {
			problem = errors.Join(problem, fmt.Errorf("a certificate of %s: %w", name, err))
		}
	}
	// The same impostor is believed where it is asked for: so the test can fail, and the mode works.
	p.unset(t, "wordpress:database.tls.caBundle")
	p.change(t, "wordpress:database.tls.mode", "unverified")
	s.awaitGone(t) // an old pod serves its error until it has gone
	if err := s.reach(t.Context()); err != nil {
		problem = errors.Join(problem, fmt.Errorf("in mode unverified: %w", err))
	}
	p.unset(t, "wordpress:database.tls.mode")
	p.set(t, "wordpress:database.tls.caBundle", right.certificate)
	server.present(t, right)
	p.up(t)
	p.kubernetes.awaitRollout(t)
	s.awaitGone(t)
	if err := s.reach(t.Context()); err != nil {
		problem = errors.Join(problem, fmt.Errorf("with the right server again: %w", err))
	}
	if problem != nil {
		t.Error(problem)
	}
}

// identity is a certificate and its key in PEM.
type identity struct{ certificate, key string }

// certificateFor is of an authority of its own, whose certificate follows in the same text.
func certificateFor(t *testing.T, host string) identity {
	t.Helper()
	certificate, key, err := cert.GenerateSelfSignedCertKey(host, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return identity{string(certificate), string(key)}
}

// newSomebodysDatabase starts the server with an account for the site, whose password the stack made up.
func newSomebodysDatabase(t *testing.T, s *subject, namespace string) *somebodysDatabase {
	t.Helper()
	s.createNamespace(t, namespace)
	password, err := s.contender.(*program).GetConfig(t.Context(), "wordpress:databasePassword")
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"app": elsewhereName}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: elsewhereName, Labels: labels},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: elsewhereName, Image: mysqlImage, Args: []string{"mysqld", "--require-secure-transport=ON"},
			Env: []corev1.EnvVar{
				{Name: "MYSQL_ROOT_PASSWORD", Value: rand.String(24)},
				{Name: "MYSQL_DATABASE", Value: "wordpress"},
				{Name: "MYSQL_USER", Value: "wordpress"},
				{Name: "MYSQL_PASSWORD", Value: password.Value},
			},
			ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{
				TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(mysqlPort)}}},
		}}},
	}
	core := s.kubernetes.CoreV1()
	if _, err := core.Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: elsewhereName},
		Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: mysqlPort}}},
	}
	if _, err := core.Services(namespace).Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "somebody else's database is ready", func(ctx context.Context) error {
		now, err := core.Pods(namespace).Get(ctx, elsewhereName, metav1.GetOptions{})
		if err == nil && !isReady(*now) {
			err = errors.New(string(now.Status.Phase))
		}
		return err
	})
	return &somebodysDatabase{project: s.project, namespace: namespace}
}

// present has the server show a certificate to everybody who connects from now on, in place of the one that it made itself.
func (d *somebodysDatabase) present(t *testing.T, as identity) {
	t.Helper()
	inServer := func(input, line, argument string) {
		kubectl(t, d.project, input, "exec", "--stdin", "--namespace", d.namespace, elsewhereName, "--", "sh", "-c", line, argument)
	}
	// MySQL takes a new certificate only if it is of the authority that it knows itself.
	inServer(as.certificate, `cat > "$0"`, "/var/lib/mysql/ca.pem")
	inServer(as.certificate, `cat > "$0"`, "/var/lib/mysql/server-cert.pem")
	inServer(as.key, `cat > "$0"`, "/var/lib/mysql/server-key.pem")
	inServer("", `MYSQL_PWD="$MYSQL_ROOT_PASSWORD" exec mysql --user=root --execute="$0"`, "ALTER INSTANCE RELOAD TLS")
}

// reach asks for the front page, which the database makes.
func (s *subject) reach(ctx context.Context) error {
	response, err := s.visitor.get(ctx, "/"+anew)
	if err == nil && response.status != 200 {
		err = fmt.Errorf("status %d: %s", response.status, excerpt(response.body))
	}
	return err
}

// isWithoutDatabase asks each pod for the front page, and wants the error that WordPress shows without a database.
func (s *subject) isWithoutDatabase(ctx context.Context) error {
	return s.eachPod(ctx, func(pod *site) error {
		response, err := pod.get(ctx, "/")
		if err != nil {
			return err
		}
		if response.status != 500 || !strings.Contains(string(response.body), "database connection") {
			return fmt.Errorf("status %d in place of the error of a missing database: %s", response.status, excerpt(response.body))
		}
		return nil
	})
}
