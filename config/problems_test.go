package config

import (
	"slices"
	"strings"
	"testing"
)

// Each case changes the minimal development stack and expects exactly these problems, in this order.
var problemCases = []struct {
	name, change string
	want         []string
}{
	// Keys and types.
	{"misspelt section", `wordpress:frontned: {replicas: 3}`, nil},
	{"unknown section", `wordpress:cache: {}`, nil},
	{"misspelt key in a section", `wordpress:frontend: {servce: {type: ClusterIP}}`, nil},
	{"unknown key deep inside", `wordpress:storage: {content: {class: fast}}`, nil},
	{"wrong case", `wordpress:frontend: {maxsurge: 1}`, nil},
	{"nested key without --path", `wordpress:frontend.replicas: "5"`, nil},
	{"section as text", `wordpress:site: www.example.com`, nil},
	{"section as list", `wordpress:site: [www.example.com]`, nil},
	{"object for a value", `wordpress:frontend: {image: {name: wordpress}}`, nil},
	{"value for an object", `wordpress:frontend: {resources: 1}`, nil},
	{"number in quotes", `wordpress:frontend: {drainSeconds: "20"}`, nil},
	{"fraction", `wordpress:autoscaling: {minReplicas: 2.5}`, nil},
	{"number too large for the type", `wordpress:frontend: {nodes: 99999999999999999999}`, nil},
	{"switch in quotes", `wordpress:frontend: {livenessProbe: "yes"}`, nil},
	{"number for text", `wordpress:database: {name: 5}`, nil},
	{"number in a list", `wordpress:ingress: {tls: {certResolver: a, domains: [5]}}`, nil},
	{"switch in annotations", `wordpress:ingress: {kind: ingress, tls: {clusterIssuer: a}, annotations: {a: true}}`, nil},
	{"no value", `wordpress:frontend: {replicas: null}`, nil},
	{"empty text", `wordpress:storage: {database: {storageClass: ""}}`, nil},
	{"several at once", `
wordpress:frontend: {replicas: three, colour: blue, resources: {cpu: 1 core}}
wordpress:site: {}
wordpress:authSecret: null`, nil},

	// Single values.
	{"no profile", `wordpress:profile: null`, nil},
	{"unknown profile", `wordpress:profile: staging`, nil},
	{"namespace with a dot", `wordpress:namespace: my.site`, nil},
	{"namespace of the cluster", `wordpress:namespace: kube-system`, nil},
	{"no host", `wordpress:site: {}`, nil},
	{"host with scheme", `wordpress:site: {host: "https://www.example.com"}`, nil},
	{"host with port", `wordpress:site: {host: "www.example.com:8443"}`, nil},
	{"host in upper case", `wordpress:site: {host: WWW.example.com}`, nil},
	{"host with an underscore", `wordpress:site: {host: my_site.example.com}`, nil},
	{"address as host", `wordpress:site: {host: 192.0.2.1}`, nil},
	{"malformed images", `{wordpress:frontend: {image: "WordPress:7"}, wordpress:database: {image: "mysql:"}}`, nil},
	{"no replicas", `{wordpress:frontend: {replicas: 0}, wordpress:autoscaling: {enabled: false}}`, nil},
	{"malformed quantity", `wordpress:frontend: {resources: {cpu: 200 millicores}}`, nil},
	{"quantity without end", `wordpress:storage: {content: {size: 1e999999999}}`, nil},
	{"milli bytes", `wordpress:frontend: {resources: {memory: 256m}}`, nil},
	{"too small to run", `
wordpress:frontend: {resources: {cpu: 1m, memory: 64Mi, ephemeralStorage: "0"}, maxUploadSize: 1}
wordpress:database: {resources: {memory: 256Mi}}
wordpress:storage: {database: {size: -1Gi}, content: {size: 0}}`, nil},
	{"upload that Apache cannot take", `wordpress:frontend: {maxUploadSize: 2Gi, resources: {ephemeralStorage: 4Gi}}`, nil},
	{"one worker", `wordpress:frontend: {workers: 1}`, nil},
	{"times of zero", `wordpress:frontend: {maxRequestSeconds: 0, drainSeconds: 0, terminationGracePeriodSeconds: 0}`, nil},
	{"unknown words", `
wordpress:frontend: {spread: always, service: {type: LoadBalancer}}
wordpress:database: {mode: cluster}
wordpress:storage: {content: {accessMode: RWX}}
wordpress:ingress: {kind: nginx}`, nil},
	{"malformed percentages", `wordpress:frontend: {maxSurge: 25 %, maxUnavailable: -1, disruptionBudget: {maxUnavailable: 120%}}`, nil},
	{"autoscaling out of range", `wordpress:autoscaling: {minReplicas: 0, maxReplicas: 5000, cpuUtilization: 160, scaleDownStabilizationSeconds: -1}`, nil},
	{"node port out of range", `wordpress:frontend: {service: {type: NodePort, nodePort: 80}}`, nil},
	{"database names", `wordpress:database: {name: my-site, user: root}`, nil},
	{"database of MySQL itself", `wordpress:database: {name: MySQL, user: abcdefghijklmnopqrstuvwxyz0123456}`, nil},
	{"malformed object names", `
wordpress:frontend: {existingSecret: My_Keys}
wordpress:authSecret: null
wordpress:storage: {content: {storageClass: Fast}, cephfs: {filesystem: my_fs, namespace: rook.ceph}}
wordpress:ingress: {className: Traefik, tls: {clusterIssuer: "let's encrypt"}}`, nil},
	{"resolver and domains", `wordpress:ingress: {tls: {certResolver: my resolver, domains: [www.example.com, "*.*.com", www.example.com]}}`, nil},
	{"annotation without a name", `wordpress:ingress: {kind: ingress, tls: {clusterIssuer: a}, annotations: {"a b": c}}`, nil},

	// Replicas, updates and evictions.
	{"replicas beside the autoscaler", `wordpress:frontend: {replicas: 3}`, nil},
	{"minimum above maximum", `wordpress:autoscaling: {minReplicas: 7}`, nil},
	{"update without a first step", `wordpress:frontend: {maxSurge: 0%, maxUnavailable: 0}`, nil},
	{"update without pods", `wordpress:frontend: {maxUnavailable: 100%}`, nil},
	{"budget that stops every drain", `wordpress:frontend: {disruptionBudget: {maxUnavailable: 0}}`, nil},
	{"budget that evicts all", `wordpress:frontend: {disruptionBudget: {maxUnavailable: 3}}`, nil},
	{"budget that evicts all by rounding up", `{wordpress:autoscaling: {minReplicas: 2}, wordpress:frontend: {disruptionBudget: {maxUnavailable: 51%}}}`, nil},
	{"spread over too few nodes", `wordpress:frontend: {spread: required, nodes: 6}`, nil},
	{"several pods on a volume for one", `wordpress:storage: {content: {accessMode: ReadWriteOnce}}`, nil},
	{"surge on a volume for one", `
wordpress:autoscaling: {enabled: false}
wordpress:frontend: {replicas: 1}
wordpress:storage: {content: {accessMode: ReadWriteOnce}}`, nil},

	// Times and sizes.
	{"request longer than the grace period", `wordpress:frontend: {maxRequestSeconds: 40}`, nil},
	{"workers without memory", `wordpress:frontend: {workers: 7}`, nil},
	{"upload larger than the disk", `wordpress:frontend: {maxUploadSize: 512Mi}`, nil},
	{"node port without its type", `wordpress:frontend: {service: {nodePort: 30012}}`, nil},

	// Database and storage.
	{"too few connections", `wordpress:database: {maxConnections: 51}`, nil},
	{"external database without host", `{wordpress:database: {mode: external}, wordpress:databaseRootPassword: null}`, nil},
	{"external database with a server", `
wordpress:database: {mode: external, host: db.example.com, image: "mysql:9.7.2", resources: {cpu: 1}, maxConnections: 100}
wordpress:storage: {database: {size: 20Gi}}`, nil},
	{"own database with an address", `wordpress:database: {host: db.example.com, port: 3307}`, nil},
	{"file system without a class", `wordpress:storage: {cephfs: {create: true}, content: {accessMode: ReadWriteOnce}}`, nil},

	// Ingress.
	{"two certificates", `wordpress:ingress: {tls: {certResolver: a, existingSecret: b}}`, nil},
	{"redirect to nowhere", `wordpress:ingress: {redirectToHTTPS: true}`, nil},
	{"redirect by default to nowhere", `wordpress:ingress: null`, nil},
	{"standard ingress with Traefik's keys", `wordpress:ingress: {kind: ingress, tls: {certResolver: a}, redirectToHTTPS: true}`, nil},
	{"no ingress with keys of one", `wordpress:ingress: {kind: none, className: traefik, tls: {existingSecret: a}}`, nil},
	{"annotations for Traefik", `wordpress:ingress: {tls: {existingSecret: a}, annotations: {a: b}}`, nil},
	{"domains without resolver", `wordpress:ingress: {tls: {existingSecret: a, domains: [www.example.com]}}`, nil},
	{"domains of another site", `wordpress:ingress: {tls: {certResolver: a, domains: [example.com, "*.www.example.com"]}}`, nil},

	// Secrets.
	{"secrets missing", `{wordpress:databasePassword: null, wordpress:databaseRootPassword: null, wordpress:authSecret: null}`, nil},
	{"secret in plain text", `wordpress:databasePassword: ` + testPassword, nil},
	{"secrets too short", `{wordpress:databasePassword: {secure: short}, wordpress:authSecret: {secure: 31 characters are one too few..}}`, nil},
	{"secret with a line break", `wordpress:databaseRootPassword: {secure: "root-password\n"}`, nil},
	{"empty secret", `wordpress:authSecret: ""`, nil},
	{"secrets given twice", `{wordpress:database: {existingSecret: db}, wordpress:frontend: {existingSecret: keys}}`, nil},

	// Production.
	{"latest images in production", `
wordpress:profile: production
wordpress:frontend: {image: wordpress}
wordpress:database: {image: "mysql:latest"}`, nil},
	{"everything that production refuses", `
wordpress:profile: production
wordpress:frontend: {service: {type: NodePort}}
wordpress:storage: {protect: false}
wordpress:autoscaling: {minReplicas: 1}
wordpress:ingress: {}
wordpress:databasePassword: hunter2hunter2
wordpress:authSecret: null`, nil},
	{"one fixed pod in production", `
wordpress:profile: production
wordpress:autoscaling: {enabled: false}
wordpress:frontend: {replicas: 1}`, nil},
}

func TestProblems(t *testing.T) {
	for _, c := range problemCases {
		t.Run(c.name, func(t *testing.T) {
			if got := problemsOf(t, minimal, c.change); !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}
