package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

const (
	// handshakesPerSecond while certificates change, each on a connection of its own.
	handshakesPerSecond = 20.0
	// validity of the authority's certificates. Traefik looks once a minute whether one has less than 20 minutes left, where
	// it is told that certificates live for an hour or less; so it renews each time that it looks.
	validity = 10 * time.Minute

	edgeNamespace, edgeName = "traefik", "traefik"
	// edgeSelector finds the edge's pods, as the stack's setting network.edge does.
	edgeSelector = "app.kubernetes.io/name=traefik"
	resolverName = "proof"
)

// TestCertificatesAreRenewed has Traefik's resolver get certificates from an authority that speaks ACME, so short-lived that
// they are renewed while visitors shake hands.
func TestCertificatesAreRenewed(t *testing.T) {
	each(t, func(t *testing.T, s *subject) {
		authority := startAuthority(t, s.project, s.kubernetes, validity)
		defer s.withResolver(t, authority)()
		defer s.setCertificate(t, "", "")
		defer func() {
			if t.Failed() { // the edge's log goes when it restarts
				keepArtifacts(t.Context(), t, &cluster{s.kubernetes.Interface, edgeNamespace}, s.project)
				keepArtifact(t, s.project, s.name+"-acme.log", authority.log.Bytes())
			}
		}()
		s.setCertificate(t, "certResolver", resolverName)
		s.awaitCertificate(t, authority.roots)

		renewals := pick(1, 2)
		shaken := s.shakeHands(t, authority.roots)
		await(t, "the certificate is renewed", shaken.reach(1+renewals))
		report := shaken.Stop()
		s.keep(t, proof{promise: 9, part: "renewal", title: "certificates are renewed", rounds: renewals,
			tried: fmt.Sprintf("Traefik's resolver against Pebble, which refuses %d%% of good nonces and looks at the site over plain http; "+
				"certificates of %s, while visitors shake hands %.0f times a second", rejectedNonces, minutes(validity), handshakesPerSecond),
			figure: fmt.Sprintf("%d renewals, every chain valid, %d of %d handshakes failed", shaken.certificates()-1,
				report.Failed, report.Requests),
			figures:  evidence.Figures{"renewals": float64(shaken.certificates() - 1), "handshakeP99Milliseconds": p99(report, "handshake")},
			requests: report.Requests, failed: report.Failed, details: report}, allAnswered([]load.Report{report}))
	})
}

// TestExistingCertificateIsServed takes a certificate from a Secret that somebody else keeps, and replaces it.
func TestExistingCertificateIsServed(t *testing.T) {
	needLong(t)
	const secretName = "kept-by-others"
	each(t, func(t *testing.T, s *subject) {
		first, second := s.newCertificate(t), s.newCertificate(t)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(first[corev1.TLSCertKey])
		roots.AppendCertsFromPEM(second[corev1.TLSCertKey])

		secrets := s.kubernetes.CoreV1().Secrets(s.namespace)
		secret, err := secrets.Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: secretName}, Type: corev1.SecretTypeTLS, Data: first,
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := secrets.Delete(t.Context(), secretName, metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		}()
		defer s.setCertificate(t, "", "")
		s.setCertificate(t, "existingSecret", secretName)
		s.awaitCertificate(t, roots)

		shaken := s.shakeHands(t, roots)
		await(t, "the first certificate is served", shaken.reach(1))
		secret.Data = second
		if _, err := secrets.Update(t.Context(), secret, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		await(t, "the second certificate is served", shaken.reach(2))
		report := shaken.Stop()
		s.keep(t, proof{promise: 9, part: "existing Secret", title: "an existing certificate is served", rounds: 1,
			tried: "a certificate from a Secret of somebody else's, which is replaced while visitors shake hands",
			figure: fmt.Sprintf("both served, every chain valid, %d of %d handshakes failed",
				report.Failed, report.Requests),
			figures:  evidence.Figures{"certificates": float64(shaken.certificates()), "handshakeP99Milliseconds": p99(report, "handshake")},
			requests: report.Requests, failed: report.Failed, details: report}, allAnswered([]load.Report{report}))
	})
}

// newCertificate for the site's name, and its key, as a Secret holds them.
func (s *subject) newCertificate(t *testing.T) map[string][]byte {
	t.Helper()
	certificate, key, err := cert.GenerateSelfSignedCertKey(s.host, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key}
}

// setCertificate has the site take its certificate from the source, certResolver or existingSecret; empty: the edge's own.
func (s *subject) setCertificate(t *testing.T, source, value string) {
	t.Helper()
	if p, ok := s.contender.(*program); ok {
		p.set(t, "wordpress:ingress.tls.defaultCertificate", strconv.FormatBool(source == ""))
		p.unset(t, "wordpress:ingress.tls.certResolver")
		p.unset(t, "wordpress:ingress.tls.existingSecret")
		if source != "" {
			p.set(t, "wordpress:ingress.tls."+source, value)
		}
		p.up(t)
		return
	}
	fields := map[string]any{"certResolver": nil, "secretName": nil}
	switch source {
	case "certResolver":
		fields["certResolver"] = value
	case "existingSecret":
		fields["secretName"] = value
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"tls": fields}})
	if err != nil {
		t.Fatal(err)
	}
	kubectl(t, s.project, "", "patch", "-n", s.namespace, "ingressroutes.traefik.io", "wordpress", "--type=merge", "-p", string(patch))
}

// withResolver restarts the edge with a resolver that asks the authority, and returns what takes it out again.
func (s *subject) withResolver(t *testing.T, authority *acmeAuthority) (restore func()) {
	t.Helper()
	const volume, folder, file = "acme-authority", "/acme-authority", "api.pem"
	configMaps := s.kubernetes.CoreV1().ConfigMaps(edgeNamespace)
	if _, err := configMaps.Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: volume}, Data: map[string]string{file: string(authority.api)},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	// Traefik asks for no certificate where another one that it has covers the name, as the edge's own does.
	const store = "tlsstores.traefik.io/default"
	own := kubectl(t, s.project, "", "get", "-n", edgeNamespace, store, "-o", "jsonpath={.spec}")
	kubectl(t, s.project, "", "delete", "-n", edgeNamespace, store)
	before := s.changeEdge(t, func(pod *corev1.PodSpec) {
		container := &pod.Containers[0]
		for _, option := range []string{
			"caserver=" + authority.directory,
			"cacertificates=" + folder + "/" + file,
			"caservername=" + nameOfTestServer,
			"certificatesduration=1",
			"email=nobody@wordpress.localhost",
			"storage=/tmp/acme.json",
			"httpchallenge.entrypoint=web",
		} {
			container.Args = append(container.Args, "--certificatesresolvers."+resolverName+".acme."+option)
		}
		container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: volume, MountPath: folder})
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: volume}},
		}})
	})
	// Traefik does not ask again for a certificate that the authority refused once, and it refuses one where it cannot see the site.
	await(t, "the edge answers plain http, time after time", func(ctx context.Context) (problem error) {
		for range 5 {
			problem = errors.Join(problem, s.redirectKeepsAddress(ctx))
		}
		return problem
	})
	return func() {
		kubectl(t, s.project, fmt.Sprintf(`{"apiVersion": "traefik.io/v1alpha1", "kind": "TLSStore",
			"metadata": {"name": "default", "namespace": %q}, "spec": %s}`, edgeNamespace, own), "create", "-f", "-")
		s.changeEdge(t, func(pod *corev1.PodSpec) { *pod = before })
		if err := configMaps.Delete(t.Context(), volume, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}
}

// changeEdge changes the edge's pod, waits until the new one alone is there, and returns what it was before.
func (s *subject) changeEdge(t *testing.T, change func(*corev1.PodSpec)) (before corev1.PodSpec) {
	t.Helper()
	edge := s.kubernetes.AppsV1().Deployments(edgeNamespace)
	now, err := edge.Get(t.Context(), edgeName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before = *now.Spec.Template.Spec.DeepCopy()
	change(&now.Spec.Template.Spec)
	if _, err := edge.Update(t.Context(), now, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "the edge has restarted", func(ctx context.Context) error {
		now, err := edge.Get(ctx, edgeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := rolledOut(now); err != nil {
			return err
		}
		// The old one would answer the authority's request for a page that it does not know.
		pods, err := s.kubernetes.CoreV1().Pods(edgeNamespace).List(ctx, metav1.ListOptions{})
		if err == nil && len(pods.Items) != int(*now.Spec.Replicas) {
			err = fmt.Errorf("%d pods of the edge are left", len(pods.Items))
		}
		return err
	})
	return before
}

// awaitCertificate waits until the edge serves the site with a certificate that leads to one of the roots.
func (s *subject) awaitCertificate(t *testing.T, roots *x509.CertPool) {
	t.Helper()
	client := s.trusting(t, roots, nil)
	await(t, "the certificate is served", func(ctx context.Context) error {
		_, err := client.Get(ctx, aFile, http.StatusOK, "PNG")
		return err
	})
}

// handshakes are visitors who look at the site's certificate.
type handshakes struct {
	*load.Run
	mutex sync.Mutex
	// serials of the certificates that were served.
	serials map[string]bool
}

// shakeHands makes one new connection after the other and asks for a file on each.
func (s *subject) shakeHands(t *testing.T, roots *x509.CertPool) *handshakes {
	t.Helper()
	h := &handshakes{serials: map[string]bool{}}
	h.Run = load.Start(t.Context(), load.Stream{
		Name: "handshake", PerSecond: handshakesPerSecond, Connections: 4, Request: getFile(s.trusting(t, roots, h.note), aFile),
	})
	return h
}

func (h *handshakes) note(state tls.ConnectionState) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.serials[state.PeerCertificates[0].SerialNumber.String()] = true
	return nil
}

// certificates is how many different ones were served.
func (h *handshakes) certificates() int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return len(h.serials)
}

// reach is the condition that so many different certificates were served.
func (h *handshakes) reach(wanted int) func(context.Context) error {
	return func(context.Context) error {
		if found := h.certificates(); found < wanted {
			return fmt.Errorf("%d of %d certificates were served", found, wanted)
		}
		return nil
	}
}

// trusting is a client that trusts the roots alone, and shows each new connection, whose chain is valid, to note.
func (s *subject) trusting(t *testing.T, roots *x509.CertPool, note func(tls.ConnectionState) error) *load.Client {
	t.Helper()
	client, err := load.NewClient("https://"+s.host, false, func() (*http.Transport, error) {
		transport, err := s.project.EdgeTransport()
		if err == nil {
			transport.TLSClientConfig.RootCAs, transport.TLSClientConfig.VerifyConnection = roots, note
		}
		return transport, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func minutes(d time.Duration) string { return fmt.Sprintf("%.0f minutes", d.Minutes()) }
