package config

// The network policies.
var networkProblems = []problemCase{
	{"an ingress controller somewhere", `{wordpress:ingress: {kind: ingress, tls: {existingSecret: a}}, wordpress:network: null}`, []string{
		`network.edge: Required value: where requests come from: set namespace to the ingress controller's, or cidrs to the load balancer's networks`,
	}},
	{"a load balancer somewhere", `{wordpress:ingress: {kind: none}, wordpress:network: {edge: {podLabels: {app: edge}}}}`, []string{
		`network.edge: Required value: where requests come from: set namespace to the ingress controller's, or cidrs to the load balancer's networks`,
		`network.edge.podLabels: Forbidden: goes with namespace only: remove it, or set the namespace of these pods`,
	}},
	{"a node port for pods", `{wordpress:frontend: {service: {type: NodePort}}, wordpress:ingress: {kind: none}, wordpress:network: {edge: {}}}`, []string{
		`network.edge.cidrs: Required value: where requests to the node port come from: the clients' and the nodes' networks, or 0.0.0.0/0 for anywhere`,
	}},
	{"labels beside networks", `wordpress:network: {edge: {cidrs: [192.0.2.0/24], podLabels: {app: edge}}}`, []string{
		`network.edge.podLabels: Forbidden: goes with namespace only: remove it, or set the namespace of these pods`,
	}},
	{"a database behind a name", `{wordpress:database: {mode: external, host: db.example.com}, wordpress:databaseRootPassword: null}`, []string{
		`network.database: Required value: where the database is: set cidrs to its networks, or namespace where it runs in this cluster`,
	}},
	{"a database's labels beside networks", `
wordpress:database: {mode: external, host: db.example.com}
wordpress:databaseRootPassword: null
wordpress:network: {database: {cidrs: [192.0.2.0/24], podLabels: {app: db}}}`, []string{
		`network.database.podLabels: Forbidden: goes with namespace only: remove it, or set the namespace of these pods`,
	}},
	{"a way to somebody else's database", `wordpress:network: {database: {namespace: db}}`, []string{
		`network.database: Forbidden: goes with database.mode external only: remove it, or set the mode`,
	}},
	{"an open network with ways", `wordpress:network: {enabled: false, dns: {port: 5353}, egress: []}`, []string{
		`network.dns: Forbidden: not used with network.enabled false: remove it, or set enabled`,
		`network.egress: Forbidden: not used with network.enabled false: remove it, or set enabled`,
	}},
	{"an open network in production", `{wordpress:profile: production, wordpress:network: {enabled: false}}`, []string{
		`network.enabled: Invalid value: false: must be true in production: every pod of the cluster could reach the database`,
	}},
	{"names and labels that are none", `
wordpress:database: {mode: external, host: db.example.com}
wordpress:databaseRootPassword: null
wordpress:network:
  edge: {namespace: Traefik, podLabels: {"a b": c, app: "no spaces"}}
  dns: {namespace: kube.system, podLabels: {a/b/c: d}, cachePodLabels: {app: cache-}, port: 0}
  database: {namespace: my_db, podLabels: {app: -db}}`, []string{
		`network.database.namespace: Invalid value: "my_db": must be a namespace's name: at most 63 lower case letters, digits and -`,
		`network.database.podLabels[app]: Invalid value: "-db": must be a label's value: at most 63 letters, digits, -, _ and ., with a letter or digit at either end`,
		`network.dns.cachePodLabels[app]: Invalid value: "cache-": must be a label's value: at most 63 letters, digits, -, _ and ., with a letter or digit at either end`,
		`network.dns.namespace: Invalid value: "kube.system": must be a namespace's name: at most 63 lower case letters, digits and -`,
		`network.dns.podLabels: Invalid value: "a/b/c": must be a label's name such as app.kubernetes.io/name`,
		`network.dns.port: Invalid value: 0: must be from 1 to 65535`,
		`network.edge.namespace: Invalid value: "Traefik": must be a namespace's name: at most 63 lower case letters, digits and -`,
		`network.edge.podLabels: Invalid value: "a b": must be a label's name such as app.kubernetes.io/name`,
		`network.edge.podLabels[app]: Invalid value: "no spaces": must be a label's value: at most 63 letters, digits, -, _ and ., with a letter or digit at either end`,
	}},
	{"networks that are none", `
wordpress:network:
  edge: {namespace: edge, cidrs: [10.0.0.1, edge.example.com, "", 10.0.0.0/33]}
  dns: {cidrs: [169.254.20.10/16, "::ffff:10.0.0.0/104", "fe80::1%eth0/64"]}`, []string{
		`network.dns.cidrs[0]: Invalid value: "169.254.20.10/16": must have no bits behind its prefix: 169.254.0.0/16 for the network, 169.254.20.10/32 for the address`,
		`network.dns.cidrs[1]: Invalid value: "::ffff:10.0.0.0/104": must be a network such as 203.0.113.0/24, with /32 for a single IPv4 address`,
		`network.dns.cidrs[2]: Invalid value: "fe80::1%eth0/64": must be a network such as 203.0.113.0/24, with /32 for a single IPv4 address`,
		`network.edge.cidrs[0]: Invalid value: "10.0.0.1": must be a network such as 203.0.113.0/24, with /32 for a single IPv4 address`,
		`network.edge.cidrs[1]: Invalid value: "edge.example.com": must be a network such as 203.0.113.0/24, with /32 for a single IPv4 address`,
		`network.edge.cidrs[2]: Invalid value: "": must be a network such as 203.0.113.0/24, with /32 for a single IPv4 address`,
		`network.edge.cidrs[3]: Invalid value: "10.0.0.0/33": must be a network such as 203.0.113.0/24, with /32 for a single IPv4 address`,
	}},
	{"an edge that is everybody", `{wordpress:profile: production, wordpress:namespace: shop, wordpress:network: {edge: {namespace: shop, cidrs: [0.0.0.0/0, 10.1.0.0/16]}}}`, []string{
		`network.edge.cidrs[0]: Invalid value: "0.0.0.0/0": must be the networks of the ingress controller or its nodes in production: this is much of the internet`,
		`network.edge.namespace: Invalid value: "shop": must be the ingress controller's namespace in production, and not the site's own`,
	}},
	{"DNS servers that are half of the internet each", `{wordpress:profile: production, wordpress:network: {dns: {cidrs: [0.0.0.0/1, 128.0.0.0/1, 10.96.0.10/32, "2a00::/7", "f800::/5"]}}}`, []string{
		`network.dns.cidrs[0]: Invalid value: "0.0.0.0/1": must be the addresses of the DNS servers in production: this is much of the internet`,
		`network.dns.cidrs[1]: Invalid value: "128.0.0.0/1": must be the addresses of the DNS servers in production: this is much of the internet`,
		`network.dns.cidrs[3]: Invalid value: "2a00::/7": must be the addresses of the DNS servers in production: this is much of the internet`,
		`network.dns.cidrs[4]: Invalid value: "f800::/5": must be the addresses of the DNS servers in production: this is much of the internet`,
	}},
	{"a database among metadata services", `
wordpress:database: {mode: external, host: 169.254.169.254, port: 80}
wordpress:databaseRootPassword: null
wordpress:network: {database: {cidrs: [168.63.129.16/32, "fd00:ec2::254/128", 100.100.100.200/32, 192.0.2.0/24]}}`, []string{
		`database.host: Invalid value: "169.254.169.254": must not be link-local, loopback or a metadata service: credentials of the cloud's machines are there`,
		`network.database.cidrs[0]: Invalid value: "168.63.129.16/32": must not be link-local, loopback or a metadata service: credentials of the cloud's machines are there`,
		`network.database.cidrs[1]: Invalid value: "fd00:ec2::254/128": must not be link-local, loopback or a metadata service: credentials of the cloud's machines are there`,
		`network.database.cidrs[2]: Invalid value: "100.100.100.200/32": must not be link-local, loopback or a metadata service: credentials of the cloud's machines are there`,
	}},
	{"a port of pods that is none", `{wordpress:database: {mode: external, host: db}, wordpress:databaseRootPassword: null, wordpress:network: {database: {namespace: db, port: 65536}}}`, []string{
		`network.database.port: Invalid value: 65536: must be from 1 to 65535`,
	}},
	{"port 0 of pods", `{wordpress:database: {mode: external, host: db}, wordpress:databaseRootPassword: null, wordpress:network: {database: {namespace: db, port: 0}}}`, []string{
		`network.database.port: Invalid value: 0: must be from 1 to 65535`,
	}},
	{"networks given twice", `
wordpress:database: {mode: external, host: db.example.com}
wordpress:databaseRootPassword: null
wordpress:network: {database: {cidrs: [192.0.2.0/24, 192.0.2.0/24, "2001:db8::1/32"]}}`, []string{
		`network.database.cidrs[1]: Duplicate value: "192.0.2.0/24"`,
		`network.database.cidrs[2]: Invalid value: "2001:db8::1/32": must have no bits behind its prefix: 2001:db8::/32 for the network, 2001:db8::1/128 for the address`,
	}},
	{"ways out that lead nowhere", `
wordpress:network:
  egress:
  - {ports: [443]}
  - {cidr: 203.0.113.0/24}
  - {cidr: smtp.example.com, ports: [587, 0, 65536, 587]}
  - {cidr: 203.0.113.25, ports: []}`, []string{
		`network.egress[0].cidr: Required value: the network that may be reached, such as 203.0.113.25/32, or namespace for pods of the cluster`,
		`network.egress[1].ports: Required value: the TCP ports that are reached there, such as [587]`,
		`network.egress[2].cidr: Invalid value: "smtp.example.com": must be a network such as 203.0.113.0/24, with /32 for a single IPv4 address`,
		`network.egress[2].ports[1]: Invalid value: 0: must be from 1 to 65535`,
		`network.egress[2].ports[2]: Invalid value: 65536: must be from 1 to 65535`,
		`network.egress[2].ports[3]: Duplicate value: 587`,
		`network.egress[3].cidr: Invalid value: "203.0.113.25": must be a network such as 203.0.113.0/24, with /32 for a single IPv4 address`,
		`network.egress[3].ports: Required value: the TCP ports that are reached there, such as [587]`,
	}},
	{"ways to the node itself", `wordpress:network: {egress: [{cidr: 169.254.169.254/32, ports: [80]}, {cidr: "fe80::/10", ports: [80]}, {cidr: 127.0.0.0/8, ports: [80]}]}`, []string{
		`network.egress[0].cidr: Invalid value: "169.254.169.254/32": must not be link-local, loopback or a metadata service: credentials of the cloud's machines are there`,
		`network.egress[1].cidr: Invalid value: "fe80::/10": must not be link-local, loopback or a metadata service: credentials of the cloud's machines are there`,
		`network.egress[2].cidr: Invalid value: "127.0.0.0/8": must not be link-local, loopback or a metadata service: credentials of the cloud's machines are there`,
	}},
	{"ways out in the wrong form", `wordpress:network: {egress: [{cidr: 203.0.113.0/24, port: 443}, 203.0.113.0/24, {cidr: 203.0.113.0/24, ports: ["443"]}]}`, []string{
		`network.egress[0].port: Forbidden: unknown key, did you mean "ports"?`,
		`network.egress[0].ports: Required value: the TCP ports that are reached there, such as [587]`,
		`network.egress[1]: Invalid value: "203.0.113.0/24": must be an object with the keys cidr, namespace, podLabels, ports`,
		`network.egress[2].ports: Invalid value: ["443"]: must be a list of whole numbers`,
	}},
	{"ways out to pods that cannot be", `
wordpress:network:
  egress:
  - {namespace: Redis, ports: [6379]}
  - {namespace: redis, podLabels: {"-": x}}
  - {cidr: 203.0.113.0/24, podLabels: {app: redis}, ports: [6379]}`, []string{
		`network.egress[0].namespace: Invalid value: "Redis": must be a namespace's name: at most 63 lower case letters, digits and -`,
		`network.egress[1].podLabels: Invalid value: "-": must be a label's name such as app.kubernetes.io/name`,
		`network.egress[1].ports: Required value: the TCP ports that are reached there, such as [587]`,
		`network.egress[2].podLabels: Forbidden: goes with namespace only: remove it, or set the namespace of these pods`,
	}},
	{"a proxy that cannot be", `
wordpress:network:
  egress: [{cidr: 10.1.2.0/24, ports: [3128]}]
  proxy: {host: "http://proxy", port: 0, bypass: [ok.example.com, "*", "a b", "*.example.com"]}`, []string{
		`network.proxy.bypass[1]: Invalid value: "*": must be a DNS name such as search.example.com, or *.example.com for all below it`,
		`network.proxy.bypass[2]: Invalid value: "a b": must be a DNS name such as search.example.com, or *.example.com for all below it`,
		`network.proxy.host: Invalid value: "http://proxy": must be a DNS name or an IPv4 address, without port: lower case letters, digits, - and .`,
		`network.proxy.port: Invalid value: 0: must be from 1 to 65535`,
	}},
	{"a proxy without a host", `wordpress:network: {proxy: {port: 3128, bypass: [a.example.com]}}`, []string{
		`network.proxy.bypass: Forbidden: goes with host only: remove it, or set the proxy's host`,
		`network.proxy.port: Forbidden: goes with host only: remove it, or set the proxy's host`,
	}},
	{"a proxy without a port", `wordpress:network: {proxy: {host: proxy.example.com}}`, []string{
		`network.proxy.port: Required value: the port that the proxy listens on, such as 3128`,
	}},
	{"a proxy that is not let out", `wordpress:network: {egress: [{cidr: 10.1.2.0/24, ports: [3128]}, {cidr: 10.1.3.7/32, ports: [8080]}], proxy: {host: 10.1.3.7, port: 3128}}`, []string{
		`network.egress: Required value: the way to network.proxy: add its network, or the namespace of its pods, with port 3128`,
	}},
	{"ways out that are no list", `wordpress:network: {enabled: "yes", edge: {namespace: edge, cidrs: 10.0.0.0/8}, egress: {cidr: 203.0.113.0/24, ports: [443]}}`, []string{
		`network.edge.cidrs: Invalid value: "10.0.0.0/8": must be a list of texts`,
		`network.egress: Invalid value: {"cidr":"203.0.113.0/24","ports":[443]}: must be a list of objects with the keys cidr, namespace, podLabels, ports`,
		`network.enabled: Invalid value: "yes": must be true or false, without quotes`,
	}},
}
