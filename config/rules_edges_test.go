package config

import (
	"slices"
	"strings"
	"testing"
)

// edge is where a rule turns: what is just accepted, by this and every other rule, and what is just refused.
type edge struct{ accepted, refused string }

// Changes to the minimal development stack, or for the last group to one of production.
var edges = map[string]edge{
	"keysOfABackup": {wholeBackup, `wordpress:backup: {schedule: "1 1 * * *"}`},
	"keysOfAMove": {
		`{wordpress:backup: {bootstrap: {snapshot: latest, from: "https://www.company.com"}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`,
		`{wordpress:backup: {enabled: true, bootstrap: {from: "https://www.company.com"}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`,
	},
	"keysOfBackupMetrics": {
		`{wordpress:backup: {enabled: true, metrics: {enabled: false}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`,
		`{wordpress:backup: {enabled: true, metrics: {enabled: false, image: "prom/pushgateway:v1.11.2"}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`,
	},
	"keysOfADrill": {
		`{wordpress:backup: {enabled: true, drill: {enabled: false}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`,
		`{wordpress:backup: {enabled: true, drill: {enabled: false, minimumPosts: 2}, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`,
	},
	"keysOfABinlog": {
		ofBackup(withBinlog(`keepDays: 13`)),
		ofBackup(`binlog: {seconds: 60}`),
	},
	"binlogHasImage": {
		ofBackup(withBinlog(``)),
		ofBackup(`binlog: {enabled: true}`),
	},
	"binlogIsOfOwnServer": {
		ofBackup(withBinlog(``)),
		`{wordpress:database: {existingSecret: vault}, wordpress:databasePassword: null, wordpress:databaseRootPassword: null, wordpress:backup: {enabled: true, ` +
			aRepository + `, ` + aDestination + `, ` + withBinlog(``) + `}, ` + backupKeys + `}`,
	},
	"runsOutliveBinlog": {
		ofBackup(withBinlog(`keepDays: 6`) + `, keep: {daily: 7}`),
		ofBackup(withBinlog(`keepDays: 7`) + `, keep: {daily: 7}`),
	},
	"databaseNameLeavesRoom": {
		`{wordpress:database: {name: ` + strings.Repeat("a", 45) + `_}, wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`,
		`{wordpress:database: {name: ` + strings.Repeat("a", 46) + `_}, wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`,
	},
	"backupHasPlace": {
		wholeBackup,
		`{wordpress:backup: {enabled: true, ` + aRepository + `}, ` + backupKeys + `}`,
	},
	"backupSecrets": {
		`wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `, existingSecret: kept}`,
		`wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `}`,
	},
	"backupKeysAreRead": {
		wholeBackup,
		`{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `}, wordpress:backupPassword: {secure: a-password-of-its-own}, wordpress:backupAccessKey: {secure: AKIA}, wordpress:backupSecretKey: {secure: "its;secret"}}`,
	},
	"backupPasswordIsItsOwn": {
		wholeBackup,
		`{wordpress:backup: {enabled: true, ` + aRepository + `, ` + aDestination + `}, wordpress:backupPassword: {secure: the-very-same-one}, wordpress:backupAccessKey: {secure: AKIA}, wordpress:backupSecretKey: {secure: the-very-same-one}}`,
	},
	"oneOwnerOfReplicas": {
		`{wordpress:frontend: {replicas: 3}, wordpress:autoscaling: {enabled: false}}`,
		`{wordpress:frontend: {replicas: 3}, wordpress:autoscaling: {enabled: true}}`,
	},
	"minWithinMax": {
		`wordpress:autoscaling: {minReplicas: 4, maxReplicas: 4}`,
		`wordpress:autoscaling: {minReplicas: 5, maxReplicas: 4}`,
	},
	"updateMakesProgress": {
		`wordpress:frontend: {maxSurge: 0, maxUnavailable: 1%}`,
		`wordpress:frontend: {maxSurge: 0, maxUnavailable: 0%}`,
	},
	"updateKeepsAPod": {
		`wordpress:frontend: {maxUnavailable: 2}`,
		`wordpress:frontend: {maxUnavailable: 3}`,
	},
	"budgetCanBeMet": {
		`wordpress:frontend: {disruptionBudget: {maxUnavailable: 66%}}`,
		`wordpress:frontend: {disruptionBudget: {maxUnavailable: 67%}}`,
	},
	"spreadFitsOnNodes": {
		`wordpress:frontend: {spread: required, nodes: 6}`,
		`wordpress:frontend: {spread: required, nodes: 5}`,
	},

	"requestsFitInGracePeriod": {
		`wordpress:frontend: {drainSeconds: 20, maxRequestSeconds: 30, terminationGracePeriodSeconds: 51}`,
		`wordpress:frontend: {drainSeconds: 20, maxRequestSeconds: 30, terminationGracePeriodSeconds: 50}`,
	},
	"livenessOutlastsRequests": {
		`wordpress:frontend: {livenessProbe: true, maxRequestSeconds: 119, terminationGracePeriodSeconds: 300}`,
		`wordpress:frontend: {livenessProbe: true, maxRequestSeconds: 120, terminationGracePeriodSeconds: 300}`,
	},
	"workersFitInMemory": {
		`wordpress:frontend: {workers: 7, resources: {memory: 320Mi}}`,
		`wordpress:frontend: {workers: 7, resources: {memory: 319Mi}}`,
	},
	"pictureFitsInMemory": {
		`wordpress:frontend: {workers: 10, pictureMemory: 128Mi, resources: {memory: 512Mi}}`,
		`wordpress:frontend: {workers: 10, pictureMemory: 129Mi, resources: {memory: 512Mi}}`,
	},
	"cpuLimitsAreAboveRequests": {
		`{wordpress:frontend: {resources: {cpuLimit: 500m}}, wordpress:database: {resources: {cpuLimit: 500m}}}`,
		`{wordpress:frontend: {resources: {cpuLimit: 499m}}, wordpress:database: {resources: {cpuLimit: 500m}}}`,
	},
	"requestFitsInMemory": {
		`wordpress:frontend: {requestMemory: 704Mi}`,
		`wordpress:frontend: {requestMemory: 705Mi}`,
	},
	"uploadFitsOnDisk": {
		`wordpress:frontend: {maxUploadSize: 192Mi, resources: {ephemeralStorage: 256Mi}}`,
		`wordpress:frontend: {maxUploadSize: 193Mi, resources: {ephemeralStorage: 256Mi}}`,
	},
	"uploadFitsOnVolume": {
		`{wordpress:frontend: {maxUploadSize: 100Mi}, wordpress:storage: {content: {size: 100Mi}}}`,
		`{wordpress:frontend: {maxUploadSize: 101Mi}, wordpress:storage: {content: {size: 100Mi}}}`,
	},
	"nodePortHasType": {
		`wordpress:frontend: {service: {type: NodePort, nodePort: 32767}}`,
		`wordpress:frontend: {service: {type: ClusterIP, nodePort: 32767}}`,
	},

	"oneSourceOfUsers": {
		`wordpress:podSecurity: {fromCluster: false, seLinuxLevel: s0, frontend: {userID: 1}, database: {fsGroup: 2147483647}}`,
		`wordpress:podSecurity: {fromCluster: true, seLinuxLevel: s0}`,
	},

	"cacheHasEdge": {
		`{wordpress:network: {enabled: false}, wordpress:cache: {enabled: true}}`,
		`{wordpress:network: {enabled: false}, wordpress:cache: {enabled: true}, wordpress:ingress: {kind: none}}`,
	},
	"keptWithinNonces": {
		`wordpress:cache: {ttlSeconds: 43199, staleSeconds: 1}`,
		`wordpress:cache: {ttlSeconds: 43199, staleSeconds: 2}`,
	},
	"cacheFitsOnDisk": {
		`wordpress:cache: {enabled: true, size: 64Mi, resources: {ephemeralStorage: 648Mi}}`,
		`wordpress:cache: {enabled: true, size: 64Mi, resources: {ephemeralStorage: 647Mi}}`,
	},
	"cacheFitsInMemory": {
		`wordpress:cache: {enabled: true, size: 1Gi, resources: {memory: 64Mi, ephemeralStorage: 8Gi}}`,
		`wordpress:cache: {enabled: true, size: 1025Mi, resources: {memory: 64Mi, ephemeralStorage: 8Gi}}`,
	},
	"cacheUsersAreUsed": {
		`{wordpress:cache: {enabled: true}, wordpress:podSecurity: {cache: {userID: 1}}}`,
		`{wordpress:cache: {enabled: false}, wordpress:podSecurity: {cache: {userID: 1}}}`,
	},

	"podsShareContent": {
		`{wordpress:autoscaling: {minReplicas: 1, maxReplicas: 1}, wordpress:frontend: {maxSurge: 0, maxUnavailable: 1}, wordpress:storage: {content: {accessMode: ReadWriteOnce}}}`,
		`{wordpress:autoscaling: {minReplicas: 1, maxReplicas: 2}, wordpress:frontend: {maxSurge: 0, maxUnavailable: 1}, wordpress:storage: {content: {accessMode: ReadWriteOnce}}}`,
	},
	"surgeCanMountContent": {
		`{wordpress:autoscaling: {minReplicas: 1, maxReplicas: 1}, wordpress:frontend: {maxSurge: 0%, maxUnavailable: 1}, wordpress:storage: {content: {accessMode: ReadWriteOnce}}}`,
		`{wordpress:autoscaling: {minReplicas: 1, maxReplicas: 1}, wordpress:frontend: {maxSurge: 1%, maxUnavailable: 1}, wordpress:storage: {content: {accessMode: ReadWriteOnce}}}`,
	},
	"cephFSHasClass": {
		`wordpress:storage: {cephfs: {create: true}, content: {storageClass: csi-cephfs}}`,
		`wordpress:storage: {cephfs: {create: true}}`,
	},
	"namespaceIsNotRooks": {
		`{wordpress:namespace: blog, wordpress:storage: {cephfs: {create: true, namespace: ceph}, content: {storageClass: csi-cephfs}}}`,
		`{wordpress:namespace: blog, wordpress:storage: {cephfs: {create: true, namespace: blog}, content: {storageClass: csi-cephfs}}}`,
	},

	"existingClaimsDiffer": {
		`wordpress:storage: {content: {existingClaim: data-1}, database: {existingClaim: data}}`,
		`wordpress:storage: {content: {existingClaim: data}, database: {existingClaim: data}}`,
	},
	"cephFSIsForOwnClaim": {
		`wordpress:storage: {cephfs: {create: false}, content: {existingClaim: files}}`,
		`wordpress:storage: {cephfs: {create: true}, content: {existingClaim: files}}`,
	},

	"connectionsSuffice": {
		`wordpress:database: {maxConnections: 45}`,
		`wordpress:database: {maxConnections: 44}`,
	},
	"connectionsFitInMemory": {
		`wordpress:database: {maxConnections: 1000, resources: {memory: 1390Mi}}`,
		`wordpress:database: {maxConnections: 1000, resources: {memory: 1389Mi}}`,
	},
	"databaseNameFitsInGrant": {
		`wordpress:database: {name: ` + strings.Repeat("a", 62) + `_}`,
		`wordpress:database: {name: ` + strings.Repeat("a", 63) + `_}`,
	},
	"externalDatabaseKeys": {
		`{wordpress:database: {mode: external, host: 192.0.2.7}, wordpress:databaseRootPassword: null}`,
		`{wordpress:database: {mode: external, host: 192.0.2.7}}`,
	},
	"externalDatabaseHost": {
		`{wordpress:database: {mode: external, host: 192.0.2.7}, wordpress:databaseRootPassword: null}`,
		`{wordpress:database: {mode: external}, wordpress:databaseRootPassword: null}`,
	},
	"authoritiesAreUsed": {
		`{wordpress:database: {mode: external, host: 192.0.2.1, tls: {mode: verified, caBundle: "` + escaped(aCertificate) + `"}}, wordpress:databaseRootPassword: null}`,
		`{wordpress:database: {mode: external, host: 192.0.2.1, tls: {mode: unverified, caBundle: "` + escaped(aCertificate) + `"}}, wordpress:databaseRootPassword: null}`,
	},
	"standaloneDatabaseKeys": {
		`{wordpress:database: {mode: external, host: 192.0.2.7, port: 65535}, wordpress:databaseRootPassword: null}`,
		`{wordpress:database: {mode: standalone, host: db, port: 65535}, wordpress:databaseRootPassword: null}`,
	},

	"oneCertificateSource": {
		`wordpress:ingress: {tls: {certResolver: a}}`,
		`wordpress:ingress: {tls: {certResolver: a, defaultCertificate: true}}`,
	},
	"traefikCertificateKeys": {
		`wordpress:ingress: {kind: traefik, tls: {defaultCertificate: true}}`,
		`wordpress:ingress: {kind: ingress, tls: {defaultCertificate: true}}`,
	},
	"publishedKeys": {
		`wordpress:ingress: {kind: none}`,
		`wordpress:ingress: {kind: none, className: traefik}`,
	},
	"annotationsOfIngress": {
		`wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, annotations: {a: b}}`,
		`wordpress:ingress: {kind: traefik, tls: {existingSecret: a}, annotations: {a: b}}`,
	},
	"oneIngressClass": {
		`wordpress:ingress: {kind: ingress, className: b, tls: {existingSecret: a}, annotations: {kubernetes.io/ingress.class: b}}`,
		`wordpress:ingress: {kind: ingress, className: b, tls: {existingSecret: a}, annotations: {kubernetes.io/ingress.class: c}}`,
	},
	"oneCertificateOwner": {
		`wordpress:ingress: {kind: ingress, tls: {clusterIssuer: a}, annotations: {kubernetes.io/tls-acme: "false"}}`,
		`wordpress:ingress: {kind: ingress, tls: {clusterIssuer: a}, annotations: {kubernetes.io/tls-acme: "true"}}`,
	},
	"redirectOfTraefik": {
		`wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, redirectToHTTPS: false}`,
		`wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, redirectToHTTPS: true}`,
	},
	"redirectHasCertificate": {
		`wordpress:ingress: {redirectToHTTPS: false}`,
		`wordpress:ingress: {redirectToHTTPS: true}`,
	},
	"domainsOfResolver": {
		`wordpress:ingress: {tls: {certResolver: a, domains: [www.example.com]}}`,
		`wordpress:ingress: {tls: {clusterIssuer: a, domains: [www.example.com]}}`,
	},
	"domainsCoverHost": {
		`wordpress:ingress: {tls: {certResolver: a, domains: [example.com, "*.example.com"]}}`,
		`wordpress:ingress: {tls: {certResolver: a, domains: [example.com, "*.www.example.com"]}}`,
	},

	"keysOfAClosedNetwork": {
		`wordpress:network: {enabled: false}`,
		`wordpress:network: {enabled: false, edge: {namespace: edge}}`,
	},
	"edgeIsKnown": {
		`{wordpress:ingress: {kind: none}, wordpress:network: {edge: {cidrs: [192.0.2.0/24]}}}`,
		`{wordpress:ingress: {kind: none}, wordpress:network: {edge: {}}}`,
	},
	"nodePortHasClients": {
		`{wordpress:frontend: {service: {type: NodePort}}, wordpress:network: {edge: {cidrs: [0.0.0.0/0]}}}`,
		`{wordpress:frontend: {service: {type: NodePort}}, wordpress:network: {edge: {namespace: edge}}}`,
	},
	"edgeLabelsHaveNamespace": {
		`wordpress:network: {edge: {namespace: edge, podLabels: {a: b}, cidrs: [192.0.2.0/24]}}`,
		`wordpress:network: {edge: {podLabels: {a: b}, cidrs: [192.0.2.0/24]}}`,
	},
	"databaseLabelsHaveNamespace": {
		`{wordpress:database: {mode: external, host: db}, wordpress:databaseRootPassword: null, wordpress:network: {database: {podLabels: {a: b}, namespace: db}}}`,
		`{wordpress:database: {mode: external, host: db}, wordpress:databaseRootPassword: null, wordpress:network: {database: {podLabels: {a: b}, cidrs: [192.0.2.0/24]}}}`,
	},
	"networkOfExternalDatabase": {
		`{wordpress:database: {mode: external, host: db}, wordpress:databaseRootPassword: null, wordpress:network: {database: {namespace: db}}}`,
		`{wordpress:database: {mode: standalone}, wordpress:network: {database: {namespace: db}}}`,
	},
	"externalDatabaseIsKnown": {
		`{wordpress:database: {mode: external, host: 192.0.2.7}, wordpress:databaseRootPassword: null, wordpress:network: {database: {}}}`,
		`{wordpress:database: {mode: external, host: 192.0.2.7.example.com}, wordpress:databaseRootPassword: null, wordpress:network: {database: {}}}`,
	},
	"proxyIsWhole": {
		`wordpress:network: {egress: [{cidr: 10.1.2.3/32, ports: [3128]}], proxy: {host: 10.1.2.3, port: 3128}}`,
		`wordpress:network: {egress: [{cidr: 10.1.2.3/32, ports: [3128]}], proxy: {host: 10.1.2.3}}`,
	},
	"proxyIsLetOut": {
		`wordpress:network: {egress: [{cidr: 10.1.2.2/31, ports: [3128]}], proxy: {host: 10.1.2.3, port: 3128}}`,
		`wordpress:network: {egress: [{cidr: 10.1.2.4/31, ports: [3128]}], proxy: {host: 10.1.2.3, port: 3128}}`,
	},
	"promiseOfHTTPS": {
		`{wordpress:site: {host: www.example.com, hstsSeconds: 1}}`,
		`{wordpress:site: {host: www.example.com, hstsSeconds: 1}, wordpress:ingress: {redirectToHTTPS: false}}`,
	},
	"tlsVersionOfTraefik": {
		`wordpress:ingress: {kind: traefik, tls: {existingSecret: a, minVersion: TLSv1.2}}`,
		`wordpress:ingress: {kind: ingress, tls: {existingSecret: a, minVersion: TLSv1.2}}`,
	},
	"tlsVersionHasCertificate": {
		`wordpress:ingress: {redirectToHTTPS: false, tls: {defaultCertificate: true, minVersion: TLSv1.3}}`,
		`wordpress:ingress: {redirectToHTTPS: false, tls: {defaultCertificate: false, minVersion: TLSv1.3}}`,
	},
	"clientAddressOfTraefik": {
		`wordpress:ingress: {kind: traefik, tls: {existingSecret: a}, clientAddress: connection}`,
		`wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, clientAddress: connection}`,
	},
	"proxiesForward": {
		`wordpress:ingress: {tls: {existingSecret: a}, clientAddress: forwarded, proxies: 1}`,
		`wordpress:ingress: {tls: {existingSecret: a}, clientAddress: connection, proxies: 1}`,
	},
	"loginLimitOfTraefik": {
		`wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, loginLimit: {enabled: false}}`,
		`wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, loginLimit: {enabled: true}}`,
	},
	"loginLimitIsOn": {
		`wordpress:ingress: {tls: {existingSecret: a}, clientAddress: connection, loginLimit: {burst: 1}}`,
		`wordpress:ingress: {tls: {existingSecret: a}, loginLimit: {enabled: false, burst: 1}}`,
	},
	"loginLimitSeesClients": {
		`wordpress:ingress: {tls: {existingSecret: a}, clientAddress: forwarded, loginLimit: {enabled: true}}`,
		`wordpress:ingress: {tls: {existingSecret: a}, clientAddress: hidden, loginLimit: {enabled: true}}`,
	},
	"loginLimitLeavesWorkers": {
		`{wordpress:frontend: {workers: 4}, wordpress:ingress: {tls: {existingSecret: a}, clientAddress: connection, loginLimit: {concurrent: 3}}}`,
		`{wordpress:frontend: {workers: 4}, wordpress:ingress: {tls: {existingSecret: a}, clientAddress: connection, loginLimit: {concurrent: 4}}}`,
	},

	"databasePasswords": {
		`wordpress:databasePassword: {secure: 8-chars.}`,
		`wordpress:databasePassword: {secure: 7-chars}`,
	},
	"passwordsSurviveSetup": {
		`{wordpress:databasePassword: {secure: 'a"#$%&()*+,-./:;<=>?@'}, wordpress:databaseRootPassword: {secure: 'a!$%&()*+,-./:;<=>?@'}}`,
		`{wordpress:databasePassword: {secure: 'a"#$%&()*+,-./:;<=>?@'}, wordpress:databaseRootPassword: {secure: 'a#$%&()*+,-./:;<=>?@'}}`,
	},
	"authSecrets": {
		`wordpress:authSecret: {secure: ` + strings.Repeat("k", 32) + `}`,
		`wordpress:authSecret: {secure: ` + strings.Repeat("k", 31) + `}`,
	},
	"secretsChangeInPlace": {
		`{kubernetes:enableSecretMutable: true, kubernetes:context: another}`,
		`kubernetes:enableSecretMutable: "True"`,
	},
	"administrators": {
		`{wordpress:site: {host: a.example.com, admin: {user: a, email: a@b.c}}, wordpress:adminPassword: {secure: 12-letters..}}`,
		`{wordpress:site: {host: a.example.com, admin: {user: a, email: a@b.c}}, wordpress:adminPassword: {secure: 11-letters.}}`,
	},
}

var productionEdges = map[string]edge{
	"pinnedBinlogImage": {
		ofBackup(`binlog: {enabled: true, image: "registry.example.com/mysql-binlog:9.7.4"}`),
		ofBackup(`binlog: {enabled: true, image: "registry.example.com/mysql-binlog:9.7"}`),
	},
	"publicHost": {
		`{wordpress:site: {host: localhost.example.com}}`,
		`{wordpress:site: {host: example.com.localhost}}`,
	},
	"pinnedFrontendImage": {
		`wordpress:frontend: {image: "registry.example.com:5000/wordpress:7.1.4-corp3"}`,
		`wordpress:frontend: {image: "registry.example.com:5000/wordpress:7.1-corp3"}`,
	},
	"pinnedDatabaseImage": {
		`wordpress:database: {image: "mysql:latest@sha256:` + strings.Repeat("0", 64) + `"}`,
		`wordpress:database: {image: "mysql:9"}`,
	},
	"pinnedCacheImage": {
		`wordpress:cache: {enabled: true, image: "nginx:1.31.3-alpine"}`,
		`wordpress:cache: {enabled: true, image: "nginx:stable"}`,
	},
	"severalCaches": {
		`wordpress:cache: {enabled: true, replicas: 2}`,
		`wordpress:cache: {enabled: true, replicas: 1}`,
	},
	"noNodePort": {
		`wordpress:frontend: {service: {type: ClusterIP}}`,
		`wordpress:frontend: {service: {type: NodePort}}`,
	},
	"protectedStorage": {
		`wordpress:storage: {content: {storageClass: nfs}, protect: true}`,
		`wordpress:storage: {content: {storageClass: nfs}, protect: false}`,
	},
	"severalReplicas": {
		`wordpress:autoscaling: {minReplicas: 2}`,
		`wordpress:autoscaling: {minReplicas: 1}`,
	},
	"encryptedSite": {
		`wordpress:ingress: {kind: none, loginLimit: {enabled: false}}`,
		`wordpress:ingress: {kind: ingress}`,
	},
	"backupIsDecided": {`wordpress:backup: {enabled: false}`, `wordpress:backup: null`},
	"backupIsEncrypted": {
		wholeBackup,
		`{wordpress:backup: {enabled: true, repository: "s3:http://s3.example.com/bucket/site", ` + aDestination + `}, ` + backupKeys + `}`,
	},
	"pinnedBackupImages": {
		wholeBackup,
		`{wordpress:backup: {enabled: true, image: restic/restic, ` + aRepository + `, ` + aDestination + `}, ` + backupKeys + `}`,
	},
	"drainOutlastsTheEdge": {
		`wordpress:frontend: {drainSeconds: 5}`,
		`wordpress:frontend: {drainSeconds: 4}`,
	},
	"databaseStopsCleanly": {
		`wordpress:database: {terminationGracePeriodSeconds: 30}`,
		`wordpress:database: {terminationGracePeriodSeconds: 29}`,
	},
	"loginsAreLimited": {
		`wordpress:ingress: {kind: ingress, tls: {existingSecret: a}, loginLimit: {enabled: false}}`,
		`wordpress:ingress: {kind: ingress, tls: {existingSecret: a}}`,
	},
	"databaseIsEncrypted": {
		`{wordpress:database: {mode: external, host: 192.0.2.1, tls: {mode: unverified}}, wordpress:databaseRootPassword: null}`,
		`{wordpress:database: {mode: external, host: 192.0.2.1, tls: {mode: disabled}}, wordpress:databaseRootPassword: null}`,
	},
	"databaseHasMemory": {
		`wordpress:database: {resources: {memory: 1Gi}}`,
		`wordpress:database: {resources: {memory: 1023Mi}}`,
	},
	"closedNetwork": {
		`wordpress:network: {enabled: true}`,
		`wordpress:network: {enabled: false}`,
	},
	"edgeIsNotEverybody": {
		`wordpress:network: {edge: {cidrs: [10.0.0.0/9, 172.16.0.0/13, 192.168.0.0/17, "fd00::/9"], namespace: edge}}`,
		`wordpress:network: {edge: {cidrs: [172.16.0.0/12]}}`,
	},
	"waysOutAvoidTheCluster": {
		`wordpress:network: {edge: {namespace: edge}, egress: [{cidr: 10.0.0.0/8, ports: [443, 6444]}, {cidr: 0.0.0.0/0, ports: [6443]}]}`,
		`wordpress:network: {edge: {namespace: edge}, egress: [{cidr: 10.0.0.0/8, ports: [443, 10250]}]}`,
	},
	"contentHasClass": {
		`wordpress:storage: {content: {storageClass: nfs, size: 20Gi}}`,
		`wordpress:storage: {content: {size: 20Gi}}`,
	},
	"dnsIsNotEverybody": {
		`wordpress:network: {dns: {cidrs: [10.0.0.0/8, "fc00::/7", "2001:db8::/32", "64:ff9b::a00:0/104"]}}`,
		`wordpress:network: {dns: {cidrs: ["64:ff9b::/103"]}}`,
	},
	"usersAreNoNodes": {
		`wordpress:podSecurity: {frontend: {userID: 10001, fsGroup: 1}}`,
		`wordpress:podSecurity: {frontend: {userID: 10000}}`,
	},
	"clientAddressIsStated": {
		`wordpress:ingress: {tls: {existingSecret: a}, loginLimit: {enabled: false}}`,
		`wordpress:ingress: {tls: {existingSecret: a}}`,
	},
}

func TestRulesTurnAtTheirEdges(t *testing.T) {
	for _, r := range allRules() {
		t.Run(nameOf(r), func(t *testing.T) {
			base := minimal
			e, found := edges[nameOf(r)]
			if !found {
				base = production
				e, found = productionEdges[nameOf(r)]
			}
			if !found {
				t.Fatal("no edge is known")
			}
			if problems := problemsOf(t, base, e.accepted); problems != nil {
				t.Errorf("%s is refused:\n%s", e.accepted, strings.Join(problems, "\n"))
			}
			if names := broken(t, base, e.refused); !slices.Contains(names, nameOf(r)) {
				t.Errorf("%s breaks the rules %q, not this one", e.refused, names)
			}
		})
	}
}

// What production refuses, development accepts: a rule of production must not bind every stack.
func TestDevelopmentIsFreeOfProductionsRules(t *testing.T) {
	for name, e := range productionEdges {
		if names := broken(t, minimal, e.refused); slices.Contains(names, name) {
			t.Errorf("development breaks the rule %s of production", name)
		}
	}
}
