package config

import (
	"net/netip"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Defaults of the whole stack.
const (
	// DefaultNamespace is the name of the application.
	DefaultNamespace = "wordpress"
	// DefaultCreateNamespace is what a cluster without a site needs.
	DefaultCreateNamespace = true
	// DefaultImagePullPolicy keeps a pod from running an image that lies on its node and that it may not pull itself, or that
	// its tag no longer names. Layers that the node has are not fetched again.
	DefaultImagePullPolicy = PullAlways
)

// Defaults of the frontend.
const (
	// DefaultFrontendImage is the official image with Apache, in the release that the proofs are tried with: TestStacksNameNoOlderRelease
	// fails when it is behind that. The tag is complete, so that two machines run the same.
	DefaultFrontendImage = "wordpress:7.1.4-php8.3-apache"
	// DefaultFrontendCPU in cores: the smaller sizes of a picture of 24 megapixels were measured at 2.3 seconds of processor time, which
	// are 5 s, and with visitors who read meanwhile less than half of DefaultMaxRequestSeconds.
	DefaultFrontendCPU = "500m"
	// DefaultFrontendMemory in bytes: room for five workers of a shop and a picture, see DefaultWorkers.
	DefaultFrontendMemory = "768Mi"
	// DefaultFrontendEphemeralStorage in bytes: the largest upload in every worker at the same time, PHP's temporary files
	// and the log.
	DefaultFrontendEphemeralStorage = "1Gi"
	// DefaultReplicas is how many pods survive the loss of one during an update of another.
	DefaultReplicas = 3
	// MaxDefaultWorkers bounds the derived number of workers: one pod with more of them queues on its CPU, and
	// more pods serve better.
	MaxDefaultWorkers = 64
	// LeastDefaultRequestMemory in bytes is PHP's own memory_limit, and MaxDefaultRequestMemory what WordPress asks for in the
	// administration and for pictures.
	LeastDefaultRequestMemory = "128Mi"
	MaxDefaultRequestMemory   = "256Mi"
	// MaxDefaultPictureMemory in bytes: JPEG files of 24 and of 60 megapixels, read no larger than WordPress's largest size needs, were
	// measured at 153 and 186 MiB, and square ones and the decoder of progressive ones take more.
	MaxDefaultPictureMemory = "256Mi"
	// DefaultMaxUploadSize in bytes: a picture of a camera, a short video.
	DefaultMaxUploadSize = "64Mi"
	// DefaultMaxRequestSeconds is PHP's own max_execution_time.
	DefaultMaxRequestSeconds = 30
	// DefaultSpread keeps the site up on a cluster with fewer nodes than pods.
	DefaultSpread = SpreadPreferred
	// DefaultMaxSurge and DefaultMaxUnavailable start a new pod before an old one stops, so that an update
	// never serves with less than the full number.
	DefaultMaxSurge       IntOrPercent = "1"
	DefaultMaxUnavailable IntOrPercent = "0"
	// DefaultDisruptionBudget lets a node drain take one pod at a time.
	DefaultDisruptionBudget IntOrPercent = "1"
	// DefaultDrainSeconds is longer than proxies and edges take to stop sending requests to a pod that leaves.
	DefaultDrainSeconds = 20
	// DefaultFrontendGracePeriodSeconds is more than the drain and the longest request together.
	DefaultFrontendGracePeriodSeconds = 60
	// DefaultServiceType is not reachable from outside: the ingress is.
	DefaultServiceType = ClusterIP
)

// Defaults of the cache.
const (
	// DefaultCacheEnabled keeps the way of a stack that says nothing as it is.
	DefaultCacheEnabled = false
	// DefaultCacheReplicas is one that serves while the other is away.
	DefaultCacheReplicas = 2
	// DefaultCacheCPU in cores: a kept page was measured at 40 microseconds of processor time where nothing else runs, and at 130 beside a busy
	// edge on the same cores, which are 750 pages a second.
	DefaultCacheCPU = "100m"
	// DefaultCacheMemory in bytes: nginx takes 13 MiB at rest, and up to 400 KiB, most of it in the kernel, for each visitor who is slow to
	// read a large page: room for some four hundred.
	DefaultCacheMemory = "192Mi"
	// DefaultCacheEphemeralStorage in bytes: DefaultCacheSize, and as many uploads of DefaultMaxUploadSize as a pod takes at a time.
	DefaultCacheEphemeralStorage = "1Gi"
	// DefaultCacheImage is of nginx's stable line, in the release that the proofs are tried with, as above.
	DefaultCacheImage = "nginx:1.30.6"
	// DefaultTTLSeconds asks WordPress for each page some hundred times a day, and is what a purge that got lost costs.
	DefaultTTLSeconds = 600
	// DefaultStaleSeconds outlasts a night without WordPress.
	DefaultStaleSeconds = 36000
	// DefaultCacheSize in bytes: twenty thousand pages.
	DefaultCacheSize = "192Mi"
)

// Defaults of the database.
const (
	// DefaultDatabaseMode needs nothing that is not there.
	DefaultDatabaseMode = Standalone
	// DefaultDatabaseImage is of MySQL's long-term support line, in the release that the proofs are tried with, as above.
	DefaultDatabaseImage = "mysql:9.7.4"
	// DefaultDatabaseName is the database's name in the official WordPress image.
	DefaultDatabaseName = "wordpress"
	// DefaultDatabaseUser owns that database and nothing else.
	DefaultDatabaseUser = "wordpress"
	// DefaultTablePrefix is WordPress's own.
	DefaultTablePrefix = "wp_"
	// DefaultDatabaseCPU in cores: for the queries of DefaultReplicas pods of DefaultFrontendCPU.
	DefaultDatabaseCPU = "500m"
	// DefaultDatabaseMemory in bytes: MySQL itself, its connections, and the buffer pool in what is left.
	DefaultDatabaseMemory = "1Gi"
	// DefaultDatabaseEphemeralStorage in bytes: temporary tables that sorts and schema changes spill to disk.
	DefaultDatabaseEphemeralStorage = "1Gi"
	// DefaultMaxConnections is MySQL's own default. It does not follow the number of pods, because changing it
	// restarts MySQL; a frontend that needs more is refused until somebody decides on that.
	DefaultMaxConnections = 151
	// DefaultDatabaseGracePeriodSeconds is time to flush a dirty buffer pool of the default size to slow disks.
	DefaultDatabaseGracePeriodSeconds = 120
	// DefaultDatabaseTLSMode lets nobody in between read or change anything.
	DefaultDatabaseTLSMode = DatabaseTLSVerified
	// DefaultDatabasePort is MySQL's registered port.
	DefaultDatabasePort = 3306
)

// Defaults of storage.
const (
	// DefaultDatabaseVolumeSize in bytes: years of posts.
	DefaultDatabaseVolumeSize = "20Gi"
	// DefaultContentVolumeSize in bytes: uploads, themes and plugins; the core is in the image.
	DefaultContentVolumeSize = "2Gi"
	// DefaultContentAccessMode is what several pods on several nodes need.
	DefaultContentAccessMode = ReadWriteMany
	// DefaultCephFilesystem is the file system's name in Rook's examples.
	DefaultCephFilesystem = "myfs"
	// DefaultCephNamespace is where Rook runs unless told otherwise.
	DefaultCephNamespace = "rook-ceph"
	// DefaultProtect keeps a slip of the hand from deleting data.
	DefaultProtect = true
)

// Defaults of backups.
const (
	// DefaultBackupEnabled because nobody can guess where to.
	DefaultBackupEnabled = false
	// DefaultBackupSchedule is at night in Europe, and not at a full hour, when many others begin.
	DefaultBackupSchedule = "17 2 * * *"
	// DefaultCareSchedule is when the backup has ended.
	DefaultCareSchedule = "17 5 * * *"
	// Defaults of what is kept: mistakes are found within days, and what somebody deleted by mistake within a year.
	DefaultKeepLast    = 3
	DefaultKeepDaily   = 14
	DefaultKeepWeekly  = 8
	DefaultKeepMonthly = 12
	// DefaultBackupContentEnabled because uploads are nowhere else.
	DefaultBackupContentEnabled = true
	// DefaultResticImage is restic's own, in the release that the proofs are tried with.
	DefaultResticImage = "restic/restic:0.19.1"
	// DefaultBackupCPU in cores: restic compresses and encrypts some 50 MiB a second with one.
	DefaultBackupCPU = "250m"
	// DefaultBackupMemory in bytes: restic's list of what is there, a quarter of a GiB for some hundred thousand files.
	DefaultBackupMemory = "512Mi"
	// DefaultBackupEphemeralStorage in bytes: restic's copy of that list.
	DefaultBackupEphemeralStorage = "2Gi"
	// DefaultBackupMetricsEnabled because a backup that fails is noticed by nobody who does not look.
	DefaultBackupMetricsEnabled = true
	// DefaultPushgatewayImage is Prometheus's own.
	DefaultPushgatewayImage = "prom/pushgateway:v1.11.2"
	// DefaultDrillEnabled because a backup that nobody has restored is a hope.
	DefaultDrillEnabled = true
	// DefaultDrillSchedule is when the care has ended.
	DefaultDrillSchedule = "47 6 * * *"
	// DefaultBinlogEnabled because it costs each write a flush more, and needs an image that nobody publishes.
	DefaultBinlogEnabled = false
	// DefaultBinlogSeconds is what most would type again.
	DefaultBinlogSeconds = 300
	// DefaultBinlogKeepDays because a mistake that nobody has found within a week no longer needs the second.
	DefaultBinlogKeepDays = 7
	// DefaultMinimumPosts because a site without a post is the one that an installer leaves.
	DefaultMinimumPosts = 1
	// DefaultDrillMemory in bytes is what MySQL takes with a small pool, and the page cache that loading a database fills.
	DefaultDrillMemory = "1Gi"
	// DefaultDrillEphemeralStorage in bytes holds a database of some 5 GiB with its logs.
	DefaultDrillEphemeralStorage = "10Gi"
)

// defaultExcludes are folders that WordPress and plugins fill again.
func defaultExcludes() []string { return []string{"cache", "upgrade", "upgrade-temp-backup"} }

// Defaults of autoscaling.
const (
	// DefaultAutoscalingEnabled because a public site's load is not known in advance.
	DefaultAutoscalingEnabled = true
	// DefaultMinReplicas is DefaultReplicas, for the same reason.
	DefaultMinReplicas = DefaultReplicas
	// DefaultMaxReplicas is twice the minimum.
	DefaultMaxReplicas = 6
	// DefaultCPUUtilization in percent of the request leaves room for the load that comes while new pods start.
	DefaultCPUUtilization = 60
	// DefaultScaleDownStabilizationSeconds is Kubernetes' own.
	DefaultScaleDownStabilizationSeconds = 300
)

// Defaults of the ingress.
const (
	// DefaultIngressKind is the one that can redirect to HTTPS without help from its installation.
	DefaultIngressKind = IngressTraefik
	// DefaultClientAddress is what holds of a load balancer with Kubernetes's own externalTrafficPolicy: until somebody says otherwise,
	// all visitors may seem to be one, and a limit that they share would have one of them lock out all others.
	DefaultClientAddress = AddressHidden
	// DefaultProxies is one load balancer.
	DefaultProxies = 1
	// DefaultLoginRequestsPerMinute and DefaultLoginBurst let a person mistype a password several times. Traefik forgets a client that
	// has been quiet for seven seconds: a larger burst would serve a guesser who pauses more than an office that shares an address.
	DefaultLoginRequestsPerMinute = 10
	DefaultLoginBurst             = 10
	// DefaultLoginConcurrent keeps one client from more than one pod: with two, a burst of log-ins, which take processor time, was seen to
	// more than double the time of other visitors' pages on three small pods. Whoever is refused has not used up his rate.
	DefaultLoginConcurrent = 1
	// DefaultMinTLSVersion is the oldest that every browser still in use speaks.
	DefaultMinTLSVersion = TLS12
)

// Defaults of the site.
const (
	// DefaultHSTSSeconds is a year, which is what browsers ask of a site before they rely on it.
	DefaultHSTSSeconds = 365 * 24 * 60 * 60
	// DefaultCronEnabled because a post that is to be published at nine must not wait for the first visitor.
	DefaultCronEnabled = true
	// DefaultRobots and DefaultMail are what a site is for.
	DefaultRobots = true
	DefaultMail   = true
	// DefaultCronMinutes meets the full hours that people plan for, and starts few pods.
	DefaultCronMinutes = 5
)

// Defaults of the network.
const (
	// DefaultNetworkEnabled closes every way that nobody has asked for.
	DefaultNetworkEnabled = true
	// DefaultTraefikNamespace is where Traefik's documentation installs it.
	DefaultTraefikNamespace = "traefik"
	// DefaultTraefikLabel is the value of app.kubernetes.io/name that Traefik's chart gives its pods.
	DefaultTraefikLabel = "traefik"
	// DefaultDNSNamespace is where clusters run their DNS.
	DefaultDNSNamespace = "kube-system"
	// DefaultDNSLabel is the value of k8s-app that the DNS pods carry, whichever server it is.
	DefaultDNSLabel = "kube-dns"
	// DefaultDNSCacheLabel is the value of k8s-app that the pods of NodeLocal DNSCache carry.
	DefaultDNSCacheLabel = "node-local-dns"
	// DefaultDNSPort is DNS's registered port.
	DefaultDNSPort = 53
)

// Defaults of the pods' security. All are above 10000, so that they match no user of the host; the images' own are 33, 999 and 101.
const (
	// DefaultFrontendUserID owns what WordPress has written.
	DefaultFrontendUserID = 10033
	// DefaultDatabaseUserID owns MySQL's data.
	DefaultDatabaseUserID = 10999
	// DefaultCacheUserID owns what is kept.
	DefaultCacheUserID = 10101
)

// Defaults is a stack on which nothing is configured yet. The values that depend on others (replicas, workers, requestMemory,
// pictureMemory, maxConnections, podSecurity, operatorNamespace, redirectToHTTPS, the limit of log-ins, network.edge, network.database) are unset until the others are known.
func Defaults() *Stack {
	return &Stack{
		Namespace:       DefaultNamespace,
		CreateNamespace: new(DefaultCreateNamespace),
		ImagePullPolicy: DefaultImagePullPolicy,
		Site:            defaultSite(),
		Frontend:        defaultFrontend(),
		Cache:           defaultCache(),
		Database:        defaultDatabase(),
		Storage:         defaultStorage(),
		Backup:          defaultBackup(),
		Autoscaling:     defaultAutoscaling(),
		Ingress:         defaultIngress(),
		Network:         defaultNetwork(),
	}
}

func defaultSite() Site {
	return Site{
		HSTSSeconds: DefaultHSTSSeconds,
		Robots:      new(DefaultRobots),
		Mail:        new(DefaultMail),
		Cron:        SiteCron{Enabled: new(DefaultCronEnabled), EveryMinutes: DefaultCronMinutes},
	}
}

func defaultFrontend() Frontend {
	return Frontend{
		Image: DefaultFrontendImage,
		Resources: defaultResources(
			DefaultFrontendCPU, DefaultFrontendMemory, DefaultFrontendEphemeralStorage),
		MaxUploadSize:                 resource.MustParse(DefaultMaxUploadSize),
		MaxRequestSeconds:             DefaultMaxRequestSeconds,
		Spread:                        DefaultSpread,
		MaxSurge:                      DefaultMaxSurge,
		MaxUnavailable:                DefaultMaxUnavailable,
		DisruptionBudget:              DisruptionBudget{MaxUnavailable: DefaultDisruptionBudget},
		DrainSeconds:                  DefaultDrainSeconds,
		TerminationGracePeriodSeconds: DefaultFrontendGracePeriodSeconds,
		Service:                       Service{Type: DefaultServiceType},
	}
}

func defaultCache() Cache {
	return Cache{
		Enabled:      new(DefaultCacheEnabled),
		Replicas:     DefaultCacheReplicas,
		Resources:    defaultResources(DefaultCacheCPU, DefaultCacheMemory, DefaultCacheEphemeralStorage),
		Image:        DefaultCacheImage,
		TTLSeconds:   DefaultTTLSeconds,
		StaleSeconds: DefaultStaleSeconds,
		Size:         resource.MustParse(DefaultCacheSize),
	}
}

func defaultDatabase() Database {
	return Database{
		Mode:  DefaultDatabaseMode,
		Image: DefaultDatabaseImage,
		Name:  DefaultDatabaseName,
		User:  DefaultDatabaseUser,

		TablePrefix: DefaultTablePrefix,
		Resources: defaultResources(
			DefaultDatabaseCPU, DefaultDatabaseMemory, DefaultDatabaseEphemeralStorage),
		TerminationGracePeriodSeconds: DefaultDatabaseGracePeriodSeconds,
		Port:                          DefaultDatabasePort,
		TLS:                           DatabaseTLS{Mode: DefaultDatabaseTLSMode},
	}
}

func defaultStorage() Storage {
	return Storage{
		Database: Volume{Size: resource.MustParse(DefaultDatabaseVolumeSize)},
		Content: ContentVolume{
			Size:       resource.MustParse(DefaultContentVolumeSize),
			AccessMode: DefaultContentAccessMode,
		},
		CephFS:  CephFS{Filesystem: DefaultCephFilesystem, Namespace: DefaultCephNamespace},
		Protect: new(DefaultProtect),
	}
}

func defaultBackup() Backup {
	return Backup{
		Enabled:      new(DefaultBackupEnabled),
		Schedule:     DefaultBackupSchedule,
		CareSchedule: DefaultCareSchedule,
		Keep:         BackupKeep{Last: DefaultKeepLast, Daily: DefaultKeepDaily, Weekly: DefaultKeepWeekly, Monthly: DefaultKeepMonthly},
		Content:      BackupContent{Enabled: new(DefaultBackupContentEnabled), Exclude: defaultExcludes()},
		Drill: BackupDrill{
			Enabled: new(DefaultDrillEnabled), Schedule: DefaultDrillSchedule, MinimumPosts: DefaultMinimumPosts,
			Resources: defaultResources(DefaultBackupCPU, DefaultDrillMemory, DefaultDrillEphemeralStorage),
		},
		Binlog:    BackupBinlog{Enabled: new(DefaultBinlogEnabled), Seconds: DefaultBinlogSeconds, KeepDays: DefaultBinlogKeepDays},
		Metrics:   BackupMetrics{Enabled: new(DefaultBackupMetricsEnabled), Image: DefaultPushgatewayImage},
		Image:     DefaultResticImage,
		Resources: defaultResources(DefaultBackupCPU, DefaultBackupMemory, DefaultBackupEphemeralStorage),
	}
}

func defaultAutoscaling() Autoscaling {
	return Autoscaling{
		Enabled:                       new(DefaultAutoscalingEnabled),
		MinReplicas:                   DefaultMinReplicas,
		MaxReplicas:                   DefaultMaxReplicas,
		CPUUtilization:                DefaultCPUUtilization,
		ScaleDownStabilizationSeconds: new(DefaultScaleDownStabilizationSeconds),
	}
}

func defaultNetwork() Network {
	return Network{
		Enabled: new(DefaultNetworkEnabled),
		DNS: NetworkDNS{
			Namespace:      DefaultDNSNamespace,
			PodLabels:      map[string]string{"k8s-app": DefaultDNSLabel},
			CachePodLabels: map[string]string{"k8s-app": DefaultDNSCacheLabel},
			Port:           DefaultDNSPort,
		},
	}
}

func defaultIngress() Ingress {
	return Ingress{
		Kind:          DefaultIngressKind,
		TLS:           TLS{MinVersion: DefaultMinTLSVersion},
		ClientAddress: DefaultClientAddress,
		Proxies:       DefaultProxies,
		LoginLimit: LoginLimit{
			RequestsPerMinute: DefaultLoginRequestsPerMinute,
			Burst:             DefaultLoginBurst,
		},
	}
}

func defaultResources(cpu, memory, ephemeralStorage string) Resources {
	return Resources{
		CPU:              resource.MustParse(cpu),
		Memory:           resource.MustParse(memory),
		EphemeralStorage: resource.MustParse(ephemeralStorage),
	}
}

// derive fills in the defaults that depend on other values.
func (s *Stack) derive() {
	if s.Site.Title == "" {
		s.Site.Title = s.Site.Host
	}
	s.deriveFrontend()
	if s.Database.MaxConnections == nil && s.Database.Mode == Standalone {
		s.Database.MaxConnections = new(DefaultMaxConnections)
	}
	if s.Storage.CephFS.OperatorNamespace == "" {
		s.Storage.CephFS.OperatorNamespace = s.Storage.CephFS.Namespace
	}
	if s.Ingress.RedirectToHTTPS == nil {
		s.Ingress.RedirectToHTTPS = new(s.Ingress.Kind == IngressTraefik)
	}
	if s.Ingress.LoginLimit.Enabled == nil {
		s.Ingress.LoginLimit.Enabled = new(s.Ingress.Kind == IngressTraefik && s.Ingress.ClientAddress != AddressHidden)
	}
	if s.Ingress.LoginLimit.Concurrent == nil {
		s.Ingress.LoginLimit.Concurrent = new(DefaultLoginConcurrent)
	}
	s.derivePodSecurity()
	s.deriveEdge()
	s.deriveDatabaseNetwork()
	if s.Network.Database.Port == nil && s.Database.Mode == External {
		s.Network.Database.Port = &s.Database.Port
	}
}

// deriveFrontend is what fits in the frontend's resources.
func (s *Stack) deriveFrontend() {
	f := &s.Frontend
	if f.Replicas == nil && !*s.Autoscaling.Enabled {
		f.Replicas = new(DefaultReplicas)
	}
	if f.Workers == nil {
		f.Workers = new(DefaultWorkers(f.Resources))
	}
	if f.RequestMemory == nil {
		f.RequestMemory = new(DefaultRequestMemory(f.Resources.Memory))
	}
	if f.PictureMemory == nil {
		f.PictureMemory = new(DefaultPictureMemory(f.Resources.Memory, *f.Workers))
	}
}

// derivePodSecurity fills in nothing that the cluster is to set.
func (s *Stack) derivePodSecurity() {
	if s.PodSecurity.FromCluster {
		return
	}
	s.PodSecurity.Frontend.derive(DefaultFrontendUserID)
	if s.Database.Mode == Standalone {
		s.PodSecurity.Database.derive(DefaultDatabaseUserID)
	}
	if *s.Cache.Enabled {
		s.PodSecurity.Cache.derive(DefaultCacheUserID)
	}
}

func (u *PodUser) derive(userID int) {
	if u.UserID == nil {
		u.UserID = &userID
	}
	if u.GroupID == nil {
		u.GroupID = u.UserID
	}
	if u.FSGroup == nil {
		u.FSGroup = u.GroupID
	}
}

// deriveEdge looks for Traefik where its documentation puts it. Of another controller nothing is known.
func (s *Stack) deriveEdge() {
	edge := &s.Network.Edge
	if s.Ingress.Kind != IngressTraefik {
		return
	}
	if edge.Namespace == "" && len(edge.CIDRs) == 0 {
		edge.Namespace = DefaultTraefikNamespace
	}
	// An empty map was given, and means all pods.
	if edge.Namespace != "" && edge.PodLabels == nil {
		edge.PodLabels = map[string]string{"app.kubernetes.io/name": DefaultTraefikLabel}
	}
}

// deriveDatabaseNetwork is the network of the one address of an external database, where it is known.
func (s *Stack) deriveDatabaseNetwork() {
	database := &s.Network.Database
	address, err := netip.ParseAddr(s.Database.Host)
	if err == nil && s.Database.Mode == External && database.Namespace == "" && len(database.CIDRs) == 0 {
		database.CIDRs = []string{netip.PrefixFrom(address, address.BitLen()).String()}
	}
}
