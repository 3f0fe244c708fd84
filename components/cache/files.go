package cache

import (
	"embed"
	"fmt"
	"strings"
	"text/template"

	"wordpress-on-kubernetes/components/forwarded"
	"wordpress-on-kubernetes/components/headers"
	"wordpress-on-kubernetes/components/limits"
)

// Keys of the ConfigMap, which are also the names of the files here.
const (
	nginxKey = "nginx.conf"
	pageKey  = "page.js"
	startKey = "start.sh"
)

const (
	// configPath, secretsPath and cachePath hold what the program mounts.
	configPath  = "/etc/wordpress-cache"
	secretsPath = "/etc/wordpress-cache-secrets"
	cachePath   = "/var/cache/wordpress"

	healthPath = "/healthz"
	// PurgePath takes what WordPress has to say about pages that changed.
	PurgePath = "/purge"

	// healthCheckPath is a file of every WordPress, which load balancers may ask for whatever host they name.
	healthCheckPath = "/wp-includes/images/blank.gif"

	// sendBufferBytes are what the kernel keeps of an answer, so that what it was made from is free again while a slow visitor still
	// reads. The kernel doubles it and counts it as the pod's memory.
	sendBufferBytes = 128 << 10
)

// trackingArguments of a query are for those who count clicks. WordPress is not shown them, and the page is the same without; the names are
// those that advertisers and senders of mail put there, by their own documents.
var trackingArguments = []string{
	"utm_[a-z_]+", "gclid", "gbraid", "wbraid", "dclid", "gad_source", "gad_campaignid", "srsltid", "_gl", "fbclid", "msclkid", "twclid",
	"ttclid", "li_fat_id", "igshid", "yclid", "mc_[ce]id", "mkt_tok", "_hs(?:enc|mi)", "hsa_[a-z]+", "vero_(?:id|conv)", "oly_(?:anon|enc)_id",
	"ref_src", "s_cid", "epik", "pk_[a-z_]+", "mtm_[a-z_]+",
}

// cookies of a visitor for whom pages are made: logged in, or with something of his own in the page. By the beginnings of their names.
var cookies = []string{
	"wordpress_(?!test_cookie=)", "wp-postpass_", "comment_author", "wp-resetpass-", "wp_woocommerce_session_",
	"woocommerce_(?:items_in_cart|cart_hash|recently_viewed)", "edd_", "PHPSESSID",
}

// paths that are never the same for everybody, by their beginnings after any slash.
var paths = []string{
	"wp-admin(?:/|$)", "wp-login", "wp-json(?:/|$)", "wp-cron", "wp-comments-post", "wp-signup", "wp-activate", "wp-trackback", `xmlrpc\.php`,
	"cart/", "checkout/", "my-account/",
}

//go:embed files
var sources embed.FS

var templates = template.Must(template.ParseFS(sources, "files/*"))

// files are what the pods run with.
func files(args *Args) map[string]string {
	values := map[string]any{
		"ConfigPath":        configPath,
		"CachePath":         cachePath,
		"KeyPath":           secretsPath + "/" + args.SecretKey,
		"TokenPurpose":      args.Purpose,
		"SitePort":          SitePort,
		"PurgePort":         PurgePort,
		"PurgePath":         PurgePath,
		"HealthPath":        healthPath,
		"HealthCheckPath":   healthCheckPath,
		"AskHeader":         args.AskHeader,
		"MaxBodyBytes":      args.MaxBodyBytes,
		"MaxRequestSeconds": args.MaxRequestSeconds,
		"StaleSeconds":      args.StaleSeconds,
		"SendBufferBytes":   sendBufferBytes,
		"Uploads":           limits.CacheUploads,
		"UploadsOfOne":      limits.CacheUploads / 2,
		"KnowsVisitors":     args.KnowsVisitors,
		"SizeBytes":         args.SizeBytes,
		"KeysMebibytes":     keysMebibytes(args.SizeBytes),
		"TrustedProxies":    args.TrustedProxies,
		"VisitorPatterns":   forwarded.Patterns(args.Proxies, "address"),
		"TrackingArguments": strings.Join(trackingArguments, "|"),
		"Cookies":           strings.Join(cookies, "|"),
		"Paths":             strings.Join(paths, "|"),
		"Headers":           ownHeaders(args.Headers),
		"HSTSSeconds":       args.Headers.HSTSSeconds,
		"PodsService":       args.WordPress.PodsService,
		"PHPPort":           args.WordPress.Port,
		"Service":           args.WordPress.Service,
		"ServicePort":       args.WordPress.ServicePort,
	}
	values["Scheme"], values["Host"], _ = strings.Cut(args.SiteURL, "://")
	all := make(map[string]string)
	for _, key := range []string{nginxKey, pageKey, startKey} {
		all[key] = render(key, values)
	}
	return all
}

// ownHeader is a header of what the pods answer by themselves; Variable is its name as nginx writes it in variables.
type ownHeader struct {
	headers.Header
	Variable string
}

func ownHeaders(policy headers.Policy) (own []ownHeader) {
	for _, header := range policy.Always() {
		own = append(own, ownHeader{header, strings.ToLower(strings.ReplaceAll(header.Name, "-", "_"))})
	}
	return own
}

// keysMebibytes are nginx's notes of what is kept: 8,000 of them in a MiB, for pages of 8 KiB on average, compressed.
func keysMebibytes(size int64) int64 { return max(1, size/(64<<20)) }

func render(key string, values map[string]any) string {
	var text strings.Builder
	// The templates are compiled in and get plain values: a failure is a mistake in this package.
	if err := templates.ExecuteTemplate(&text, key, values); err != nil {
		panic(fmt.Sprintf("cache: file %s: %v", key, err))
	}
	return text.String()
}
