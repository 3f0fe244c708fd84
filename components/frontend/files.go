package frontend

import (
	"embed"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"text/template"

	"wordpress-on-kubernetes/components/forwarded"
	"wordpress-on-kubernetes/components/limits"
)

// Keys of the ConfigMap, which are also the names of the files here.
const (
	portsKey    = "ports.conf"
	siteKey     = "site.conf"
	phpKey      = "php.ini"
	wpConfigKey = "wp-config.php"
	seedKey     = "seed.sh"
	startupKey  = "startup.php"
	picturesKey = "pictures.php"
	connectKey  = "connect.php"
	installKey  = "install.php"
	// requestsKey, updatesKey, databaseKey and pagesKey are parts of wp-config.php.
	requestsKey = "requests.php"
	updatesKey  = "updates.php"
	databaseKey = "database.php"
	pagesKey    = "pages.php"
	// cacheKey is the part of wp-config.php that works with a cache before the pods, and is there only where there is one.
	cacheKey = "cache.php"
	// patientKey is the class of the database that databaseKey has WordPress use.
	patientKey = "patient.php"
	// maintenanceKey is where WordPress looks for an update that is under way, and filesystemKey what writes that elsewhere.
	maintenanceKey = "maintenance.php"
	filesystemKey  = "filesystem.php"
	// caBundleKey is there only where the stack names authorities of its own.
	caBundleKey = "database-ca.crt"
)

const (
	connectPath  = configPath + "/" + connectKey
	caBundlePath = configPath + "/" + caBundleKey
	picturesPath = configPath + "/" + picturesKey
	// imageAuthorities is where Debian, which the image is made of, keeps the authorities that it trusts, by their hashes.
	imageAuthorities = "/etc/ssl/certs"
)

//go:embed files
var sources embed.FS

// templates are all files; those without placeholders are templates that change nothing.
var templates = template.Must(template.New("").Funcs(template.FuncMap{"php": phpString, "join": strings.Join}).ParseFS(sources, "files/*"))

// siteFiles are the files that the pods run with.
func siteFiles(args *Args) map[string]string {
	values := map[string]any{
		"SitePort":           SitePort,
		"StartupAgent":       startupAgent,
		"ProbePort":          probePort,
		"CorePath":           corePath,
		"HealthPath":         healthPath,
		"SiteURL":            args.SiteURL,
		"IsClosed":           args.Outgoing.isClosed(),
		"OutgoingPorts":      outgoingPorts(args.Outgoing),
		"Proxy":              args.Outgoing.Proxy,
		"LoopbackSlots":      args.Workers - 1,
		"Workers":            args.Workers,
		"RequestMemoryBytes": args.RequestMemoryBytes,
		"MaxRequestSeconds":  args.MaxRequestSeconds,
		"MaxUploadBytes":     args.MaxUploadBytes,
		"MaxBodyBytes":       limits.MaxBodyBytes(args.MaxUploadBytes),
		"DatabaseFlags":      limits.ConnectFlags(args.Database.TLS != nil, args.Database.TLS != nil && args.Database.TLS.Verify),
		"CABundlePath":       "",
		"ImageAuthorities":   imageAuthorities,
		"Headers":            args.Headers.Always(),
		"HSTSSeconds":        args.Headers.HSTSSeconds,
		"XMLRPC":             args.XMLRPC,
		"NoRobots":           args.Headers.NoRobots,
		"NoMail":             args.NoMail,
		"Proxies":            args.Proxies,
		"BuffersBodies":      args.BuffersBodies,
		"SendBufferBytes":    sendBufferBytes,
		"FromEdge":           fromEdge(args.TrustedProxies),
		"VisitorPatterns":    visitorPatterns(args),
		"HearsayHeaders":     hearsayHeaders,
		"PictureMemoryBytes": args.PictureMemoryBytes,
		"PicturesPath":       picturesPath,
		// The last third of a request's time is for the picture itself.
		"PicturePatienceSeconds": args.MaxRequestSeconds * 2 / 3,
		"ConnectPath":            connectPath,
		"AdminPasswordPath":      adminPath + "/" + AdminPasswordKey,
		"Title":                  args.Title,
		"Admin":                  args.Admin,
		"Cron":                   args.Cron,
		"BootstrapMarker":        limits.BootstrapMarker,
		"RequestsPath":           configPath + "/" + requestsKey,
		"UpdatesPath":            configPath + "/" + updatesKey,
		"FilesystemPath":         configPath + "/" + filesystemKey,
		"DatabasePath":           configPath + "/" + databaseKey,
		"PagesPath":              configPath + "/" + pagesKey,
		"PatientPath":            configPath + "/" + patientKey,
		// The rest of a request's time is for its page. Nobody looks at a page that long, whatever a request may take.
		"DatabasePatienceSeconds": min(args.MaxRequestSeconds*5/6, 60),
	}
	values["Scheme"], values["Host"], _ = strings.Cut(args.SiteURL, "://")
	maps.Copy(values, cacheValues(args))
	files := make(map[string]string)
	if hasCABundle(args) {
		values["CABundlePath"] = caBundlePath
		files[caBundleKey] = args.Database.TLS.CABundle
	}
	for _, key := range fileKeys(args) {
		files[key] = render(key, values)
	}
	return files
}

// cacheValues are what the files say of a cache.
func cacheValues(args *Args) map[string]any {
	return map[string]any{
		"Cache":        args.Cache,
		"CachePath":    configPath + "/" + cacheKey,
		"AskHeader":    AskHeader,
		"AskVariable":  "HTTP_" + strings.ToUpper(strings.ReplaceAll(AskHeader, "-", "_")),
		"PurgeKey":     PurgeKey,
		"PurgePurpose": PurgePurpose,
	}
}

// fileKeys are the files that every pod has, and the one for a cache.
func fileKeys(args *Args) []string {
	keys := []string{
		portsKey, siteKey, phpKey, wpConfigKey, picturesKey, requestsKey, updatesKey, databaseKey, pagesKey, patientKey, maintenanceKey,
		filesystemKey, seedKey, startupKey, connectKey, installKey,
	}
	if args.Cache != nil {
		keys = append(keys, cacheKey)
	}
	return keys
}

// startupAgent is how the request of files/startup.php to its own pod calls itself.
const startupAgent = "startup"

// sendBufferBytes are what the kernel keeps of an answer, so that the process which made it is free again while a slow visitor still
// reads. Pages, scripts and most pictures are smaller. The kernel doubles it, counts it as the pod's memory, and gives less where the node's
// net.core.wmem_max is less, which is 208 KiB on most.
const sendBufferBytes = 512 << 10

// hearsayHeaders are other headers that name a visitor's address by some convention; WordPress's own list of them, and the best known
// of content delivery networks. Nobody has checked them.
var hearsayHeaders = []string{
	"CF-Connecting-IP", "Client-IP", "Forwarded", "Forwarded-For", "True-Client-IP", "X-Client-IP", "X-Cluster-Client-IP", "X-Forwarded",
}

// fromEdge is Apache's expression for a request that comes from one of the networks.
func fromEdge(networks []string) string {
	terms := make([]string, 0, len(networks))
	for _, network := range networks {
		terms = append(terms, fmt.Sprintf("%%{CONN_REMOTE_ADDR} -ipmatch '%s'", network))
	}
	return strings.Join(terms, " || ")
}

// visitorPatterns find the visitor's address in X-Forwarded-For. None where nobody is believed.
func visitorPatterns(args *Args) []string {
	if len(args.TrustedProxies) == 0 {
		return nil
	}
	return forwarded.Patterns(args.Proxies, "")
}

// outgoingPorts is PHP's list of the ports that requests may go to, or null where none is refused one by one.
func outgoingPorts(outgoing OutgoingArgs) string {
	if outgoing.IsOpen || outgoing.isClosed() {
		return "null"
	}
	ports := make([]string, 0, len(outgoing.Ports))
	for _, port := range outgoing.Ports {
		ports = append(ports, strconv.Itoa(port))
	}
	return "[" + strings.Join(ports, ", ") + "]"
}

func hasCABundle(args *Args) bool {
	return args.Database.TLS != nil && args.Database.TLS.CABundle != ""
}

func render(key string, values map[string]any) string {
	var text strings.Builder
	// The templates are compiled in and get plain values: a failure is a mistake in this package.
	if err := templates.ExecuteTemplate(&text, key, values); err != nil {
		panic(fmt.Sprintf("frontend: file %s: %v", key, err))
	}
	return text.String()
}

// phpString is a PHP string literal for any text.
func phpString(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
