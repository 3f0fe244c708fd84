package main

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"wordpress-on-kubernetes/components/autoscaling"
	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/components/cache"
	"wordpress-on-kubernetes/components/cron"
	"wordpress-on-kubernetes/components/database"
	"wordpress-on-kubernetes/components/frontend"
	"wordpress-on-kubernetes/components/guard"
	"wordpress-on-kubernetes/components/headers"
	"wordpress-on-kubernetes/components/ingress"
	"wordpress-on-kubernetes/components/limits"
	"wordpress-on-kubernetes/components/namespace"
	"wordpress-on-kubernetes/components/network"
	"wordpress-on-kubernetes/components/passwords"
	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/components/pod"
	"wordpress-on-kubernetes/components/rules"
	"wordpress-on-kubernetes/components/storage"
	"wordpress-on-kubernetes/config"
)

func namespaceArgs(ctx *pulumi.Context, stack *config.Stack, watch *guard.Watch) *namespace.Args {
	return &namespace.Args{
		Name:     stack.Namespace,
		Instance: ctx.Stack(),
		Existing: !*stack.CreateNamespace,
		Protect:  *stack.Storage.Protect,
		Seal:     rand.Text(),
		Watch:    watch,
	}
}

// guardArgs are all but the lookup, from the objects that the stack is going to be.
func guardArgs(ctx *pulumi.Context, stack *config.Stack, planned []plan.Object) guard.Args {
	args := guard.Args{
		Project: ctx.Project(),
		Stack:   ctx.Stack(),
		Preview: ctx.DryRun(),
		Named:   named(stack),
		Tell: func(message string) {
			// What the engine cannot show is no reason to stop.
			_ = ctx.Log.Warn(message, nil)
		},
	}
	for _, object := range planned {
		args.Planned = append(args.Planned, guard.Object{
			APIVersion: object.APIVersion(), Kind: object.Kind(), Namespace: object.Namespace(), Name: object.Name(),
		})
	}
	return args
}

// named are the objects of others that the configuration names by keys that stand for the program's own.
func named(stack *config.Stack) []guard.Named {
	var all []guard.Named
	if !*stack.CreateNamespace {
		all = append(all, guard.Named{
			Object:  guard.Object{APIVersion: "v1", Kind: "Namespace", Name: stack.Namespace},
			Setting: "wordpress:createNamespace: false",
			Labels:  namespace.PodSecurityLabels(),
		})
	}
	claim := func(setting, name, mode string) {
		if name == "" {
			return
		}
		all = append(all, guard.Named{
			Object:     guard.Object{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: stack.Namespace, Name: name},
			Setting:    "wordpress:" + setting,
			AccessMode: mode,
			Later:      *stack.CreateNamespace,
		})
	}
	claim("storage.content.existingClaim", stack.Storage.Content.ExistingClaim, string(stack.Storage.Content.AccessMode))
	if stack.Database.Mode == config.Standalone {
		claim("storage.database.existingClaim", stack.Storage.Database.ExistingClaim, "")
	}
	return all
}

func networkArgs(ctx *pulumi.Context, stack *config.Stack, space *namespace.Namespace) *network.Args {
	settings := stack.Network
	args := &network.Args{
		Namespace: space.Name,
		Instance:  ctx.Stack(),
		Shared:    !*stack.CreateNamespace,
		Frontend:  network.PodsArgs{Selector: frontend.Selector(), Port: frontend.SitePort},
		Edge: network.PeersArgs{
			Namespace: settings.Edge.Namespace, PodLabels: settings.Edge.PodLabels, CIDRs: settings.Edge.CIDRs,
		},
		DNS: network.PeersArgs{
			Namespace: settings.DNS.Namespace, PodLabels: settings.DNS.PodLabels, CIDRs: settings.DNS.CIDRs,
		},
		DNSCacheLabels: settings.DNS.CachePodLabels,
		DNSPort:        settings.DNS.Port,
		ACMESolver:     stack.SolvesChallenges(),
	}
	if stack.Database.Mode == config.Standalone {
		args.Database = &network.PodsArgs{Selector: database.Selector(), Port: database.Port}
	} else {
		args.ExternalDatabase = &network.DestinationArgs{
			Peers: network.PeersArgs{
				Namespace: settings.Database.Namespace,
				PodLabels: settings.Database.PodLabels,
				CIDRs:     settings.Database.CIDRs,
			},
			Ports: []int{*settings.Database.Port},
		}
	}
	if *stack.Site.Cron.Enabled {
		args.Cron = cron.Selector()
	}
	if *stack.Cache.Enabled {
		args.Cache = &network.CacheArgs{
			Pods: network.PodsArgs{Selector: cache.Selector(), Port: cache.SitePort}, PurgePort: cache.PurgePort,
		}
	}
	args.Egress = destinations(settings.Egress)
	if stack.Backup.UsesRepository() {
		args.Backup = &network.BackupArgs{Selector: backup.Selector(), Storage: destinations(stack.Backup.Destination)}
	}
	if *stack.Backup.Enabled {
		args.Backup.Repository = backup.RepositorySelector()
		if *stack.Backup.Binlog.Enabled {
			args.Backup.Binlog = backup.BinlogSelector()
		}
		if *stack.Backup.Metrics.Enabled {
			args.Backup.Gateway = &network.PodsArgs{Selector: backup.GatewaySelector(), Port: backup.GatewayPort}
		}
	}
	return args
}

func destinations(settings []config.NetworkDestination) []network.DestinationArgs {
	var all []network.DestinationArgs
	for _, destination := range settings {
		all = append(all, network.DestinationArgs{
			Peers: network.PeersArgs{Namespace: destination.Namespace, PodLabels: destination.PodLabels, CIDRs: cidrs(destination)},
			Ports: destination.Ports,
		})
	}
	return all
}

func cidrs(destination config.NetworkDestination) []string {
	if destination.CIDR == "" {
		return nil
	}
	return []string{destination.CIDR}
}

// outgoing says what WordPress may ask other servers for; the network policies say the same to the network.
func outgoing(settings config.Network) frontend.OutgoingArgs {
	args := frontend.OutgoingArgs{IsOpen: !*settings.Enabled}
	for _, destination := range settings.Egress {
		args.Ports = append(args.Ports, destination.Ports...)
	}
	slices.Sort(args.Ports)
	args.Ports = slices.Compact(args.Ports)
	if proxy := settings.Proxy; proxy.Host != "" {
		args.Proxy = &frontend.ProxyArgs{Host: proxy.Host, Port: *proxy.Port, Bypass: proxy.Bypass}
	}
	return args
}

func storageArgs(ctx *pulumi.Context, stack *config.Stack, space *namespace.Namespace) *storage.Args {
	content := stack.Storage.Content
	args := &storage.Args{
		Namespace:         space.Name,
		Instance:          ctx.Stack(),
		Content:           &storage.VolumeArgs{StorageClass: content.StorageClass, Size: content.Size, Existing: content.ExistingClaim},
		ContentAccessMode: string(content.AccessMode),
		Protect:           *stack.Storage.Protect,
	}
	if stack.Database.Mode == config.Standalone {
		volume := stack.Storage.Database
		args.Database = &storage.VolumeArgs{StorageClass: volume.StorageClass, Size: volume.Size, Existing: volume.ExistingClaim}
	}
	if cephfs := stack.Storage.CephFS; cephfs.Create {
		args.CephFS = &storage.CephFSArgs{
			Filesystem: cephfs.Filesystem, Namespace: cephfs.Namespace, OperatorNamespace: cephfs.OperatorNamespace,
		}
	}
	return args
}

func databaseArgs(
	ctx *pulumi.Context, stack *config.Stack, keep *upkeep,
	space *namespace.Namespace, volumes *storage.Storage, closed []pulumi.Resource,
) *database.Args {
	settings := stack.Database
	beforePassword, afterPassword, beforeRootPassword := keep.databaseHooks()
	args := &database.Args{
		Namespace:      space.Name,
		Instance:       ctx.Stack(),
		Database:       settings.Name,
		User:           settings.User,
		Password:       secret(stack.DatabasePassword),
		BeforePassword: beforePassword,
		AfterPassword:  afterPassword,
		ExistingSecret: settings.ExistingSecret,
		FilesMade:      keep.fileHook(),
		BeforeServer:   keep.serverHook(),
		After:          closed,
	}
	if settings.Mode == config.External {
		args.External = &database.ExternalArgs{Host: settings.Host, Port: settings.Port}
		return args
	}
	args.Server = &database.ServerArgs{
		Image:                         stack.Mirrored(settings.Image),
		ImagePullPolicy:               string(stack.ImagePullPolicy),
		ImagePullSecrets:              stack.ImagePullSecrets,
		RootPassword:                  secret(stack.DatabaseRootPassword),
		BeforeRootPassword:            beforeRootPassword,
		User:                          podUser(stack, stack.PodSecurity.Database),
		Resources:                     resources(settings.Resources),
		MaxConnections:                *settings.MaxConnections,
		TerminationGracePeriodSeconds: settings.TerminationGracePeriodSeconds,
		DataClaim:                     volumes.DatabaseClaim,
	}
	if *stack.Backup.Binlog.Enabled {
		args.Server.BinlogSeconds = backup.BinlogServerSeconds
	}
	return args
}

func frontendArgs(
	ctx *pulumi.Context, stack *config.Stack, keep *upkeep,
	space *namespace.Namespace, volumes *storage.Storage, mysql *database.Database, before []pulumi.Resource,
) *frontend.Args {
	settings := stack.Frontend
	return &frontend.Args{
		Headers:                       headerPolicy(stack),
		XMLRPC:                        stack.Site.XMLRPC,
		NoMail:                        !*stack.Site.Mail,
		TrustedProxies:                stack.ProxiesOfWordPress(),
		Proxies:                       proxies(stack),
		BuffersBodies:                 stack.Ingress.Kind == config.IngressTraefik || *stack.Cache.Enabled,
		Cache:                         pageArgs(stack),
		Title:                         stack.Site.Title,
		Admin:                         adminArgs(stack, keep),
		Cron:                          *stack.Site.Cron.Enabled,
		Namespace:                     space.Name,
		Instance:                      ctx.Stack(),
		SiteURL:                       stack.URL(),
		Image:                         stack.Mirrored(settings.Image),
		ImagePullPolicy:               string(stack.ImagePullPolicy),
		ImagePullSecrets:              stack.ImagePullSecrets,
		Replicas:                      settings.Replicas,
		User:                          podUser(stack, stack.PodSecurity.Frontend),
		Resources:                     resources(settings.Resources),
		Workers:                       *settings.Workers,
		RequestMemoryBytes:            settings.RequestMemory.Value(),
		PictureMemoryBytes:            settings.PictureMemory.Value(),
		MaxUploadBytes:                settings.MaxUploadSize.Value(),
		MaxRequestSeconds:             settings.MaxRequestSeconds,
		RequireSpread:                 settings.Spread == config.SpreadRequired,
		MaxSurge:                      string(settings.MaxSurge),
		MaxUnavailable:                string(settings.MaxUnavailable),
		DisruptionBudget:              string(settings.DisruptionBudget.MaxUnavailable),
		DrainSeconds:                  settings.DrainSeconds,
		TerminationGracePeriodSeconds: settings.TerminationGracePeriodSeconds,
		LivenessProbe:                 settings.LivenessProbe,
		ServiceAnnotations:            settings.Service.Annotations,
		ServiceType:                   string(settings.Service.Type),
		NodePort:                      settings.Service.NodePort,
		ContentClaim:                  volumes.ContentClaim,
		Database: frontend.DatabaseArgs{
			Host:        mysql.Host,
			Name:        stack.Database.Name,
			TablePrefix: tablePrefix(stack),
			User:        stack.Database.User,
			SecretName:  mysql.SecretName,
			PasswordKey: database.PasswordKey,
			Password:    secret(stack.DatabasePassword),
			TLS:         databaseTLSArgs(stack),
		},
		Outgoing:           outgoing(stack.Network),
		AuthSecret:         secret(stack.AuthSecret),
		ExistingAuthSecret: settings.ExistingSecret,
		FilesMade:          keep.fileHook(),
		After:              slices.Concat(keep.unlessNew(mysql.Ready), before),
	}
}

// tablePrefix is empty where it is WordPress's own.
func tablePrefix(stack *config.Stack) string {
	if stack.Database.TablePrefix == config.DefaultTablePrefix {
		return ""
	}
	return stack.Database.TablePrefix
}

// pageArgs are nil where there is no cache.
func pageArgs(stack *config.Stack) *frontend.CacheArgs {
	if !*stack.Cache.Enabled {
		return nil
	}
	return &frontend.CacheArgs{
		Host: cache.Name, Port: cache.PurgePort, Path: cache.PurgePath,
		TTLSeconds: stack.Cache.TTLSeconds, StaleSeconds: stack.Cache.StaleSeconds,
	}
}

func cacheArgs(
	ctx *pulumi.Context, stack *config.Stack, keep *upkeep,
	space *namespace.Namespace, wordpress *frontend.Frontend, closed []pulumi.Resource,
) *cache.Args {
	settings := stack.Cache
	return &cache.Args{
		Namespace:         space.Name,
		Instance:          ctx.Stack(),
		SiteURL:           stack.URL(),
		Image:             stack.Mirrored(settings.Image),
		ImagePullPolicy:   string(stack.ImagePullPolicy),
		ImagePullSecrets:  stack.ImagePullSecrets,
		Replicas:          settings.Replicas,
		User:              podUser(stack, stack.PodSecurity.Cache),
		Resources:         resources(settings.Resources),
		SizeBytes:         settings.Size.Value(),
		StaleSeconds:      settings.StaleSeconds,
		Headers:           headerPolicy(stack),
		TrustedProxies:    stack.TrustedProxies(),
		Proxies:           proxies(stack),
		KnowsVisitors:     stack.Ingress.ClientAddress != config.AddressHidden,
		PageImage:         stack.Frontend.Image,
		MaxBodyBytes:      limits.MaxBodyBytes(stack.Frontend.MaxUploadSize.Value()),
		MaxRequestSeconds: stack.Frontend.MaxRequestSeconds,
		DrainSeconds:      stack.Frontend.DrainSeconds,
		WordPress: cache.WordPressArgs{
			PodsService: frontend.PodsService, Port: frontend.SitePort, Service: frontend.PHPService, ServicePort: frontend.ServicePort,
		},
		AskHeader:   frontend.AskHeader,
		KeySecret:   wordpress.AuthSecretName,
		SecretKey:   frontend.PurgeKey,
		Purpose:     frontend.PurgePurpose,
		KeyChecksum: wordpress.KeysChecksum,
		FilesMade:   keep.fileHook(),
		// With pods of WordPress of another revision it would work as well, but their purges may not be for it.
		After: slices.Concat(keep.unlessNew(wordpress.Ready), closed),
	}
}

// databasePasswords says who changes the passwords of the database, and how.
func databasePasswords(stack *config.Stack) string {
	switch {
	case stack.Database.ExistingSecret != "":
		return "of Secret " + stack.Database.ExistingSecret + ": changed on the server, there, and by a restart of the pods (docs/operations.md)"
	case stack.Database.Mode == config.External:
		return "of the server's owner: changed there first, then here (docs/operations.md)"
	default:
		return "changed by the stack's configuration alone"
	}
}

// adminArgs are nil where the program installs no site.
func adminArgs(stack *config.Stack, keep *upkeep) *frontend.AdminArgs {
	admin := stack.Site.Admin
	if !admin.Installs() {
		return nil
	}
	return &frontend.AdminArgs{
		User: admin.User, Email: admin.Email, Password: secret(stack.AdminPassword), ExistingSecret: admin.ExistingSecret,
		BeforePassword: keep.adminHook(),
	}
}

// databaseTLSArgs are nil where the connections are not encrypted. The program's own server is reached within the namespace, which
// network policies close.
func databaseTLSArgs(stack *config.Stack) *frontend.DatabaseTLSArgs {
	tls := stack.Database.TLS
	if stack.Database.Mode != config.External || tls.Mode == config.DatabaseTLSDisabled {
		return nil
	}
	return &frontend.DatabaseTLSArgs{Verify: tls.Mode == config.DatabaseTLSVerified, CABundle: tls.CABundle}
}

func cronArgs(ctx *pulumi.Context, stack *config.Stack, space *namespace.Namespace, wordpress *frontend.Frontend) *cron.Args {
	return &cron.Args{
		Namespace:        space.Name,
		Instance:         ctx.Stack(),
		Image:            stack.Mirrored(stack.Frontend.Image),
		ImagePullPolicy:  string(stack.ImagePullPolicy),
		ImagePullSecrets: stack.ImagePullSecrets,
		User:             podUser(stack, stack.PodSecurity.Frontend),
		Service:          wordpress.PHPService,
		ServicePort:      frontend.ServicePort,
		SiteURL:          stack.URL(),
		EveryMinutes:     stack.Site.Cron.EveryMinutes,
		WaitSeconds:      stack.Frontend.MaxRequestSeconds,
	}
}

func backupArgs(
	ctx *pulumi.Context, stack *config.Stack, space *namespace.Namespace, volumes *storage.Storage,
	mysql *database.Database, closed []pulumi.Resource,
) *backup.Args {
	settings := stack.Backup
	args := &backup.Args{
		Namespace:      space.Name,
		Instance:       ctx.Stack(),
		Repository:     settings.Repository,
		Password:       secret(stack.BackupPassword),
		AccessKey:      secret(stack.BackupAccessKey),
		SecretKey:      secret(stack.BackupSecretKey),
		ExistingSecret: settings.ExistingSecret,
		CABundle:       settings.CABundle,
		Schedule:       settings.Schedule,
		CareSchedule:   settings.CareSchedule,
		Keep:           backup.Keep(settings.Keep),
		Database: backup.DatabaseArgs{
			Name: stack.Database.Name, TablePrefix: stack.Database.TablePrefix,
			Own: backup.Account{User: stack.Database.User, Secret: mysql.SecretName, Key: database.PasswordKey},
		},
		ImagePullPolicy:  string(stack.ImagePullPolicy),
		ImagePullSecrets: stack.ImagePullSecrets,
		User:             podUser(stack, stack.PodSecurity.Frontend),
		Resources:        resources(settings.Resources),
		Images: backup.Images{
			Restic: stack.Mirrored(settings.Image), Database: stack.Mirrored(stack.Database.Image), WordPress: stack.Mirrored(stack.Frontend.Image),
		},
		Site:   backup.SiteArgs{URL: stack.URL()},
		From:   settings.Bootstrap.From,
		Import: resources(settings.Drill.Resources),
		After:  closed,
	}
	args.Database.Host, args.Database.Port = database.Service, database.Port
	if stack.Database.Mode == config.External {
		args.Database.Host, args.Database.Port = stack.Database.Host, stack.Database.Port
		if tls := databaseTLSArgs(stack); tls != nil {
			args.Database.TLS = &backup.TLSArgs{Verify: tls.Verify, CABundle: tls.CABundle}
		}
	}
	if *settings.Enabled && *settings.Metrics.Enabled {
		args.Gateway = &backup.GatewayArgs{Image: stack.Mirrored(settings.Metrics.Image)}
	}
	if *settings.Drill.Enabled {
		args.Drill = &backup.DrillArgs{
			Schedule: settings.Drill.Schedule, MinimumPosts: settings.Drill.MinimumPosts, MissingUploads: settings.Drill.MissingUploads,
			MaxAgeSeconds: int(settings.MaxAge().Seconds()), Resources: resources(settings.Drill.Resources),
		}
	}
	if *settings.Content.Enabled {
		args.Content = &backup.ContentArgs{Claim: volumes.ContentClaim, Excludes: settings.Content.Exclude}
		if stack.Storage.Content.AccessMode == config.ReadWriteOnce {
			args.Content.With = frontend.Selector()
		}
	}
	return args
}

// savingArgs are of what saves a site that is there.
func savingArgs(
	ctx *pulumi.Context, stack *config.Stack, keep *upkeep, space *namespace.Namespace, volumes *storage.Storage,
	mysql *database.Database, wordpress *frontend.Frontend, closed []pulumi.Resource,
) *backup.Args {
	args := backupArgs(ctx, stack, space, volumes, mysql, closed)
	args.Database.Dump, args.Database.Restore = backupAccounts(stack, args.Database.Own)
	args.Binlog = binlogArgs(stack)
	args.FilesMade = keep.fileHook()
	args.Site.Service, args.Site.ServicePort = wordpress.PHPService, frontend.ServicePort
	if *stack.Cache.Enabled {
		args.Site.Cache = &backup.CacheArgs{
			Host: cache.Name, Port: cache.PurgePort, Path: cache.PurgePath,
			KeySecret: wordpress.AuthSecretName, SecretKey: frontend.PurgeKey, Purpose: frontend.PurgePurpose,
		}
	}
	return args
}

// backupAccounts are of the program's own making in its own server. Of a server whose passwords it does not know it has WordPress's account.
func backupAccounts(stack *config.Stack, own backup.Account) (dump, restore backup.Account) {
	if stack.Database.Mode == config.External || stack.Database.ExistingSecret != "" {
		return own, own
	}
	return backup.Account{User: backup.DumpUser, Password: accountPassword(stack, backup.DumpUser)},
		backup.Account{User: backup.RestoreUser, Password: accountPassword(stack, backup.RestoreUser)}
}

// binlogArgs are nil where a restore is to a run alone.
func binlogArgs(stack *config.Stack) *backup.BinlogArgs {
	settings := stack.Backup.Binlog
	if !*settings.Enabled {
		return nil
	}
	const day = 24 * time.Hour
	return &backup.BinlogArgs{
		Image: stack.Mirrored(settings.Image), Seconds: settings.Seconds,
		// A second is restored from the run before it, which is as much older.
		KeepDays:        settings.KeepDays + int((stack.Backup.MaxAge()+day-1)/day),
		Account:         backup.Account{User: backup.BinlogUser, Password: accountPassword(stack, backup.BinlogUser)},
		ReplayResources: resources(stack.Backup.Drill.Resources),
	}
}

// accountPassword of an account that the program makes, a secret. It changes with root's.
func accountPassword(stack *config.Stack, user string) pulumi.StringInput {
	return secret(config.Secret(passwords.Derived(string(stack.DatabaseRootPassword), user)))
}

func autoscalingArgs(
	ctx *pulumi.Context, stack *config.Stack, space *namespace.Namespace, wordpress *frontend.Frontend,
) *autoscaling.Args {
	settings := stack.Autoscaling
	return &autoscaling.Args{
		Namespace:                     space.Name,
		Instance:                      ctx.Stack(),
		Deployment:                    wordpress.Deployment,
		MinReplicas:                   settings.MinReplicas,
		MaxReplicas:                   settings.MaxReplicas,
		CPUUtilization:                settings.CPUUtilization,
		ScaleDownStabilizationSeconds: *settings.ScaleDownStabilizationSeconds,
	}
}

func ingressArgs(
	ctx *pulumi.Context, stack *config.Stack, space *namespace.Namespace, wordpress *frontend.Frontend,
) *ingress.Args {
	settings := stack.Ingress
	args := &ingress.Args{
		Namespace:       space.Name,
		Instance:        ctx.Stack(),
		Kind:            ingress.Kind(settings.Kind),
		ClassName:       settings.ClassName,
		Annotations:     settings.Annotations,
		MaxBodyBytes:    limits.MaxBodyBytes(stack.Frontend.MaxUploadSize.Value()),
		Host:            stack.Site.Host,
		Service:         wordpress.Service,
		ServicePort:     frontend.ServicePortName,
		RedirectToHTTPS: *settings.RedirectToHTTPS,
		Headers:         headerPolicy(stack),
		Clients:         clientsArgs(stack),
		LoginLimit:      loginLimitArgs(stack),

		MaxRequestSeconds: stack.Frontend.MaxRequestSeconds,
	}
	if settings.TLS.Enabled() {
		args.TLS = &ingress.TLSArgs{
			CertResolver:   settings.TLS.CertResolver,
			Domains:        settings.TLS.Domains,
			ExistingSecret: settings.TLS.ExistingSecret,
			ClusterIssuer:  settings.TLS.ClusterIssuer,
			MinVersion:     traefikVersions[settings.TLS.MinVersion],
		}
	}
	return args
}

// terms are what the rules cannot see in the objects.
func terms(stack *config.Stack) rules.Terms {
	return rules.Terms{
		ExistingSecrets: append([]string{
			stack.Database.ExistingSecret, stack.Frontend.ExistingSecret, stack.Ingress.TLS.ExistingSecret,
			stack.Site.Admin.ExistingSecret, stack.Backup.ExistingSecret,
		}, stack.ImagePullSecrets...),
		ExistingClaims:    []string{stack.Storage.Content.ExistingClaim, stack.Storage.Database.ExistingClaim},
		ExternalDatabase:  stack.Database.Host,
		UnversionedImages: stack.Profile != config.Production,
		BurstableCPU:      stack.Frontend.Resources.CPULimit != nil || stack.Database.Resources.CPULimit != nil,
		OpenNetwork:       !*stack.Network.Enabled,
		UsersFromCluster:  stack.PodSecurity.FromCluster,
		UsersOfNodes:      stack.Profile != config.Production,
		Secrets: map[string]string{
			"wordpress:databasePassword":     string(stack.DatabasePassword),
			"wordpress:databaseRootPassword": string(stack.DatabaseRootPassword),
			"wordpress:authSecret":           string(stack.AuthSecret),
			"wordpress:adminPassword":        string(stack.AdminPassword),
			"wordpress:backupPassword":       string(stack.BackupPassword),
			"wordpress:backupSecretKey":      string(stack.BackupSecretKey),
		},
	}
}

// podUser is nobody where the cluster says who the pods run as.
func podUser(stack *config.Stack, user config.PodUser) pod.User {
	if stack.PodSecurity.FromCluster {
		return pod.User{}
	}
	return pod.User{ID: *user.UserID, GroupID: *user.GroupID, FSGroup: *user.FSGroup, SELinuxLevel: stack.PodSecurity.SELinuxLevel}
}

// traefikVersions are Traefik's names for the versions of TLS.
var traefikVersions = map[config.TLSVersion]string{config.TLS12: "VersionTLS12", config.TLS13: "VersionTLS13"}

// loginLimitArgs are nil where log-ins are not limited.
func loginLimitArgs(stack *config.Stack) *ingress.LoginLimitArgs {
	limit := stack.Ingress.LoginLimit
	if !*limit.Enabled {
		return nil
	}
	return &ingress.LoginLimitArgs{
		RequestsPerMinute: limit.RequestsPerMinute,
		Burst:             limit.Burst,
		Concurrent:        *limit.Concurrent,
		XMLRPC:            stack.Site.XMLRPC,
	}
}

// clientsArgs are nil where all visitors may seem to be one.
func clientsArgs(stack *config.Stack) *ingress.ClientsArgs {
	if stack.Ingress.Kind != config.IngressTraefik || stack.Ingress.ClientAddress == config.AddressHidden {
		return nil
	}
	return &ingress.ClientsArgs{Proxies: proxies(stack), Downloads: max(*stack.Frontend.Workers-1, 1)}
}

// proxies before the edge, which tell it the visitor's address.
func proxies(stack *config.Stack) int {
	if stack.Ingress.ClientAddress != config.AddressForwarded {
		return 0
	}
	return stack.Ingress.Proxies
}

// headerPolicy is the same for the pods and for the edge.
func headerPolicy(stack *config.Stack) headers.Policy {
	policy := headers.Policy{Embedding: stack.Site.Embedding, BrowserFeatures: stack.Site.BrowserFeatures, NoRobots: !*stack.Site.Robots}
	if stack.HTTPS() {
		policy.HSTSSeconds = &stack.Site.HSTSSeconds
	}
	return policy
}

// replicas is the number of frontend pods, or the range that the autoscaler chooses from.
func replicas(stack *config.Stack) string {
	if stack.Frontend.Replicas != nil {
		return fmt.Sprint(*stack.Frontend.Replicas)
	}
	return fmt.Sprintf("%d–%d", stack.Autoscaling.MinReplicas, stack.Autoscaling.MaxReplicas)
}

// secret is nil for a value that is not set, and never leaves the program in plain text otherwise.
func secret(value config.Secret) pulumi.StringInput {
	if value == "" {
		return nil
	}
	return pulumi.ToSecret(pulumi.String(string(value))).(pulumi.StringOutput)
}

func resources(r config.Resources) pod.Resources {
	return pod.Resources{CPU: r.CPU, CPULimit: r.CPULimit, Memory: r.Memory, EphemeralStorage: r.EphemeralStorage}
}
