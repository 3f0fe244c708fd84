package config

import (
	"strings"
	"testing"
)

// Values at the very edge of what is accepted, and combinations that come close to breaking a rule.
var acceptedCases = map[string]string{
	"log for a day":             ofBackup(withBinlog(`seconds: 3600, keepDays: 1`) + `, keep: {last: 0, daily: 2, weekly: 0, monthly: 0}`),
	"log for a quarter":         ofBackup(withBinlog(`seconds: 60, keepDays: 90`) + `, keep: {daily: 91}, drill: {enabled: false, resources: {memory: 2Gi}}`),
	"namespace of the tutorial": `wordpress:namespace: kube-example`,
	"what is there already":     `{wordpress:createNamespace: false, wordpress:frontend: {maxUploadSize: 2046Mi, resources: {ephemeralStorage: 2110Mi}}, wordpress:storage: {content: {existingClaim: files, size: 1Gi, storageClass: fast}, database: {existingClaim: data, size: 1Gi}}}`,
	"smallest frontend":         `wordpress:frontend: {resources: {cpu: 10m, memory: 160Mi, ephemeralStorage: 65Mi}, workers: 2, maxUploadSize: 1Mi}`,
	"target of a cpuLimit":      `{wordpress:autoscaling: {cpuUtilization: 180}, wordpress:frontend: {resources: {cpuLimit: 1}}}`,
	"largest upload":            `wordpress:frontend: {maxUploadSize: 2046Mi, resources: {cpu: 128, ephemeralStorage: 2110Mi}}`,
	"shortest times":            `wordpress:frontend: {drainSeconds: 1, maxRequestSeconds: 1, terminationGracePeriodSeconds: 3}`,
	"tightest grace period":     `wordpress:frontend: {terminationGracePeriodSeconds: 51}`,
	"longest times":             `wordpress:frontend: {drainSeconds: 3600, maxRequestSeconds: 3600, terminationGracePeriodSeconds: 7201}`,
	"minimum equals maximum":    `wordpress:autoscaling: {minReplicas: 6, maxReplicas: 6, cpuUtilization: 90, scaleDownStabilizationSeconds: 3600}`,
	"most pods":                 `{wordpress:autoscaling: {maxReplicas: 1000}, wordpress:database: {maxConnections: 10000, resources: {memory: 30000Mi}}}`,
	"most surge":                `{wordpress:frontend: {maxSurge: 1000, maxUnavailable: 2}, wordpress:database: {maxConnections: 10000, resources: {memory: 30000Mi}}}`,
	"all at once":               `wordpress:frontend: {maxSurge: 100%}`,
	"as many nodes as pods":     `wordpress:frontend: {spread: required, nodes: 6}`,
	"nodes not stated":          `wordpress:frontend: {spread: required}`,
	"few nodes, soft spread":    `wordpress:frontend: {spread: preferred, nodes: 1}`,
	"just enough connections":   `wordpress:database: {maxConnections: 45}`,
	"shortest names":            `wordpress:database: {name: a, user: z}`,
	"longest names":             `wordpress:database: {name: ` + strings.Repeat("Az09$", 12) + `Z_Z, user: ` + strings.Repeat("u", 32) + `}`,
	"name that begins with _":   `wordpress:database: {name: _wp}`,
	"shortest secrets":          `{wordpress:databasePassword: {secure: 8-chars.}, wordpress:authSecret: {secure: ` + strings.Repeat("k", 32) + `}}`,
	"longest administrator":     `{wordpress:site: {host: a.example.com, title: ` + strings.Repeat("é", 200) + `, admin: {user: ` + strings.Repeat("u", 60) + `, email: "a.b+c@Example.COM"}, cron: {everyMinutes: 30}}, wordpress:adminPassword: {secure: ` + strings.Repeat("p", 256) + `}}`,
	"administrator of a vault":  `wordpress:site: {host: a.example.com, admin: {user: "J. Doe-1@x_y", email: a@b.c, existingSecret: vault}, cron: {enabled: false, everyMinutes: 1}}`,
	"longest password":          `wordpress:databasePassword: {secure: ` + strings.Repeat("p", 256) + `}`,
	"longest label of a host":   `wordpress:site: {host: ` + strings.Repeat("a", 63) + `.example.com}`,
	"host that begins with 1":   `wordpress:site: {host: 1.2.3.example}`,
	"percentage of no pods":     `wordpress:frontend: {maxSurge: 0%, maxUnavailable: 1%, disruptionBudget: {maxUnavailable: 1%}}`,
	"database of a mirror":      `wordpress:database: {image: "registry.example.com:5000/library/mysql:8.4"}`,
	"external address":          `{wordpress:database: {mode: external, host: 192.0.2.1, port: 1}, wordpress:databaseRootPassword: null, wordpress:databasePassword: {secure: "it's \\ all fine"}}`,
	"largest quantity":          `wordpress:storage: {content: {size: 1E}}`,
	"node port in development":  `wordpress:frontend: {service: {type: NodePort, nodePort: 30000}}`,
	"HTTP in development":       `wordpress:ingress: {redirectToHTTPS: false}`,
	"latest in development":     `{wordpress:frontend: {image: wordpress}, wordpress:storage: {protect: false}}`,
	"image of the machine":      `wordpress:frontend: {image: "localhost/wordpress:7.1"}`,
	"resolver and wildcard":     `wordpress:ingress: {tls: {certResolver: ali, domains: [example.com, "*.example.com"]}}`,
	"digest in production":      `{wordpress:profile: production, wordpress:database: {image: "mysql@sha256:` + strings.Repeat("0", 64) + `"}}`,
	"own tag in production":     `{wordpress:profile: production, wordpress:frontend: {image: "registry.example.com/site:corp-v1.12.0_3"}, wordpress:database: {image: "mysql:8.4.11-oraclelinux9"}}`,
	"a line in development":     `{wordpress:frontend: {image: "wordpress:6-apache"}, wordpress:database: {image: "mysql:8"}}`,
	"oldest line":               `{wordpress:frontend: {image: "wordpress:5.6-apache"}, wordpress:database: {image: "mysql:8.4"}}`,
	"images of other names":     `{wordpress:frontend: {image: "nginx:1.27"}, wordpress:database: {image: "registry.example.com/mysql-server:5.7"}}`,
	"own numbers by digest":     `{wordpress:profile: production, wordpress:frontend: {image: "registry.example.com/wordpress@sha256:` + strings.Repeat("0", 64) + `"}}`,
	"kept claims in production": `{wordpress:profile: production, wordpress:storage: {content: {existingClaim: kept-content}, database: {existingClaim: kept-data}}}`,
	"no ingress in production":  `{wordpress:profile: production, wordpress:ingress: {kind: none, loginLimit: {enabled: false}}}`,
	"two pods in production":    `{wordpress:profile: production, wordpress:autoscaling: {minReplicas: 2}}`,
	"one pod and its volume":    `{wordpress:autoscaling: {enabled: false}, wordpress:frontend: {replicas: 1, maxSurge: 0, maxUnavailable: 1}, wordpress:storage: {content: {accessMode: ReadWriteOnce}}}`,
	"bounds of no autoscaler":   `wordpress:autoscaling: {enabled: false, minReplicas: 9, maxReplicas: 2}`,
	"Traefik's usual place":     `wordpress:network: null`,
	"Traefik on its node":       `wordpress:network: {edge: {cidrs: [10.1.0.0/16, "2001:db8::/32"]}}`,
	"all pods of the edge":      `wordpress:network: {edge: {namespace: edge, podLabels: {}}}`,
	"open in development":       `wordpress:network: {enabled: false}`,
	"open without ingress":      `{wordpress:ingress: {kind: none}, wordpress:network: {enabled: false}}`,
	"DNS of a node and a port":  `wordpress:network: {dns: {cidrs: [169.254.20.10/32], port: 5353, podLabels: {dns.operator.openshift.io/daemonset-dns: default}}}`,
	"label without a value":     `wordpress:network: {edge: {namespace: edge, podLabels: {example.com/edge: ""}}}`,
	"names of somebody else's":  `{wordpress:database: {mode: external, host: 192.0.2.7, name: wp-prod.eu, user: v-kubernetes-wp@db}, wordpress:databaseRootPassword: null}`,
	"database behind a name":    `{wordpress:database: {mode: external, host: db}, wordpress:databaseRootPassword: null, wordpress:network: {database: {cidrs: [0.0.0.0/0]}}}`,
	"database of an authority":  `{wordpress:profile: production, wordpress:database: {mode: external, host: 192.0.2.7, tls: {caBundle: "The first:\n` + escaped(aCertificate) + `\nand again:\n` + escaped(aCertificate) + `\n\n"}}, wordpress:databaseRootPassword: null}`,
	"database in the plain":     `{wordpress:database: {mode: external, host: 192.0.2.7, tls: {mode: disabled}}, wordpress:databaseRootPassword: null}`,
	"database behind a Service": `{wordpress:database: {mode: external, host: mysql.db.svc}, wordpress:databaseRootPassword: null, wordpress:network: {database: {namespace: db, podLabels: {app: mysql}, port: 6446}}}`,
	"everything outside":        `wordpress:network: {egress: [{cidr: 0.0.0.0/0, ports: [80, 443]}, {cidr: "::/0", ports: [1, 65535]}, {cidr: 203.0.113.25/32, ports: [587]}]}`,
	"registry of one's own":     `{wordpress:imagePullSecrets: [registry, registry.example.com], wordpress:frontend: {image: "registry.example.com:5000/wordpress:7.1.4-php8.3-apache"}}`,
	"mirror of Docker Hub":      `wordpress:imageRegistry: "registry.example.com:5000/dockerhub"`,
	"no pull secrets":           `wordpress:imagePullSecrets: []`,
	"pods elsewhere":            `wordpress:network: {egress: [{namespace: redis, ports: [6379]}, {namespace: mail, podLabels: {app: relay}, cidr: 10.1.2.3/32, ports: [25]}]}`,
	"a proxy in the cluster":    `wordpress:network: {egress: [{namespace: proxy, ports: [3128]}], proxy: {host: proxy.proxy.svc.cluster.local, port: 3128, bypass: ["*.example.com"]}}`,
	"a proxy in the open":       `wordpress:network: {enabled: false, proxy: {host: proxy.example.com, port: 8080}}`,
	"nothing outside":           `wordpress:network: {egress: []}`,
	"addresses hidden":          `wordpress:ingress: {tls: {existingSecret: a}, clientAddress: hidden}`,
	"standard behind proxies":   `wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, clientAddress: forwarded, proxies: 2}`,
	"log-ins not limited":       `wordpress:ingress: {tls: {existingSecret: a}, clientAddress: hidden, loginLimit: {enabled: false}}`,
	"log-ins behind proxies":    `{wordpress:profile: production, wordpress:ingress: {tls: {existingSecret: a, minVersion: TLSv1.3}, clientAddress: forwarded, proxies: 10, loginLimit: {requestsPerMinute: 6000, burst: 1000, concurrent: 4}}}`,
	"standard in production":    `{wordpress:profile: production, wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, loginLimit: {enabled: false}}}`,
	"everything let through":    `wordpress:site: {host: www.example.com, hstsSeconds: 0, embedding: true, browserFeatures: [camera, geolocation, microphone], xmlrpc: true}`,
	"no ingress, promise kept":  `{wordpress:profile: production, wordpress:site: {host: www.example.com, hstsSeconds: 63072000}, wordpress:ingress: {kind: none, loginLimit: {enabled: false}}}`,
	"users in production":       `{wordpress:profile: production, wordpress:podSecurity: {seLinuxLevel: "s0:c0.c3,c1023", frontend: {userID: 10001, groupID: 2147483647, fsGroup: 1}, database: {userID: 10001}}}`,
	"users of the node":         `wordpress:podSecurity: {frontend: {userID: 1, groupID: 33}}`,
	"users of the cluster":      `{wordpress:profile: production, wordpress:podSecurity: {fromCluster: true}}`,
	"annotations of an ingress": `wordpress:ingress: {kind: ingress, className: haproxy, tls: {existingSecret: a}, annotations: {example.com/Limit: "5"}}`,
}

func TestAccepted(t *testing.T) {
	for name, change := range acceptedCases {
		if problems := problemsOf(t, minimal, change); problems != nil {
			t.Errorf("%s: %s", name, strings.Join(problems, "\n"))
		}
	}
}

func TestOverlaps(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"wordpress:site.host", "wordpress:site.host", true},
		{"wordpress:site.host", "wordpress:site", true},
		{"wordpress:ingress.tls", "wordpress:ingress.tls.domains[1]", true},
		{"wordpress:ingress.tls.domains[1]", "wordpress:ingress.tls.domains", true},
		{"wordpress:databasePassword", "wordpress:database", false},
		{"wordpress:database.host", "wordpress:site.host", false},
	} {
		if got := overlaps(c.a, c.b); got != c.want {
			t.Errorf("%s and %s overlap: got %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestClosest(t *testing.T) {
	known := []string{"minReplicas", "maxReplicas", "size", "databaseRootPassword"}
	for name, want := range map[string]string{
		"minReplica":             "minReplicas",
		"maxReplcias":            "maxReplicas",
		"mixReplicas":            "minReplicas", // as near to both: the first
		"SIZE":                   "size",
		"abize":                  "",
		"databaseSecretPassword": "",
		"":                       "",
	} {
		if got, _ := closest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "abc", 3}, {"ab", "ba", 2}, {"kitten", "sitting", 3}} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: got %d edits, want %d", c.a, c.b, got, c.want)
		}
	}
}

// An error repeats no more of a value than fits in a line.
func TestLongValuesAreCut(t *testing.T) {
	fits, long := strings.Repeat("a", maxShownValue), strings.Repeat("a", maxShownValue+1)
	for change, want := range map[string]string{
		`wordpress:namespace: ` + long:                 `"` + long + `"`,
		`wordpress:site: ` + fits:                      `"` + fits + `"`,
		`wordpress:site: ` + long:                      `"` + fits + `…"`,
		`wordpress:frontend: {replicas: ` + long + `}`: `"` + fits + `…"`,
		`wordpress:site: [` + long + `]`:               `"[\"` + fits[2:] + `…"`,
	} {
		if got := problemsOf(t, minimal, change); len(got) != 1 || !strings.Contains(got[0], " "+want+": ") {
			t.Errorf("got %q, want the value %s", got, want)
		}
	}
}

func TestNullSection(t *testing.T) {
	raw := parse(t, minimal)
	raw.values["wordpress:site"] = "null"
	_, err := raw.load()
	if err == nil || !strings.Contains(err.Error(), "wordpress:site: Invalid value: ") {
		t.Errorf("got %v, want a problem of wordpress:site", err)
	}
}
