package config

// wishes say, by what other charts, images and tutorials call a key, in lower case, where the wish is met here, or that it is not.
var wishes = wishesOf(map[string][]string{
	"a site has one name: site.host":                                     {"hosts", "hostname", "domain", "url"},
	"multisite is not supported: a stack is one site":                    {"multisite", "network_sites", "subdomains"},
	"see frontend.replicas, or autoscaling":                              {"replicacount"},
	"see autoscaling":                                                    {"hpa", "horizontalpodautoscaler"},
	"see frontend.disruptionBudget":                                      {"pdb", "poddisruptionbudget"},
	"see frontend.livenessProbe; the other probes are fixed":             {"readinessprobe", "startupprobe"},
	"see storage.content and storage.database":                           {"persistence", "volume", "volumes", "pvc", "persistentvolumeclaim"},
	"see storage.content.storageClass and storage.database.storageClass": {"storageclassname"},
	"see databasePassword and databaseRootPassword, each by: pulumi config set --secret": {
		"password", "rootpassword", "mysqlpassword", "mysqlrootpassword", "dbpassword",
	},
	"requests and limits are alike, see resources.cpu and resources.memory": {"limits", "requests"},
	"see frontend.requestMemory for a request, and frontend.resources.memory for a pod": {
		"memorylimit", "memory_limit", "phpmemorylimit",
	},
	"see frontend.maxUploadSize":     {"uploadmaxfilesize", "upload_max_filesize", "postmaxsize", "post_max_size", "proxybodysize"},
	"see frontend.maxRequestSeconds": {"maxexecutiontime", "max_execution_time", "timeout"},
	"see frontend.requestMemory, frontend.maxUploadSize and frontend.maxRequestSeconds; PHP's other settings come with an image of your own": {
		"php", "phpini", "phpconfig", "phpsettings",
	},
	"other constants come with an image of your own, which sets WORDPRESS_CONFIG_EXTRA": {
		"env", "extraenv", "extraenvvars", "environment", "configextra", "wordpressextraconfigcontent", "wpconfig",
	},
	"pods take no parts of others, such as sidecars": {
		"sidecars", "extracontainers", "initcontainers", "extrainitcontainers", "extravolumes", "extravolumemounts",
	},
	"the load balancer is the ingress controller's, see ingress.kind": {"loadbalancer", "loadbalancerip", "externalips"},
	"see ingress.className": {"ingressclass", "ingressclassname"},
	"see ingress.tls.clusterIssuer, or ingress.tls.certResolver for Traefik's own":    {"certmanager", "letsencrypt", "acme"},
	"set ingress.kind to none, and lead a route of your own to the Service wordpress": {"gateway", "httproute", "virtualservice"},
	"see network": {"networkpolicy", "networkpolicies"},
	"a plugin sends mail, let out by network.egress":              {"smtp", "mail", "email"},
	"the version is the tag of frontend.image and database.image": {"version", "imagetag", "tag"},
	"see imagePullPolicy, which is for all images":                {"pullpolicy"},
	"see imagePullSecrets, which are for all images":              {"pullsecrets"},
	"see database": {"mysql", "mariadb"},
	"see site for the site, and frontend for its pods": {"wordpress"},
})

// wishesOf turns the lists round.
func wishesOf(names map[string][]string) map[string]string {
	found := map[string]string{}
	for answer, calls := range names {
		for _, name := range calls {
			found[name] = answer
		}
	}
	return found
}
