package config

import (
	"fmt"
	"maps"
	"net/mail"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validate looks at each value by itself; the rules between values are in rules.go.
func (s *Stack) validate() field.ErrorList {
	return slices.Concat(
		validateProfile(s.Profile),
		validateNamespace(s.Namespace),
		checkOneOf(at("imagePullPolicy"), s.ImagePullPolicy, PullAlways, PullIfNotPresent),
		checkRegistry(at("imageRegistry"), s.ImageRegistry),
		checkSecretNames(at("imagePullSecrets"), s.ImagePullSecrets),
		validateSite(&s.Site),
		validateFrontend(&s.Frontend),
		validateCache(&s.Cache),
		validateDatabase(&s.Database),
		validateStorage(&s.Storage),
		validateBackup(&s.Backup),
		validateAutoscaling(&s.Autoscaling, &s.Frontend.Resources),
		validateIngress(&s.Ingress),
		validateNetwork(&s.Network),
		validatePodSecurity(&s.PodSecurity),
	)
}

func validateProfile(profile Profile) field.ErrorList {
	if profile == "" {
		return field.ErrorList{field.Required(at("profile"), "production, or development for a stack that may lose its data")}
	}
	return checkOneOf(at("profile"), profile, Production, Development)
}

// validateNamespace also refuses the namespaces of the cluster itself and of what many clusters run: a site there would close them with
// its policies, and whoever gives the site up deletes them with it. The prefix kube- alone says nothing: people use it for their own.
func validateNamespace(namespace string) field.ErrorList {
	if isComponents(namespace) {
		return field.ErrorList{field.Invalid(at("namespace"), namespace,
			"must not be a namespace of the cluster or of a well-known component: choose one for the site alone")}
	}
	return checkNamespace(at("namespace"), namespace)
}

func validateSite(s *Site) field.ErrorList {
	return slices.Concat(
		checkHost(at("site.host"), s.Host),
		checkRange(at("site.hstsSeconds"), s.HSTSSeconds, 0, MaxHSTSSeconds, "seconds"),
		validateBrowserFeatures(s.BrowserFeatures),
		validateTitle(s.Title),
		validateSiteUser(s.Admin.User),
		validateSiteEmail(s.Admin.Email),
		checkOptionalDNSName(at("site.admin.existingSecret"), s.Admin.ExistingSecret, "a Secret's name"),
		checkRange(at("site.cron.everyMinutes"), s.Cron.EveryMinutes, 1, MaxCronMinutes, "minutes"),
	)
}

// validateTitle passes one that is not given.
func validateTitle(title string) field.ErrorList {
	isPlain := utf8.ValidString(title) && strings.IndexFunc(title, unicode.IsControl) < 0
	if isPlain && utf8.RuneCountInString(title) <= MaxTitleLength && strings.TrimSpace(title) == title {
		return nil
	}
	return field.ErrorList{field.Invalid(at("site.title"), title, fmt.Sprintf(
		"must be one line of at most %d characters, without white space at either end", MaxTitleLength))}
}

// validateSiteUser passes a name that is not given. It accepts what WordPress would not change.
func validateSiteUser(name string) field.ErrorList {
	isForeign := func(r rune) bool {
		return r != ' ' && r != '_' && r != '.' && r != '-' && r != '@' &&
			(r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}
	isClean := strings.IndexFunc(name, isForeign) < 0 && strings.Join(strings.Fields(name), " ") == name
	if isClean && len(name) <= maxSiteUser {
		return nil
	}
	return field.ErrorList{field.Invalid(at("site.admin.user"), name, fmt.Sprintf(
		"must be 1 to %d characters of A-Z, a-z, 0-9, space, _, ., - and @, without a space at either end or two in a row", maxSiteUser))}
}

// validateSiteEmail passes an address that is not given. WordPress wants a name with a dot behind the @.
func validateSiteEmail(email string) field.ErrorList {
	if email == "" {
		return nil
	}
	address, err := mail.ParseAddress(email)
	_, host, _ := strings.Cut(email, "@")
	if err == nil && address.Address == email && address.Name == "" && !strings.Contains(email, `"`) &&
		isHostName(strings.ToLower(host)) && strings.Contains(host, ".") && len(email) <= maxSiteEmail {
		return nil
	}
	return field.ErrorList{field.Invalid(at("site.admin.email"), email, fmt.Sprintf(
		"must be a mail address such as admin@example.com, of at most %d characters", maxSiteEmail))}
}

func validateBrowserFeatures(features []string) field.ErrorList {
	var problems field.ErrorList
	for i, feature := range features {
		path := at("site.browserFeatures").Index(i)
		problems = append(problems, checkOneOf(path, feature, "camera", "geolocation", "microphone")...)
		if slices.Contains(features[:i], feature) {
			problems = append(problems, field.Duplicate(path, feature))
		}
	}
	return problems
}

func validateFrontend(f *Frontend) field.ErrorList {
	return slices.Concat(
		checkFrontendImage(at("frontend.image"), f.Image),
		checkOptionalRange(at("frontend.replicas"), f.Replicas, 1, MaxReplicas, "pods"),
		validateResources(at("frontend.resources"), f.Resources, MinFrontendMemory),
		checkOptionalRange(at("frontend.workers"), f.Workers, MinWorkers, MaxWorkers, "workers"),
		checkOptionalSize(at("frontend.requestMemory"), f.RequestMemory, MinRequestMemory, MaxRequestMemory),
		checkOptionalSize(at("frontend.pictureMemory"), f.PictureMemory, MinPictureMemory, MaxPictureMemory),
		checkAtLeast(at("frontend.maxUploadSize"), f.MaxUploadSize, MinUploadSize),
		checkAtMost(at("frontend.maxUploadSize"), f.MaxUploadSize, MaxUploadSize),
		checkOneOf(at("frontend.spread"), f.Spread, SpreadPreferred, SpreadRequired),
		checkRange(at("frontend.nodes"), f.Nodes, 0, 5*MaxReplicas, "nodes"),
		validateUpdates(f),
		validateTimes(f),
		validateServiceType(f.Service.Type),
		validateNodePort(f.Service.NodePort),
		validateServiceAnnotations(f.Service.Annotations),
		checkOptionalDNSName(at("frontend.existingSecret"), f.ExistingSecret, "a Secret's name"),
	)
}

func validateResources(path *field.Path, r Resources, minMemory string) field.ErrorList {
	var limit field.ErrorList
	if r.CPULimit != nil {
		limit = checkCPU(path.Child("cpuLimit"), *r.CPULimit)
	}
	return slices.Concat(
		checkCPU(path.Child("cpu"), r.CPU),
		limit,
		checkAtLeast(path.Child("memory"), r.Memory, minMemory),
		checkAtLeast(path.Child("ephemeralStorage"), r.EphemeralStorage, MinEphemeralStorage),
	)
}

func validateUpdates(f *Frontend) field.ErrorList {
	return slices.Concat(
		checkCountOrPercent(at("frontend.maxSurge"), f.MaxSurge),
		checkCountOrPercent(at("frontend.maxUnavailable"), f.MaxUnavailable),
		checkCountOrPercent(at("frontend.disruptionBudget.maxUnavailable"), f.DisruptionBudget.MaxUnavailable),
	)
}

func validateTimes(f *Frontend) field.ErrorList {
	return slices.Concat(
		checkRange(at("frontend.maxRequestSeconds"), f.MaxRequestSeconds, 1, maxSeconds, "seconds"),
		checkRange(at("frontend.drainSeconds"), f.DrainSeconds, 1, maxSeconds, "seconds"),
		checkRange(at("frontend.terminationGracePeriodSeconds"),
			f.TerminationGracePeriodSeconds, 1, maxGracePeriodSeconds, "seconds"),
	)
}

// validateServiceType tells whoever comes from the tutorials and charts that have a load balancer for each site where it is here.
func validateServiceType(kind ServiceType) field.ErrorList {
	path := at("frontend.service.type")
	if kind == "LoadBalancer" {
		return field.ErrorList{field.Invalid(path, kind, "must be ClusterIP, or NodePort in development: the load balancer is the ingress "+
			"controller's, which serves every site of the cluster; ingress.kind says which one, or none for a Service of your own")}
	}
	return checkOneOf(path, kind, ClusterIP, NodePort)
}

// validateNodePort passes 0, with which the cluster chooses.
func validateNodePort(port int) field.ErrorList {
	if port == 0 {
		return nil
	}
	return checkRange(at("frontend.service.nodePort"), port, minNodePort, maxNodePort, "")
}

func validateCache(c *Cache) field.ErrorList {
	return slices.Concat(
		checkRange(at("cache.replicas"), c.Replicas, 1, MaxCacheReplicas, "pods"),
		validateResources(at("cache.resources"), c.Resources, MinCacheMemory),
		checkCacheImage(at("cache.image"), c.Image),
		checkRange(at("cache.ttlSeconds"), c.TTLSeconds, 1, MaxNonceSeconds, "seconds"),
		checkRange(at("cache.staleSeconds"), c.StaleSeconds, 1, MaxNonceSeconds, "seconds"),
		checkAtLeast(at("cache.size"), c.Size, MinCacheSize),
		checkAtMost(at("cache.size"), c.Size, MaxCacheSize),
	)
}

func validateDatabase(d *Database) field.ErrorList {
	return slices.Concat(
		checkOneOf(at("database.mode"), d.Mode, Standalone, External),
		checkDatabaseImage(at("database.image"), d.Image),
		validateDatabaseName(d),
		validateDatabaseUser(d),
		validateTablePrefix(d.TablePrefix),
		validateResources(at("database.resources"), d.Resources, MinDatabaseMemory),
		checkOptionalRange(at("database.maxConnections"), d.MaxConnections, 1, MaxConnections, "connections"),
		checkRange(at("database.terminationGracePeriodSeconds"), d.TerminationGracePeriodSeconds, 1, maxSeconds, "seconds"),
		checkServerHost(at("database.host"), d.Host),
		checkRange(at("database.port"), d.Port, 1, maxPort, ""),
		checkOneOf(at("database.tls.mode"), d.TLS.Mode, DatabaseTLSVerified, DatabaseTLSUnverified, DatabaseTLSDisabled),
		checkCABundle(at("database.tls.caBundle"), d.TLS.CABundle, maxCABundle),
		checkOptionalDNSName(at("database.existingSecret"), d.ExistingSecret, "a Secret's name"),
	)
}

func validateDatabaseName(d *Database) field.ErrorList {
	if slices.Contains([]string{"mysql", "sys", "information_schema", "performance_schema"}, strings.ToLower(d.Name)) {
		return field.ErrorList{field.Invalid(at("database.name"), d.Name, "must not be one of MySQL's own databases")}
	}
	return checkNameInMySQL(at("database.name"), d.Mode, d.Name, maxDatabaseName)
}

// validateDatabaseUser keeps the site off root, whom MySQL denies nothing.
func validateDatabaseUser(d *Database) field.ErrorList {
	if strings.EqualFold(d.User, "root") {
		return field.ErrorList{field.Invalid(at("database.user"), d.User, "must not be root: the site needs one database only")}
	}
	return checkNameInMySQL(at("database.user"), d.Mode, d.User, maxDatabaseUser)
}

var tablePrefix = regexp.MustCompile(`^[A-Za-z0-9_]{1,20}$`)

// validateTablePrefix accepts what WordPress does. The longest of its own tables' names, and those of plugins, have to fit behind it.
func validateTablePrefix(prefix string) field.ErrorList {
	if tablePrefix.MatchString(prefix) {
		return nil
	}
	return field.ErrorList{field.Invalid(at("database.tablePrefix"), cut(prefix), "must be 1 to 20 letters, digits and _, such as wp_")}
}

func validateStorage(s *Storage) field.ErrorList {
	return slices.Concat(
		checkOptionalDNSName(at("storage.database.storageClass"), s.Database.StorageClass, "a StorageClass's name"),
		checkAtLeast(at("storage.database.size"), s.Database.Size, MinDatabaseVolumeSize),
		checkOptionalDNSName(at("storage.database.existingClaim"), s.Database.ExistingClaim, "a PersistentVolumeClaim's name"),
		checkOptionalDNSName(at("storage.content.existingClaim"), s.Content.ExistingClaim, "a PersistentVolumeClaim's name"),
		checkOptionalDNSName(at("storage.content.storageClass"), s.Content.StorageClass, "a StorageClass's name"),
		checkAtLeast(at("storage.content.size"), s.Content.Size, MinContentVolumeSize),
		checkOneOf(at("storage.content.accessMode"), s.Content.AccessMode, ReadWriteOnce, ReadWriteMany),
		checkOptionalDNSName(at("storage.cephfs.filesystem"), s.CephFS.Filesystem, "a CephFilesystem's name"),
		checkNamespace(at("storage.cephfs.namespace"), s.CephFS.Namespace),
		checkOptionalNamespace(at("storage.cephfs.operatorNamespace"), s.CephFS.OperatorNamespace),
	)
}

func validateAutoscaling(a *Autoscaling, pods *Resources) field.ErrorList {
	return slices.Concat(
		checkRange(at("autoscaling.minReplicas"), a.MinReplicas, 1, MaxReplicas, "pods"),
		checkRange(at("autoscaling.maxReplicas"), a.MaxReplicas, 1, MaxReplicas, "pods"),
		checkRange(at("autoscaling.cpuUtilization"), a.CPUUtilization, 1, maxCPUUtilization(pods), "percent"),
		checkOptionalRange(at("autoscaling.scaleDownStabilizationSeconds"),
			a.ScaleDownStabilizationSeconds, 0, maxSeconds, "seconds"),
	)
}

func validateIngress(i *Ingress) field.ErrorList {
	return slices.Concat(
		checkOneOf(at("ingress.kind"), i.Kind, IngressTraefik, IngressStandard, IngressNone),
		checkOptionalDNSName(at("ingress.className"), i.ClassName, "an IngressClass's name"),
		validateAnnotations(at("ingress.annotations"), i.Annotations),
		validateCertResolver(i.TLS.CertResolver),
		checkOptionalDNSName(at("ingress.tls.existingSecret"), i.TLS.ExistingSecret, "a Secret's name"),
		checkOptionalDNSName(at("ingress.tls.clusterIssuer"), i.TLS.ClusterIssuer, "a ClusterIssuer's name"),
		validateDomains(i.TLS.Domains),
		checkOneOf(at("ingress.tls.minVersion"), i.TLS.MinVersion, TLS12, TLS13),
		checkOneOf(at("ingress.clientAddress"), i.ClientAddress, AddressOfConnection, AddressForwarded, AddressHidden),
		checkRange(at("ingress.proxies"), i.Proxies, 1, MaxProxies, "proxies"),
		validateLoginLimit(&i.LoginLimit),
	)
}

func validateLoginLimit(l *LoginLimit) field.ErrorList {
	return slices.Concat(
		checkRange(at("ingress.loginLimit.requestsPerMinute"), l.RequestsPerMinute, 1, MaxLoginRequestsPerMinute, "requests"),
		checkRange(at("ingress.loginLimit.burst"), l.Burst, 1, MaxLoginBurst, "requests"),
		checkOptionalRange(at("ingress.loginLimit.concurrent"), l.Concurrent, 1, MaxWorkers, "requests"),
	)
}

// validateServiceAnnotations refuses those that tell the engine how to handle the Service, which the program does itself.
func validateServiceAnnotations(annotations map[string]string) field.ErrorList {
	path := at("frontend.service.annotations")
	problems := validateAnnotations(path, annotations)
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if strings.HasPrefix(strings.ToLower(name), "pulumi.com/") {
			problems = append(problems, field.Forbidden(path.Key(name), "is for the program to set: remove it"))
		}
	}
	return problems
}

func validateAnnotations(path *field.Path, annotations map[string]string) field.ErrorList {
	var problems field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		// The API server lower-cases a key before it looks at it, too.
		if len(validation.IsQualifiedName(strings.ToLower(name))) > 0 {
			problems = append(problems, field.Invalid(path, name,
				"must be an annotation's name such as example.com/name"))
		}
	}
	return problems
}

// validateCertResolver keeps to the characters that a resolver's name can have on Traefik's command line.
func validateCertResolver(name string) field.ErrorList {
	if name == "" || len(validation.IsConfigMapKey(name)) == 0 && !strings.Contains(name, ".") {
		return nil
	}
	return field.ErrorList{field.Invalid(at("ingress.tls.certResolver"), name,
		"must be the name of a resolver in Traefik's static configuration: letters, digits, - and _")}
}

func validateDomains(domains []string) field.ErrorList {
	var problems field.ErrorList
	for i, domain := range domains {
		if !isHostName(strings.TrimPrefix(domain, "*.")) {
			problems = append(problems, field.Invalid(at("ingress.tls.domains").Index(i), domain,
				"must be a DNS name in lower case such as example.com, or a wildcard such as *.example.com"))
		}
		if slices.Contains(domains[:i], domain) {
			problems = append(problems, field.Duplicate(at("ingress.tls.domains").Index(i), domain))
		}
	}
	return problems
}

func validateNetwork(n *Network) field.ErrorList {
	return slices.Concat(
		checkOptionalNamespace(at("network.edge.namespace"), n.Edge.Namespace),
		checkPodLabels(at("network.edge.podLabels"), n.Edge.PodLabels),
		checkCIDRs(at("network.edge.cidrs"), n.Edge.CIDRs),
		checkNamespace(at("network.dns.namespace"), n.DNS.Namespace),
		checkPodLabels(at("network.dns.podLabels"), n.DNS.PodLabels),
		checkPodLabels(at("network.dns.cachePodLabels"), n.DNS.CachePodLabels),
		checkCIDRs(at("network.dns.cidrs"), n.DNS.CIDRs),
		checkRange(at("network.dns.port"), n.DNS.Port, 1, maxPort, ""),
		checkOptionalNamespace(at("network.database.namespace"), n.Database.Namespace),
		checkPodLabels(at("network.database.podLabels"), n.Database.PodLabels),
		checkCIDRs(at("network.database.cidrs"), n.Database.CIDRs),
		validateDatabaseNetworks(n.Database.CIDRs),
		validateDatabasePort(n.Database.Port),
		validateDestinations(at("network.egress"), n.Egress),
		validateProxy(&n.Proxy),
	)
}

func validateDestinations(list *field.Path, destinations []NetworkDestination) field.ErrorList {
	var problems field.ErrorList
	for i, destination := range destinations {
		path := list.Index(i)
		problems = append(problems, validateDestination(path, destination)...)
		problems = append(problems, checkPorts(path.Child("ports"), destination.Ports)...)
	}
	return problems
}

func validateDestination(path *field.Path, destination NetworkDestination) field.ErrorList {
	problems := slices.Concat(
		checkOptionalNamespace(path.Child("namespace"), destination.Namespace),
		checkPodLabels(path.Child("podLabels"), destination.PodLabels),
	)
	if destination.Namespace == "" && destination.PodLabels != nil {
		problems = append(problems, field.Forbidden(path.Child("podLabels"),
			"goes with namespace only: remove it, or set the namespace of these pods"))
	}
	switch {
	case destination.CIDR != "":
		problems = append(problems, validateOutside(path.Child("cidr"), destination.CIDR)...)
	case destination.Namespace == "":
		problems = append(problems, field.Required(path.Child("cidr"),
			"the network that may be reached, such as 203.0.113.25/32, or namespace for pods of the cluster"))
	}
	return problems
}

// validateOutside keeps WordPress, which fetches addresses that visitors and authors hand it, off the services of its
// own node: clouds give their machines' credentials to whoever asks a link-local address.
func validateOutside(path *field.Path, cidr string) field.ErrorList {
	if problems := checkCIDR(path, cidr); problems != nil {
		return problems
	}
	return checkNoMetadata(path, cidr, netip.MustParsePrefix(cidr).Addr())
}

func validateProxy(proxy *NetworkProxy) field.ErrorList {
	problems := checkServerHost(at("network.proxy.host"), proxy.Host)
	if proxy.Port != nil {
		problems = append(problems, checkRange(at("network.proxy.port"), *proxy.Port, 1, maxPort, "")...)
	}
	for i, host := range proxy.Bypass {
		if !isHostName(strings.TrimPrefix(host, "*.")) {
			problems = append(problems, field.Invalid(at("network.proxy.bypass").Index(i), host,
				"must be a DNS name such as search.example.com, or *.example.com for all below it"))
		}
	}
	return problems
}

// validateDatabasePort passes a port that is not given: database.port is it, or there is no external database.
func validateDatabasePort(port *int) field.ErrorList {
	if port == nil {
		return nil
	}
	return checkRange(at("network.database.port"), *port, 1, maxPort, "")
}

func validateDatabaseNetworks(cidrs []string) field.ErrorList {
	var problems field.ErrorList
	for i, cidr := range cidrs {
		if network, err := netip.ParsePrefix(cidr); err == nil {
			problems = append(problems, checkNoMetadata(at("network.database.cidrs").Index(i), cidr, network.Addr())...)
		}
	}
	return problems
}

func validatePodSecurity(p *PodSecurity) field.ErrorList {
	return slices.Concat(
		validateSELinuxLevel(p.SELinuxLevel),
		validatePodUser(at("podSecurity.frontend"), p.Frontend),
		validatePodUser(at("podSecurity.database"), p.Database),
		validatePodUser(at("podSecurity.cache"), p.Cache),
	)
}

func validatePodUser(path *field.Path, user PodUser) field.ErrorList {
	return slices.Concat(
		checkOptionalID(path.Child("userID"), user.UserID),
		checkOptionalID(path.Child("groupID"), user.GroupID),
		checkOptionalID(path.Child("fsGroup"), user.FSGroup),
	)
}

// seLinuxLevel is a sensitivity and, where there are any, categories: the form that Kubernetes hands on as it is.
var seLinuxLevel = regexp.MustCompile(`^s\d{1,2}(:c\d{1,4}([.,]c\d{1,4})*)?$`)

// validateSELinuxLevel passes one that is not given.
func validateSELinuxLevel(level string) field.ErrorList {
	if level == "" || seLinuxLevel.MatchString(level) {
		return nil
	}
	return field.ErrorList{field.Invalid(at("podSecurity.seLinuxLevel"), level, "must be a level such as s0:c123,c456")}
}
