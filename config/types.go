// Package config is the typed configuration of a stack: it decodes, defaults and validates what the stack
// file says. It knows no Pulumi resource and no Kubernetes object.
package config

import "k8s.io/apimachinery/pkg/api/resource"

// Project is the Pulumi project's name and so the namespace of every configuration key.
const Project = "wordpress"

// Profile says which guard rails apply. It is never guessed from the stack's name.
type Profile string

// The profiles.
const (
	// Production refuses everything that would endanger a public site.
	Production Profile = "production"
	// Development allows one replica, NodePort services and unprotected storage.
	Development Profile = "development"
)

// Stack is the whole configuration of one stack, with every default filled in.
type Stack struct {
	// Profile selects the guard rails: production or development. Required.
	Profile Profile `json:"profile"`
	// Namespace is the Kubernetes namespace that the site lives in: a DNS label, and none of those that a cluster, its network, its
	// storage or other well-known components have for themselves. Default: wordpress.
	Namespace string `json:"namespace"`
	// CreateNamespace makes the namespace, which must not be there yet. With false it must be: nothing of it is owned, labelled or
	// deleted, what it lacks of Pod Security's labels is said, and only the site's own pods are closed by network policies. Default: true.
	CreateNamespace *bool `json:"createNamespace"`
	// ImageRegistry is a registry, and a path in it, that mirrors Docker Hub, such as registry.example.com/dockerhub: every image of the
	// program that names no registry is pulled from there by its whole name, as registry.example.com/dockerhub/library/mysql:9.7.4. An
	// image that names a registry keeps it. Unset: Docker Hub itself.
	ImageRegistry string `json:"imageRegistry"`
	// ImagePullPolicy says when a node asks the registry for an image. Always: at every start of a container, which makes sure
	// that the image may be pulled and is the one that its tag names. IfNotPresent: only where the node lacks it, for a
	// cluster without a registry, or one that must start pods while its registry is away. Default: Always.
	ImagePullPolicy PullPolicy `json:"imagePullPolicy"`
	// ImagePullSecrets name Secrets of type kubernetes.io/dockerconfigjson in the namespace, with which its images are pulled. Pods
	// wait until they exist. Unset: none, and the nodes' own credentials.
	ImagePullSecrets []string `json:"imagePullSecrets"`
	// Site is the public face of the installation.
	Site Site `json:"site"`
	// Frontend is the WordPress tier.
	Frontend Frontend `json:"frontend"`
	// Cache keeps pages before WordPress.
	Cache Cache `json:"cache"`
	// Database is the MySQL tier, or where to find an existing one.
	Database Database `json:"database"`
	// Storage is where data lives.
	Storage Storage `json:"storage"`
	// Backup saves the site to a place outside the cluster.
	Backup Backup `json:"backup"`
	// Autoscaling is the horizontal pod autoscaler of the frontend.
	Autoscaling Autoscaling `json:"autoscaling"`
	// Ingress is how visitors reach the site.
	Ingress Ingress `json:"ingress"`
	// Network is which connections the pods may accept and open.
	Network Network `json:"network"`
	// PodSecurity is whom the pods run as, and whose their volumes are.
	PodSecurity PodSecurity `json:"podSecurity"`

	// DatabasePassword is the password of the WordPress user in MySQL. Must be a Pulumi secret. Required
	// unless database.existingSecret is set. 8 to 256 characters, no line break, NUL or white space at
	// either end; in mode standalone no ' and no \.
	DatabasePassword Secret `json:"databasePassword"`
	// DatabaseRootPassword is the password of MySQL's root. Must be a Pulumi secret. Required in mode
	// standalone unless database.existingSecret is set, and refused otherwise. Same form as databasePassword, and no " and no #.
	DatabaseRootPassword Secret `json:"databaseRootPassword"`
	// AuthSecret is what the eight WordPress keys and salts derive from. Must be a Pulumi secret of at
	// least 32 characters. Required unless frontend.existingSecret is set.
	AuthSecret Secret `json:"authSecret"`
	// AdminPassword is the password that the site's administrator is installed with; it counts at the installation alone, and is
	// changed in WordPress afterwards. Must be a Pulumi secret of 12 to 256 characters, without line break, NUL or white space at
	// either end. Required with site.admin unless site.admin.existingSecret is set, and refused otherwise.
	AdminPassword Secret `json:"adminPassword"`
	// BackupPassword encrypts everything in the repository of the backups. Keep it outside the cluster as well, and outside this stack's
	// state: without it, nobody can read a backup, the program included. Must be a Pulumi secret of 16 to 256 characters, without line break, NUL
	// or white space at either end. Required with backup.enabled unless backup.existingSecret is set, and refused otherwise.
	BackupPassword Secret `json:"backupPassword"`
	// BackupAccessKey is the name of the key that opens the storage of the backups. Must be a Pulumi secret. Required with backup.enabled unless
	// backup.existingSecret is set, and refused otherwise.
	BackupAccessKey Secret `json:"backupAccessKey"`
	// BackupSecretKey is that key's secret. Must be a Pulumi secret. Required with backup.enabled unless backup.existingSecret is set, and
	// refused otherwise.
	BackupSecretKey Secret `json:"backupSecretKey"`
}

// PullPolicy is Kubernetes' imagePullPolicy. Never is left out: it only fails where IfNotPresent would help itself.
type PullPolicy string

// The pull policies.
const (
	PullAlways       PullPolicy = "Always"
	PullIfNotPresent PullPolicy = "IfNotPresent"
)

// Site is the public face of the installation.
type Site struct {
	// Host is the DNS name that visitors use, in lower case, without scheme and port; in production none under localhost,
	// test, example or invalid. Required.
	Host string `json:"host"`
	// Title of the site, at most 200 characters; it counts at the installation alone, and is changed in WordPress afterwards.
	// Default: site.host.
	Title string `json:"title"`
	// Admin is who administers the site at first. Unset: the program installs no site, and waits for one in the database.
	Admin SiteAdmin `json:"admin"`
	// Cron runs the site's scheduled tasks.
	Cron SiteCron `json:"cron"`
	// HSTSSeconds is how long browsers come back over HTTPS only (Strict-Transport-Security), 0 to 63072000, which is two years;
	// 0 has them forget an earlier promise, which is the way to turn it off. Subdomains are not included. Only with HTTPS.
	// Default: 31536000.
	HSTSSeconds int `json:"hstsSeconds"`
	// Embedding lets other sites show pages of this one in a frame, as WordPress's embeds of posts do; WordPress itself keeps its
	// administration and log-in out of frames. Default: false.
	Embedding bool `json:"embedding"`
	// BrowserFeatures that the site's own pages may use: any of camera, geolocation and microphone. Unset: none.
	BrowserFeatures []string `json:"browserFeatures"`
	// XMLRPC answers /xmlrpc.php, with which some apps and services work; one request there can try many passwords.
	// Default: false.
	XMLRPC bool `json:"xmlrpc"`
	// Robots lets search engines show the site. With false every answer forbids it, as a copy for tests needs. Default: true.
	Robots *bool `json:"robots"`
	// Mail lets WordPress send mail, where network.egress leads to a server for it. With false it sends none and tells its callers that it did, as a
	// copy for tests needs, which knows the visitors of the site that it was made of. Default: true.
	Mail *bool `json:"mail"`
}

// SiteAdmin is the administrator that the site is installed with. A site that is installed already is left alone.
type SiteAdmin struct {
	// User is the name to log in with: 1 to 60 characters of A-Z, a-z, 0-9, space, _, ., - and @, with no space at either end and
	// no two in a row. Required with site.admin.
	User string `json:"user"`
	// Email is the administrator's address and the site's. Required with site.admin.
	Email string `json:"email"`
	// ExistingSecret names a Secret in the namespace that holds the administrator's password under the key password. Unset: the
	// program creates the Secret from adminPassword.
	ExistingSecret string `json:"existingSecret"`
}

// Installs reports whether the program installs the site where there is none.
func (a SiteAdmin) Installs() bool { return a.User != "" }

// SiteCron runs the site's scheduled tasks, such as posts that are to be published later, without waiting for a visitor.
type SiteCron struct {
	// Enabled has a CronJob ask for the tasks that are due, and visitors' requests no longer start them. Default: true.
	Enabled *bool `json:"enabled"`
	// EveryMinutes is how often, 1 to 30, counted from the full hour. Default: 5.
	EveryMinutes int `json:"everyMinutes"`
}

// Resources are both the requests and the limits of a container, so that its pod is of QoS class Guaranteed, unless cpuLimit is given.
type Resources struct {
	// CPU in cores, 10m to 128. Default: 500m for the frontend and for the database, 100m for the cache, 250m for the backup and its drill.
	CPU resource.Quantity `json:"cpu"`
	// CPULimit in cores, at least cpu and at most 128, lets the container use processor time that its node has to spare: pages and
	// pictures take less time, on a busy node as much as without it. The pod is then of QoS class Burstable, so that a node short of
	// memory may evict it before those that are Guaranteed. Unset: cpu, and Guaranteed.
	CPULimit *resource.Quantity `json:"cpuLimit"`
	// Memory in bytes: at least 160Mi for the frontend, 768Mi for the database, 1Gi for one in production. Up to 1Gi, half of the
	// database's above 256Mi is its buffer pool; up to 4Gi, three quarters; beyond, four fifths of what is above 512Mi; and never
	// more than maxConnections leaves. Default: 768Mi for the frontend, 1Gi for the database, 192Mi for the cache, 512Mi for the backup,
	// 1Gi for its drill.
	Memory resource.Quantity `json:"memory"`
	// EphemeralStorage in bytes: what a container may write to logs and temporary files, at least 64Mi.
	// Default: 1Gi, 2Gi for the backup, 10Gi for its drill.
	EphemeralStorage resource.Quantity `json:"ephemeralStorage"`
}

// Cache keeps pages before WordPress, in pods of its own that all of the site's requests go through. Kept is what WordPress makes for
// visitors of whom it knows nothing, and files that anybody may see; a change of the site takes effect within a second.
type Cache struct {
	// Enabled leads visitors to the cache's pods, and these to WordPress's. Not with ingress.kind none and network.enabled false, where
	// nothing tells whom to believe for whom he comes. Default: false.
	Enabled *bool `json:"enabled"`
	// Replicas is the number of pods, 1 to 10, each of which keeps what was asked of it; production needs 2. Default: 2.
	Replicas int `json:"replicas"`
	// Resources of a pod. Least memory: 64Mi. Default: 100m of CPU, 192Mi of memory and 1Gi of ephemeral storage.
	Resources Resources `json:"resources"`
	// Image keeps the contract of the official nginx image and has njs's module, which the variants slim and perl have not. A tag that tells
	// an nginx before 1.30.4 is refused. Production needs a tag with a full version or a digest. Default: nginx:1.30.6.
	Image string `json:"image"`
	// TTLSeconds is how long a page is shown before WordPress is asked for a new one, 1 to 43200. The next visitor is still shown the old
	// one, behind which the new one is made, so that a change that no pod was told of shows to the one after him. Default: 600.
	TTLSeconds int `json:"ttlSeconds"`
	// StaleSeconds is how long beyond that it is shown while WordPress makes a new one, or cannot, 1 to 43200: with ttlSeconds at most
	// 43200, for as long as the forms in a page are good. Default: 36000.
	StaleSeconds int `json:"staleSeconds"`
	// Size in bytes of what a pod keeps on its disk, 16Mi to 64Gi: compressed, a page takes some 10 KiB. Default: 192Mi.
	Size resource.Quantity `json:"size"`
}

// Spread says how strictly the frontend's pods are kept on different nodes and zones.
type Spread string

// The ways to spread.
const (
	// SpreadPreferred spreads as far as nodes allow; a pod that cannot be spread is scheduled all the same.
	SpreadPreferred Spread = "preferred"
	// SpreadRequired leaves a pod pending rather than placing a second one on the same node.
	SpreadRequired Spread = "required"
)

// Frontend is the WordPress tier.
type Frontend struct {
	// Image is an image that keeps the contract of the official wordpress:*-apache image, so no fpm or cli variant.
	// A tag that tells a WordPress before 5.6 is refused; an image of another name than wordpress is not judged. Production needs a tag
	// with a full version (three numbers) or a digest; only a digest also keeps out what the same tag is rebuilt with. Default: wordpress:7.1.4-php8.3-apache.
	Image string `json:"image"`
	// Replicas is the fixed number of pods, 1 to 1000, only where autoscaling is off; production needs 2.
	// Default: 3 where autoscaling is off.
	Replicas *int `json:"replicas"`
	// Resources of the WordPress container.
	Resources Resources `json:"resources"`
	// Workers is how many requests one pod serves at a time (Apache's MaxRequestWorkers), 2 to 256.
	// 64 MiB, 32 MiB a worker and pictureMemory must fit in the memory limit, which is what a bare site needs. Default: as many as fit
	// with the plugins of a shop, at 64 MiB each beside 192 MiB and 256 MiB for a picture, and 24 for each core; from 2 to 64.
	Workers *int `json:"workers"`
	// RequestMemory is the most memory that PHP gives one request, in bytes (memory_limit); WordPress and plugins cannot raise it,
	// and what ImageMagick takes is not counted. A request that wants more fails by itself. 32Mi to 2Gi; 64 MiB beside it must fit in the memory limit.
	// Default: a third of the memory, from 128Mi or what fits to 256Mi.
	RequestMemory *resource.Quantity `json:"requestMemory"`
	// PictureMemory is the most memory for the pixels of pictures, in bytes, 32Mi to 2Gi. A pod makes the smaller sizes of one picture at
	// a time; the next one waits, and a picture that needs more is refused. 64 MiB and 32 MiB a worker beside it must fit in the
	// memory limit. Default: 256Mi, or what fits.
	PictureMemory *resource.Quantity `json:"pictureMemory"`
	// MaxUploadSize is the largest upload, in bytes; it also bounds a request body. 1Mi to 2046Mi; it must fit on
	// storage.content and, beside 64Mi for logs, in resources.ephemeralStorage, where it lies until it is complete.
	// Default: 64Mi.
	MaxUploadSize resource.Quantity `json:"maxUploadSize"`
	// MaxRequestSeconds is the longest that one request may take until its answer begins, 1 to 3600; the edge waits no longer either.
	// Traefik reads a request for 60 at most, unless its entry points' respondingTimeouts say otherwise, so that a slow upload ends
	// there. Default: 30.
	MaxRequestSeconds int `json:"maxRequestSeconds"`
	// Spread over nodes and zones: preferred or required. Default: preferred.
	Spread Spread `json:"spread"`
	// Nodes is the number of nodes that the operator states the cluster has, up to 5000; 0 means not stated. Only
	// used to refuse a required spread that cannot be met. Default: 0.
	Nodes int `json:"nodes"`
	// MaxSurge is how many pods a rolling update may add: a count or a percentage of the pods, rounded up.
	// Must be 0 where the content volume is ReadWriteOnce. Default: 1.
	MaxSurge IntOrPercent `json:"maxSurge"`
	// MaxUnavailable is how many pods a rolling update may take away: a count or a percentage of the pods,
	// rounded down. Default: 0.
	MaxUnavailable IntOrPercent `json:"maxUnavailable"`
	// DisruptionBudget bounds voluntary evictions.
	DisruptionBudget DisruptionBudget `json:"disruptionBudget"`
	// DrainSeconds is how long a terminating pod goes on serving while the edge takes it out, 1 to 3600;
	// production needs 5. Default: 20.
	DrainSeconds int `json:"drainSeconds"`
	// TerminationGracePeriodSeconds is the time from the start of the drain to SIGKILL, 1 to 7201; longer than
	// drainSeconds and maxRequestSeconds together. Default: 60.
	TerminationGracePeriodSeconds int `json:"terminationGracePeriodSeconds"`
	// LivenessProbe restarts a pod that has not answered for two minutes; maxRequestSeconds must be less. Default: false,
	// because an automatic restart hides the fault.
	LivenessProbe bool `json:"livenessProbe"`
	// Service is how the frontend is reached inside the cluster.
	Service Service `json:"service"`
	// ExistingSecret names a Secret in the namespace that holds the eight keys and salts under the keys
	// AUTH_KEY, SECURE_AUTH_KEY, LOGGED_IN_KEY, NONCE_KEY, AUTH_SALT, SECURE_AUTH_SALT, LOGGED_IN_SALT and
	// NONCE_SALT. Unset: the program derives them from authSecret.
	ExistingSecret string `json:"existingSecret"`
}

// DisruptionBudget bounds voluntary evictions, such as those of a node drain.
type DisruptionBudget struct {
	// MaxUnavailable pods may be evicted at the same time: a count or a percentage of the pods, rounded up. More
	// than 0, and less than the minimum number of pods where there is more than one. Default: 1.
	MaxUnavailable IntOrPercent `json:"maxUnavailable"`
}

// ServiceType is a Kubernetes Service type.
type ServiceType string

// The service types that can be configured.
const (
	ClusterIP ServiceType = "ClusterIP"
	NodePort  ServiceType = "NodePort"
)

// Service is how the frontend is reached inside the cluster, or by NodePort from outside.
type Service struct {
	// Type of the Service: ClusterIP or NodePort; production refuses NodePort. Default: ClusterIP.
	Type ServiceType `json:"type"`
	// NodePort from 30000 to 32767, only with type NodePort; 0 lets the cluster choose. Default: 0.
	NodePort int `json:"nodePort"`
	// Annotations of the Service, for what a load balancer's controller defines; none of pulumi.com's. Unset: none.
	Annotations map[string]string `json:"annotations"`
}

// DatabaseMode says who runs the database.
type DatabaseMode string

// The database modes.
const (
	// Standalone runs one MySQL pod on a persistent volume.
	Standalone DatabaseMode = "standalone"
	// External uses a MySQL that somebody else runs.
	External DatabaseMode = "external"
)

// Database is the MySQL tier, or where to find an existing one.
type Database struct {
	// Mode says who runs the database: standalone or external. Default: standalone.
	Mode DatabaseMode `json:"mode"`
	// Image is an image that keeps the contract of the official mysql image; MariaDB's does not. A tag that tells a MySQL before 8.4 is
	// refused; an image of another name than mysql is not judged. Production needs a tag with a full version (three numbers) or a
	// digest. Mode standalone only. Default: mysql:9.7.4.
	Image string `json:"image"`
	// Name of the database: 1 to 64 letters, digits, _ and $, each _ counted twice in mode standalone, in mode external - . and @
	// too, and none of MySQL's own. Default: wordpress.
	Name string `json:"name"`
	// TablePrefix of WordPress's tables: 1 to 20 letters, digits and _. A site that is brought in keeps its own; on one that is there a change leads to
	// tables that are not, and the pods wait. Default: wp_.
	TablePrefix string `json:"tablePrefix"`
	// User that WordPress logs in as: 1 to 32 letters, digits, _ and $, in mode external - . and @ too, and not root. Default:
	// wordpress.
	User string `json:"user"`
	// Resources of the MySQL container. Mode standalone only.
	Resources Resources `json:"resources"`
	// MaxConnections that MySQL accepts, up to 100000; at least one for each worker of each frontend pod,
	// surge included, and 10 in reserve, and at most one for each 768Ki of resources.memory above 640Mi. A change
	// restarts MySQL. Mode standalone only. Default: 151.
	MaxConnections *int `json:"maxConnections"`
	// TerminationGracePeriodSeconds in which InnoDB can stop cleanly, 1 to 3600; production needs 30. Mode standalone
	// only. Default: 120.
	TerminationGracePeriodSeconds int `json:"terminationGracePeriodSeconds"`
	// Host of the external database: a DNS name or an IPv4 address other than the pod's own. Required in mode external, refused in mode
	// standalone.
	Host string `json:"host"`
	// Port of the external database, 1 to 65535. Mode external only. Default: 3306.
	Port int `json:"port"`
	// TLS of the connections to the external database. Mode external only.
	TLS DatabaseTLS `json:"tls"`
	// ExistingSecret names a Secret in the namespace that holds the WordPress user's password under the key
	// dbpwd and, in mode standalone, root's under the key dbrootpwd. Unset: the program creates the Secret.
	ExistingSecret string `json:"existingSecret"`
}

// DatabaseTLSMode says how much the connections to an external database are protected.
type DatabaseTLSMode string

// The modes of TLS to an external database.
const (
	// DatabaseTLSVerified refuses a server that cannot prove to be the one that is meant.
	DatabaseTLSVerified DatabaseTLSMode = "verified"
	// DatabaseTLSUnverified encrypts, and believes whoever answers.
	DatabaseTLSUnverified DatabaseTLSMode = "unverified"
	// DatabaseTLSDisabled sends everything in plain, the password hashed.
	DatabaseTLSDisabled DatabaseTLSMode = "disabled"
)

// DatabaseTLS protects what travels between WordPress and an external database.
type DatabaseTLS struct {
	// Mode: verified needs a certificate for database.host of an authority that is trusted, unverified encrypts and believes any
	// server, disabled does not encrypt, which production refuses. Default: verified.
	Mode DatabaseTLSMode `json:"mode"`
	// CABundle are the certificates, in PEM, of the authorities that the server's certificate may be of, beside those that
	// the image trusts; at most 512Ki. PHP trusts them for its other connections too. Mode verified only.
	CABundle string `json:"caBundle"`
}

// AccessMode is a Kubernetes volume access mode.
type AccessMode string

// The access modes that can be configured.
const (
	ReadWriteOnce AccessMode = "ReadWriteOnce"
	ReadWriteMany AccessMode = "ReadWriteMany"
)

// Storage is where data lives.
type Storage struct {
	// Database is MySQL's data volume, always ReadWriteOnce. Mode standalone only.
	Database Volume `json:"database"`
	// Content is the volume of wp-content, shared by all frontend pods.
	Content ContentVolume `json:"content"`
	// CephFS creates the shared file system and its StorageClass.
	CephFS CephFS `json:"cephfs"`
	// Protect refuses the deletion of the namespace and of every volume; production refuses false.
	// Default: true.
	Protect *bool `json:"protect"`
}

// Volume is one persistent volume claim.
type Volume struct {
	// StorageClass of the claim. Unset: the cluster's default class.
	StorageClass string `json:"storageClass"`
	// Size in bytes, at least 1Gi. Default: 20Gi.
	Size resource.Quantity `json:"size"`
	// ExistingClaim names a PersistentVolumeClaim in the namespace that is used as it is, and neither owned nor deleted: storageClass
	// and size do not count then. MySQL starts with the data that lies there. Unset: the program makes a claim.
	ExistingClaim string `json:"existingClaim"`
}

// ContentVolume is the claim for wp-content.
type ContentVolume struct {
	// StorageClass of the claim. Required where cephfs.create is on. Unset: the cluster's default class.
	StorageClass string `json:"storageClass"`
	// Size in bytes, at least 64Mi. Default: 2Gi.
	Size resource.Quantity `json:"size"`
	// AccessMode of the claim: ReadWriteMany, or ReadWriteOnce for a single pod. An existing claim must offer it. Default: ReadWriteMany.
	AccessMode AccessMode `json:"accessMode"`
	// ExistingClaim names a PersistentVolumeClaim in the namespace that is used as it is, and neither owned nor deleted: storageClass
	// and size do not count then. The folder wp-content on it is the site's. Unset: the program makes a claim.
	ExistingClaim string `json:"existingClaim"`
}

// CephFS is the Rook file system behind the shared content volume.
type CephFS struct {
	// Create the CephFilesystem and the StorageClass named by storage.content.storageClass. Default: false.
	Create bool `json:"create"`
	// Filesystem is the CephFilesystem's name. Default: myfs.
	Filesystem string `json:"filesystem"`
	// Namespace of the Rook cluster, which is also its clusterID. Default: rook-ceph.
	Namespace string `json:"namespace"`
	// OperatorNamespace is where Rook's operator runs, which the CSI driver's name begins with. Default: storage.cephfs.namespace.
	OperatorNamespace string `json:"operatorNamespace"`
}

// Backup saves the database and wp-content to a repository of restic's on an S3 storage outside the cluster, encrypted, each byte once. What is
// in Secrets is not saved, nor are names in the DNS and certificates.
type Backup struct {
	// Enabled saves the site by schedule, and gives a CronJob from which a restore is made. Production must say true or false. Default: false.
	Enabled *bool `json:"enabled"`
	// Repository is where the snapshots go: s3: and the storage's address, bucket and a folder of the site's own, such as
	// s3:https://s3.example.com/bucket/site. No credentials; http only in development. It is made where it is not there yet. Required with enabled.
	Repository string `json:"repository"`
	// ExistingSecret names a Secret in the namespace that holds the repository's password under the key password, and under the key credentials
	// a file with aws_access_key_id and aws_secret_access_key below [default]. Unset: the program makes it.
	ExistingSecret string `json:"existingSecret"`
	// CABundle are the certificates, in PEM, of the authorities that the storage's certificate may be of; at most 384Ki. Unset: those that
	// database.image trusts.
	CABundle string `json:"caBundle"`
	// Schedule of the backup in the five fields of cron, in UTC. Default: 17 2 * * *, every night.
	Schedule string `json:"schedule"`
	// CareSchedule is when what is no longer kept gives back its room, and a seventh of the data is read and checked, in the same form.
	// Default: 17 5 * * *, every day.
	CareSchedule string `json:"careSchedule"`
	// Keep says which snapshots are kept.
	Keep BackupKeep `json:"keep"`
	// Content is whether wp-content is saved, and what of it.
	Content BackupContent `json:"content"`
	// Drill restores the newest run beside the site, by schedule.
	Drill BackupDrill `json:"drill"`
	// Bootstrap has a new stack begin as the site that was.
	Bootstrap BackupBootstrap `json:"bootstrap"`
	// Binlog brings MySQL's binary log to the storage too, so that a restore can be to a second.
	Binlog BackupBinlog `json:"binlog"`
	// Metrics keeps what backup, care and drill measure.
	Metrics BackupMetrics `json:"metrics"`
	// Destination is where the storage is: networks or pods of the cluster, and ports, as in network.egress. With network.enabled required.
	Destination []NetworkDestination `json:"destination"`
	// Image has the program /usr/bin/restic, 0.17 or newer, which is copied from it into pods of database.image. A tag that tells an older one is
	// refused. Production needs a tag with a full version or a digest. Default: restic/restic:0.19.1.
	Image string `json:"image"`
	// Resources of each container. Least memory: 256Mi. Default: 250m of CPU, 512Mi of memory and 2Gi of ephemeral storage.
	Resources Resources `json:"resources"`
}

// BackupKeep says which snapshots are kept: each of the four keeps its own, and what none keeps goes. At least one is above 0.
type BackupKeep struct {
	// Last are the newest, whenever they were made, 0 to 1000. Default: 3.
	Last int `json:"last"`
	// Daily is of how many days the last one is kept, 0 to 1000. Default: 14.
	Daily int `json:"daily"`
	// Weekly is of how many weeks the last one is kept, 0 to 1000. Default: 8.
	Weekly int `json:"weekly"`
	// Monthly is of how many months the last one is kept, 0 to 1000. Default: 12.
	Monthly int `json:"monthly"`
}

// BackupContent is whether wp-content is saved, and what of it.
type BackupContent struct {
	// Enabled saves wp-content after the database. Default: true.
	Enabled *bool `json:"enabled"`
	// Exclude lists folders of wp-content that are not saved, by their paths in it. Default: cache, upgrade and upgrade-temp-backup.
	Exclude []string `json:"exclude"`
}

// BackupDrill restores the newest run of the backup into a MySQL of its own, with none of the site's passwords, and fails unless the site is in it:
// its tables are sound, its address is the site's, its posts are there, and every upload that the database speaks of is among the files, of
// which some are read and compared.
type BackupDrill struct {
	// Enabled has it run. Default: true.
	Enabled *bool `json:"enabled"`
	// Schedule in the five fields of cron, in UTC. Default: 47 6 * * *, every morning.
	Schedule string `json:"schedule"`
	// MinimumPosts is how many published posts and pages there must be, 0 to 1000000; and never less than nine tenths of what the last drill
	// found that passed. Default: 1.
	MinimumPosts int `json:"minimumPosts"`
	// MissingUploads is how many uploads may be missing, 0 to 1000000, because they are missing on the site as well. Default: 0.
	MissingUploads int `json:"missingUploads"`
	// Resources of the drill's container, and of a restore to a second, which hold the whole database in their ephemeral storage. Least memory: 768Mi. Default: 250m of CPU,
	// 1Gi of memory and 10Gi of ephemeral storage.
	Resources Resources `json:"resources"`
}

// BackupBootstrap has a new stack begin as the site that was, in this cluster or another one: before WordPress starts, a run of the backup is restored
// into a database that has no table. Nobody meets an installation page meanwhile. A site that is there stays as it is.
type BackupBootstrap struct {
	// Snapshot is latest for the newest complete run, or the name of one, such as run-20261129T021700Z. Unset: a new stack begins as a new site.
	Snapshot string `json:"snapshot"`
	// From is the address of the site that the run is of, where this one has another, such as https://www.example.com: every link in the database that
	// leads there leads here afterwards, also in what plugins keep as PHP values or JSON. Unset: the run must be of this address.
	From string `json:"from"`
}

// BackupBinlog has MySQL keep a binary log, and brings it to the storage every few minutes: make restore AT='2026-11-29 14:03:07' has the database as it was at
// the beginning of that second. Turning it on or off restarts MySQL.
type BackupBinlog struct {
	// Enabled keeps the log. The first second that can be restored is after the first run of the backup that comes then. Default: false.
	Enabled *bool `json:"enabled"`
	// Seconds is how old what the storage has of the log may be, and so how much is lost with the database's volume, 60 to 3600. Default: 300.
	Seconds int `json:"seconds"`
	// KeepDays is of how many days any second can be restored, 1 to 90; keep.daily must be more. Default: 7.
	KeepDays int `json:"keepDays"`
	// Image is of the server's release, keeps the contract of the official image and has the program mysqlbinlog, which that one lacks:
	// docs/examples/mysqlbinlog has a Dockerfile for it. Production needs a tag with a full version or a digest. Required with enabled.
	Image string `json:"image"`
}

// BackupMetrics is a Pushgateway, which keeps the last success and failure, sizes and counts of backup, care and drill for a Prometheus to fetch.
type BackupMetrics struct {
	// Enabled runs it. Default: true.
	Enabled *bool `json:"enabled"`
	// Image keeps the contract of prom/pushgateway. Production needs a tag with a full version or a digest. Default: prom/pushgateway:v1.11.2.
	Image string `json:"image"`
}

// Autoscaling is the horizontal pod autoscaler of the frontend.
type Autoscaling struct {
	// Enabled hands the number of pods to the autoscaler. Default: true.
	Enabled *bool `json:"enabled"`
	// MinReplicas is the least number of pods, 1 to 1000; production needs 2. Default: 3.
	MinReplicas int `json:"minReplicas"`
	// MaxReplicas is the greatest number of pods, 1 to 1000, no less than minReplicas. Default: 6.
	MaxReplicas int `json:"maxReplicas"`
	// CPUUtilization is the target in percent of the CPU request, 1 to 90, or to 90 percent of cpuLimit where that is given: the autoscaler acts on more than a tenth above it,
	// and a pod never uses more than its request. Default: 60.
	CPUUtilization int `json:"cpuUtilization"`
	// ScaleDownStabilizationSeconds is how long the load must stay low before pods are taken away, 0 to
	// 3600. Default: 300.
	ScaleDownStabilizationSeconds *int `json:"scaleDownStabilizationSeconds"`
}

// IngressKind is the kind of object that publishes the site.
type IngressKind string

// The ingress kinds.
const (
	// IngressTraefik writes Traefik 3 IngressRoutes.
	IngressTraefik IngressKind = "traefik"
	// IngressStandard writes a networking.k8s.io/v1 Ingress.
	IngressStandard IngressKind = "ingress"
	// IngressNone writes nothing; the Service is all there is.
	IngressNone IngressKind = "none"
)

// Ingress is how visitors reach the site.
type Ingress struct {
	// Kind of object that publishes the site: traefik, ingress or none. Default: traefik.
	Kind IngressKind `json:"kind"`
	// ClassName selects the controller that serves the objects. Unset: the cluster's default.
	ClassName string `json:"className"`
	// Annotations of the Ingress object, for what its controller defines. Kind ingress only.
	Annotations map[string]string `json:"annotations"`
	// TLS is where the certificate comes from.
	TLS TLS `json:"tls"`
	// RedirectToHTTPS answers plain http with a permanent redirect that keeps path and query. Kind
	// ingress cannot do it portably and refuses true. Default: true for kind traefik, else false.
	RedirectToHTTPS *bool `json:"redirectToHTTPS"`
	// ClientAddress says where the controller finds a visitor's address: connection, where visitors connect to it themselves or
	// a load balancer keeps their address (externalTrafficPolicy Local, PROXY protocol); forwarded, in the X-Forwarded-For of
	// proxies before it, which it must be set up to trust; hidden, nowhere. WordPress and the access log take the address from
	// there, and limits for each client need one: hidden turns them off. Production asks for it with kind traefik. Default: hidden.
	ClientAddress ClientAddress `json:"clientAddress"`
	// Proxies before the controller that each append an address to X-Forwarded-For, 1 to 10: so many are passed over from the
	// right, where the controller has appended that of the last of them. Fewer let visitors be taken for a proxy, more let them
	// make addresses up. With clientAddress forwarded only. Default: 1.
	Proxies int `json:"proxies"`
	// LoginLimit bounds the requests of each client to /wp-login.php and, where it is answered, /xmlrpc.php.
	LoginLimit LoginLimit `json:"loginLimit"`
}

// ClientAddress says where the ingress controller finds a visitor's address.
type ClientAddress string

// Where a visitor's address can be found.
const (
	// AddressOfConnection is that of the visitor's own connection.
	AddressOfConnection ClientAddress = "connection"
	// AddressForwarded is in X-Forwarded-For.
	AddressForwarded ClientAddress = "forwarded"
	// AddressHidden is nowhere: all visitors seem to be one.
	AddressHidden ClientAddress = "hidden"
)

// LoginLimit bounds the requests of each client to /wp-login.php and, where it is answered, /xmlrpc.php. A client is an IPv4
// address, or a /64 network of IPv6. What is above a limit gets status 429 from the controller and never reaches a pod.
type LoginLimit struct {
	// Enabled turns the limit on. Kind traefik only, and not with clientAddress hidden; in production, where it cannot be on it
	// needs to be said that false is meant. Default: true for kind traefik where clientAddress is not hidden, else false.
	Enabled *bool `json:"enabled"`
	// RequestsPerMinute of one client on average, 1 to 6000; a log-in takes two. Each pod of the controller counts for itself, and
	// forgets a client that has sent none for 60/requestsPerMinute + 1 seconds. Default: 10.
	RequestsPerMinute int `json:"requestsPerMinute"`
	// Burst is how many requests of one client may come before the average counts, 1 to 1000; as many again each time that the
	// controller has forgotten the client. Default: 10.
	Burst int `json:"burst"`
	// Concurrent requests of one client in progress, which is how many workers of the pods it can hold: 1 to 256, and fewer than
	// frontend.workers. Default: 1.
	Concurrent *int `json:"concurrent"`
}

// TLS is where the certificate comes from: at most one of the sources. None of them means no HTTPS, which
// production refuses unless the ingress kind is none.
type TLS struct {
	// CertResolver is the name of Traefik's ACME resolver. Kind traefik only.
	CertResolver string `json:"certResolver"`
	// Domains that the resolver asks a certificate for; one of them, or a wildcard, covers site.host. With
	// certResolver only. Unset: the site's host.
	Domains []string `json:"domains"`
	// ExistingSecret names a Secret of type kubernetes.io/tls in the namespace.
	ExistingSecret string `json:"existingSecret"`
	// ClusterIssuer is the cert-manager ClusterIssuer that a Certificate is requested from.
	ClusterIssuer string `json:"clusterIssuer"`
	// DefaultCertificate serves the certificate that the ingress controller is set up with. Kind traefik only.
	// Default: false.
	DefaultCertificate bool `json:"defaultCertificate"`
	// MinVersion of TLS that visitors must speak: TLSv1.2 or TLSv1.3; of 1.2, only ciphers with forward secrecy and authenticated
	// encryption. Kind traefik only. Default: TLSv1.2.
	MinVersion TLSVersion `json:"minVersion"`
}

// TLSVersion is a version of TLS.
type TLSVersion string

// The versions of TLS that can be configured; RFC 8996 deprecates the earlier ones.
const (
	TLS12 TLSVersion = "TLSv1.2"
	TLS13 TLSVersion = "TLSv1.3"
)

// UsesRepository reports whether the stack saves its site, or begins as one that was saved.
func (b *Backup) UsesRepository() bool { return *b.Enabled || b.Bootstrap.Snapshot != "" }

// HTTPS reports whether visitors come over HTTPS. With no ingress of ours, whatever stands before the Service speaks it in
// production.
func (s *Stack) HTTPS() bool {
	return s.Ingress.TLS.Enabled() || s.Ingress.Kind == IngressNone && s.Profile == Production
}

// URL is where visitors find the site, and what WordPress calls itself.
func (s *Stack) URL() string {
	if s.HTTPS() {
		return "https://" + s.Site.Host
	}
	return "http://" + s.Site.Host
}

// Enabled reports whether any source of a certificate is given.
func (t TLS) Enabled() bool {
	return t.CertResolver != "" || t.ExistingSecret != "" || t.ClusterIssuer != "" || t.DefaultCertificate
}

// Network is which connections the pods may accept and open: the edge reaches WordPress, WordPress reaches MySQL and DNS, and
// nothing else. It takes effect where the cluster's network enforces NetworkPolicies.
type Network struct {
	// Enabled denies every connection of the namespace's pods but those that follow from this section; production refuses
	// false. Default: true.
	Enabled *bool `json:"enabled"`
	// Edge is where visitors' requests come from.
	Edge NetworkEdge `json:"edge"`
	// DNS is where names are looked up.
	DNS NetworkDNS `json:"dns"`
	// Database is where the external database is.
	Database NetworkDatabase `json:"database"`
	// Egress lists what else WordPress may reach, such as a mail server or the update servers of WordPress: objects of a
	// network or pods of the cluster, and TCP ports. WordPress itself refuses requests to every other port at once. Unset: nothing.
	Egress []NetworkDestination `json:"egress"`
	// Proxy is what WordPress asks the web through.
	Proxy NetworkProxy `json:"proxy"`
}

// NetworkProxy is an HTTP proxy that WordPress sends its requests to other servers through; requests to the site itself, and those that
// plugins make by other means than WordPress's own, do not go there.
type NetworkProxy struct {
	// Host is the proxy's DNS name or IPv4 address. Unset: there is none.
	Host string `json:"host"`
	// Port that the proxy listens on, 1 to 65535; one that network.egress lets out. Required with host.
	Port *int `json:"port"`
	// Bypass are hosts that are asked without the proxy, such as search.example.com or *.example.com. Unset: none.
	Bypass []string `json:"bypass"`
}

// NetworkEdge is where visitors' requests come from: pods, addresses or both.
type NetworkEdge struct {
	// Namespace of the ingress controller's pods. Required with ingress.kind ingress or none, unless cidrs are given.
	// Default: traefik with ingress.kind traefik, unless cidrs are given.
	Namespace string `json:"namespace"`
	// PodLabels that the ingress controller's pods carry; {} stands for all pods of the namespace. Default:
	// app.kubernetes.io/name: traefik with ingress.kind traefik, else {}.
	PodLabels map[string]string `json:"podLabels"`
	// CIDRs are networks that requests come from: those of the nodes where the ingress controller uses its node's network,
	// those of the load balancer where it sends to pods by itself. Required with frontend.service.type NodePort. Unset: none.
	CIDRs []string `json:"cidrs"`
}

// NetworkDNS is where names are looked up: pods, addresses or both.
type NetworkDNS struct {
	// Namespace of the DNS server's pods. Default: kube-system.
	Namespace string `json:"namespace"`
	// PodLabels that the DNS server's pods carry; {} stands for all pods of the namespace. Default: k8s-app: kube-dns.
	PodLabels map[string]string `json:"podLabels"`
	// CachePodLabels that the pods of a DNS cache on every node carry, in the same namespace; {} stands for all pods there. A cluster
	// without one has no such pods. Default: k8s-app: node-local-dns.
	CachePodLabels map[string]string `json:"cachePodLabels"`
	// CIDRs are addresses of DNS servers outside of pods. NodeLocal DNSCache has two: 169.254.20.10/32, and that of the Service
	// kube-dns. Unset: none.
	CIDRs []string `json:"cidrs"`
	// Port that the DNS servers listen on, UDP and TCP, 1 to 65535: the pods', not their Service's. Default: 53.
	Port int `json:"port"`
}

// NetworkDatabase is where the external database is: pods, addresses or both. Mode external only.
type NetworkDatabase struct {
	// Namespace of the database's pods, where it runs in the same cluster. Unset: it does not.
	Namespace string `json:"namespace"`
	// PodLabels that the database's pods carry. Unset: all pods of the namespace.
	PodLabels map[string]string `json:"podLabels"`
	// CIDRs that hold the database's addresses. Default: the address in database.host; a DNS name there has no default,
	// because a policy holds addresses, not names.
	CIDRs []string `json:"cidrs"`
	// Port that the database's pods listen on, where that is not the one that a Service in front of them has: policies see what
	// is behind the Service. 1 to 65535. Default: database.port.
	Port *int `json:"port"`
}

// NetworkDestination is what WordPress may reach: a network, pods of the cluster, or both.
type NetworkDestination struct {
	// CIDR is the network, such as 203.0.113.25/32. One that holds private networks leaves them out, so that 0.0.0.0/0 is
	// the public internet. Required unless namespace is given.
	CIDR string `json:"cidr"`
	// Namespace of the pods, where what is reached runs in the same cluster, such as a cache or a mail relay. Unset: no pods.
	Namespace string `json:"namespace"`
	// PodLabels that the pods carry. Unset: all pods of the namespace.
	PodLabels map[string]string `json:"podLabels"`
	// Ports that are reached there by TCP, 1 to 65535: those of the pods, not of their Service. Required.
	Ports []int `json:"ports"`
}

// PodSecurity is whom the pods run as, and whose their volumes are. Whatever is set here, no pod runs as root or has a capability.
type PodSecurity struct {
	// FromCluster leaves user, group, fsGroup and SELinux level of every pod out, for a cluster that sets them itself and refuses pods that
	// bring their own, as OpenShift does. A cluster that sets none refuses the pods, because their images start as root. Default: false.
	FromCluster bool `json:"fromCluster"`
	// SELinuxLevel of every pod, such as s0:c123,c456: on nodes with SELinux, all pods that share a volume need the same. Unset: the
	// container runtime gives each pod one.
	SELinuxLevel string `json:"seLinuxLevel"`
	// Frontend is whom WordPress's pods run as, those of its CronJob included.
	Frontend PodUser `json:"frontend"`
	// Database is whom MySQL's pod runs as. Mode standalone only. A changed user or group restarts MySQL.
	Database PodUser `json:"database"`
	// Cache is whom the cache's pods run as. With cache.enabled only.
	Cache PodUser `json:"cache"`
}

// PodUser is whom the pods of a tier run as. Each tier has its own, since a storage that says whose files are is mostly that of one.
type PodUser struct {
	// UserID of every process, 1 to 2147483647; production needs one above 10000, as no user of a node has. Where storage ignores
	// fsGroup, the owner of the volume. Default: 10033 for the frontend, 10999 for the database, 10101 for the cache.
	UserID *int `json:"userID"`
	// GroupID of every process, 1 to 2147483647; production needs one above 10000. Default: userID.
	GroupID *int `json:"groupID"`
	// FSGroup is a further group of every process, 1 to 2147483647, which the kubelet gives the volumes to where their driver has it do
	// so. Default: groupID.
	FSGroup *int `json:"fsGroup"`
}
