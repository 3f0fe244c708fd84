package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestEdgeIsWhereTheIngressControllerIs(t *testing.T) {
	traefik := "{traefik map[app.kubernetes.io/name:traefik] []}"
	for change, want := range map[string]string{
		`wordpress:network: null`: traefik,
		// Traefik under its own labels, as k3s brings it along.
		`wordpress:network: {edge: {namespace: kube-system}}`:                             "{kube-system map[app.kubernetes.io/name:traefik] []}",
		`wordpress:network: {edge: {podLabels: {app: edge}}}`:                             "{traefik map[app:edge] []}",
		`wordpress:network: {edge: {namespace: edge, podLabels: {}}}`:                     "{edge map[] []}",
		`wordpress:network: {edge: {cidrs: [192.0.2.0/24]}}`:                              "{ map[] [192.0.2.0/24]}",
		`wordpress:network: {edge: {namespace: traefik, cidrs: [192.0.2.0/24]}}`:          "{traefik map[app.kubernetes.io/name:traefik] [192.0.2.0/24]}",
		`{wordpress:ingress: {kind: none}, wordpress:network: {edge: {namespace: edge}}}`: "{edge map[] []}",
	} {
		if got := fmt.Sprint(mustLoad(t, minimal, change).Network.Edge); got != want {
			t.Errorf("%s: got %s, want %s", change, got, want)
		}
	}
}

func TestAddressesAreBelievedOfTheEdgeAlone(t *testing.T) {
	const private = "100.64.0.0/10 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fd00::/8"
	for change, want := range map[string]string{
		`wordpress:network: null`:                                                  private,
		`wordpress:network: {enabled: false}`:                                      private,
		`wordpress:network: {edge: {namespace: edge}}`:                             private,
		`wordpress:network: {edge: {cidrs: [198.51.100.0/28, "2001:db8::/64"]}}`:   "198.51.100.0/28 2001:db8::/64",
		`wordpress:network: {edge: {namespace: edge, cidrs: ["2001:db8:1::/48"]}}`: private + " 2001:db8:1::/48",
		`{wordpress:ingress: {kind: none}, wordpress:network: {enabled: false}}`:   private,
		`wordpress:network: {edge: {cidrs: [10.1.0.0/16]}}`:                        "10.1.0.0/16",
		// The visitors themselves.
		`wordpress:network: {edge: {cidrs: [0.0.0.0/0, "::/0", 10.1.0.0/16]}}`: "10.1.0.0/16",
		`wordpress:network: {edge: {cidrs: [0.0.0.0/0]}}`:                      "",
	} {
		if got := strings.Join(mustLoad(t, minimal, change).TrustedProxies(), " "); got != want {
			t.Errorf("%s: got %s, want %s", change, got, want)
		}
	}
}

func TestExternalDatabaseIsReachedAtItsAddressAlone(t *testing.T) {
	for change, want := range map[string]string{
		`wordpress:database: {mode: external, host: 192.0.2.7}`:                                                                    "{ map[] [192.0.2.7/32] 3306}",
		`{wordpress:database: {mode: external, host: 192.0.2.7}, wordpress:network: {database: {cidrs: [192.0.2.0/24]}}}`:          "{ map[] [192.0.2.0/24] 3306}",
		`{wordpress:database: {mode: external, host: 10.96.0.7}, wordpress:network: {database: {namespace: db}}}`:                  "{db map[] [] 3306}",
		`{wordpress:database: {mode: external, host: db, port: 3307}, wordpress:network: {database: {namespace: db, port: 6446}}}`: "{db map[] [] 6446}",
	} {
		to := mustLoad(t, minimal, change, `wordpress:databaseRootPassword: null`).Network.Database
		if got := fmt.Sprintf("{%s %v %v %d}", to.Namespace, to.PodLabels, to.CIDRs, *to.Port); got != want {
			t.Errorf("%s: got %s, want %s", change, got, want)
		}
	}
}
