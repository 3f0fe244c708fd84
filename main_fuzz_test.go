package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	resourceapi "k8s.io/apimachinery/pkg/api/resource"

	"wordpress-on-kubernetes/config"
)

// Changes to the committed stacks from which the fuzzer starts: each section, at the edges of its rules.
var changes = []string{
	`{}`,
	`{"profile": "development", "namespace": "blog", "site": {"host": "blog.example.com"}}`,
	`{"frontend": {"workers": 2, "resources": {"cpu": "10m", "memory": "160Mi", "ephemeralStorage": "65Mi"}, "maxUploadSize": "1Mi"}}`,
	`{"frontend": {"workers": 256, "resources": {"memory": "8288Mi"}}, "database": {"maxConnections": 1802, "resources": {"memory": "5406Mi"}}}`,
	`{"frontend": {"maxSurge": "100%", "maxUnavailable": "34%", "disruptionBudget": {"maxUnavailable": "50%"}, "spread": "required", "nodes": 6}}`,
	`{"frontend": {"maxSurge": "0%", "maxUnavailable": "1%", "livenessProbe": true, "maxRequestSeconds": 119, "terminationGracePeriodSeconds": 140}}`,
	`{"frontend": {"maxUploadSize": "2046Mi", "resources": {"ephemeralStorage": "2110Mi"}}, "cache": {"resources": {"ephemeralStorage": "17Gi"}}, "storage": {"content": {"size": "2046Mi"}}}`,
	`{"frontend": {"image": "wordpress@sha256:0000000000000000000000000000000000000000000000000000000000000000", "service": {"type": "NodePort", "nodePort": 30000}}, "profile": "development", "network": {"edge": {"cidrs": ["0.0.0.0/0"]}}}`,
	`{"frontend": {"existingSecret": "keys"}, "database": {"existingSecret": "passwords"}, "authSecret": null, "databasePassword": null, "databaseRootPassword": null}`,
	`{"database": {"mode": "external", "host": "192.0.2.1", "port": 3307, "image": null, "resources": null}, "storage": {"database": null}, "databaseRootPassword": null}`,
	`{"database": {"name": "_", "user": "$", "resources": {"memory": "1Gi"}, "maxConnections": 341}}`,
	`{"storage": {"cephfs": {"create": true, "filesystem": "fs", "namespace": "ceph"}, "content": {"storageClass": "shared"}}}`,
	`{"storage": {"content": {"accessMode": "ReadWriteOnce"}}, "autoscaling": {"enabled": false}, "profile": "development", "frontend": {"replicas": 1, "maxSurge": 0, "maxUnavailable": 1}}`,
	`{"autoscaling": {"minReplicas": 2, "maxReplicas": 2, "cpuUtilization": 90, "scaleDownStabilizationSeconds": 0}}`,
	`{"autoscaling": {"enabled": false}, "frontend": {"replicas": 5}}`,
	`{"ingress": {"kind": "traefik", "className": "public", "tls": {"defaultCertificate": null, "certResolver": "a", "domains": ["example.com", "*.example.com"]}}}`,
	`{"ingress": {"kind": "traefik", "tls": {"clusterIssuer": "letsencrypt", "certResolver": null, "domains": null, "defaultCertificate": null}, "redirectToHTTPS": false}}`,
	`{"ingress": {"kind": "ingress", "annotations": {"example.com/a": "b"}, "tls": {"existingSecret": "tls", "certResolver": null, "domains": null, "defaultCertificate": null}, "redirectToHTTPS": null, "loginLimit": {"enabled": false}}, "network": {"edge": {"namespace": "edge"}}}`,
	`{"ingress": {"kind": "ingress", "tls": {"clusterIssuer": "letsencrypt", "certResolver": null, "domains": null, "defaultCertificate": null}, "redirectToHTTPS": null, "loginLimit": {"enabled": false}}, "site": {"host": "a.b.c"}, "network": {"edge": {"namespace": "edge"}}}`,
	`{"ingress": {"kind": "none", "tls": null, "redirectToHTTPS": null}, "network": {"edge": {"cidrs": ["192.0.2.0/24"]}}}`,
	`{"ingress": {"clientAddress": "forwarded", "proxies": 2, "loginLimit": {"requestsPerMinute": 1, "burst": 1, "concurrent": 3}}, "site": {"xmlrpc": true, "embedding": true, "browserFeatures": ["camera"], "hstsSeconds": 0}}`,
	`{"site": {"admin": {"user": "a b", "email": "a@b.c", "existingSecret": "vault"}, "cron": {"enabled": false}}, "adminPassword": null}`,
	`{"site": {"title": null, "admin": null, "cron": {"everyMinutes": 1}}, "adminPassword": null}`,
	`{"ingress": {"redirectToHTTPS": false}, "profile": "development"}`,
	`{"cache": {"enabled": false, "replicas": null, "resources": null, "ttlSeconds": null}}`,
	`{"network": {"enabled": false}, "profile": "development", "cache": {"replicas": 10, "ttlSeconds": 1, "staleSeconds": 43199}}`,
	`{"network": {"edge": {"namespace": "edge", "podLabels": {}}, "dns": {"podLabels": {"a": "b"}, "cidrs": ["169.254.20.10/32"], "port": 5353}}}`,
	`{"network": {"egress": [{"cidr": "0.0.0.0/0", "ports": [443]}, {"cidr": "::/0", "ports": [80, 443]}, {"cidr": "10.0.0.0/8", "ports": [587]}]}}`,
	`{"backup": {"binlog": {"enabled": true, "image": "registry.example.com/mysql-binlog:9.7.4", "seconds": 60, "keepDays": 13}}}`,
	`{"podSecurity": {"fromCluster": true}}`,
	`{"podSecurity": {"seLinuxLevel": "s0:c1,c2", "frontend": {"userID": 10001, "groupID": 2147483647, "fsGroup": 1}, "database": {"userID": 10001}}}`,
	`{"podSecurity": {"frontend": {"userID": 1, "groupID": 33}}, "profile": "development"}`,
	`{"database": {"mode": "external", "host": "db.example.com", "image": null, "resources": null}, "storage": {"database": null}, "databaseRootPassword": null, "network": {"database": {"namespace": "db", "podLabels": {"a": "b"}}}}`,
}

// A change that both stacks refuse would start the fuzzer nowhere.
func TestChangesAreAccepted(t *testing.T) {
	for _, change := range changes {
		var problems []string
		for _, stack := range stacks {
			c := load(t, stack, nil).changed(t, change)
			if _, err := config.Load(c.values, c.secretKeys); err != nil {
				problems = append(problems, err.Error())
			}
		}
		if len(problems) == len(stacks) {
			t.Errorf("%s is refused:\n%s", change, strings.Join(problems, "\n"))
		}
	}
}

// FuzzAcceptedConfiguration makes one of the changes and then sets two keys to any values: whatever the program accepts
// keeps its promises on the objects that it registers.
func FuzzAcceptedConfiguration(f *testing.F) {
	committed := committedStacks(f)
	for i := range changes {
		f.Add(true, uint8(i), uint8(0), "production", uint8(1), "kube-example")
		f.Add(false, uint8(i), uint8(0), "development", uint8(1), "blog")
	}
	keys := leaves("", reflect.TypeFor[config.Stack]())
	for i := range keys {
		for _, value := range []string{`"25%"`, "1", "64Mi", "true", "a.b"} {
			f.Add(i%2 == 0, uint8(0), uint8(i), value, uint8(i+1), value)
		}
	}
	f.Fuzz(func(t *testing.T, ofProduction bool, change, key uint8, value string, otherKey uint8, otherValue string) {
		committed[ofProduction].
			changed(t, changes[int(change)%len(changes)]).
			changed(t, assignment(keys[int(key)%len(keys)], value)).
			changed(t, assignment(keys[int(otherKey)%len(keys)], otherValue)).
			keepsItsPromises(t)
	})
}

// leaves are the paths of all keys of a section but for secrets, whose values the objects are not looked at for.
func leaves(prefix string, section reflect.Type) []string {
	var paths []string
	for i := range section.NumField() {
		member := section.Field(i)
		path := prefix + member.Tag.Get("json")
		switch {
		case member.Type.Kind() == reflect.Struct && member.Type != reflect.TypeFor[resourceapi.Quantity]():
			paths = append(paths, leaves(path+".", member.Type)...)
		case member.Type != reflect.TypeFor[config.Secret]():
			paths = append(paths, path)
		}
	}
	return paths
}

// assignment is the change of one key. A value that is no JSON is text.
func assignment(path, value string) string {
	if !json.Valid([]byte(value)) {
		text, err := json.Marshal(value)
		if err != nil {
			panic(err) // every text can be encoded
		}
		value = string(text)
	}
	for _, name := range slices.Backward(strings.Split(path, ".")) {
		value = fmt.Sprintf("{%q: %s}", name, value)
	}
	return value
}

// FuzzAcceptedSizes changes the numbers that rules relate, which a fuzzer of texts seldom gets right together.
func FuzzAcceptedSizes(f *testing.F) {
	committed := committedStacks(f)
	f.Add(uint16(256), uint8(6), uint16(64), uint16(1024), uint16(2048), uint16(1024), uint16(151),
		uint8(3), uint8(6), uint8(1), uint8(0), uint8(1), uint16(20), uint16(30), uint16(60), false)
	f.Add(uint16(320), uint8(7), uint16(192), uint16(256), uint16(192), uint16(2048), uint16(682),
		uint8(2), uint8(2), uint8(0), uint8(1), uint8(1), uint16(5), uint16(119), uint16(125), true)
	f.Fuzz(func(t *testing.T, memory uint16, workers uint8, upload, ephemeral, volume, databaseMemory, connections uint16,
		least, greatest, surge, unavailable, budget uint8, drain, request, grace uint16, liveness bool) {
		committed[true].changed(t, fmt.Sprintf(`{
			"frontend": {"workers": %d, "resources": {"memory": "%dMi", "ephemeralStorage": "%dMi"}, "maxUploadSize": "%dMi",
				"maxSurge": "%d%%", "maxUnavailable": %d, "disruptionBudget": {"maxUnavailable": "%d%%"}, "drainSeconds": %d,
				"maxRequestSeconds": %d, "terminationGracePeriodSeconds": %d, "livenessProbe": %t},
			"database": {"resources": {"memory": "%dMi"}, "maxConnections": %d},
			"storage": {"content": {"size": "%dMi"}},
			"autoscaling": {"minReplicas": %d, "maxReplicas": %d}}`,
			workers, memory, ephemeral, upload, surge, unavailable, budget, drain, request, grace, liveness,
			databaseMemory, connections, volume, least, greatest)).
			keepsItsPromises(t)
	})
}

// committedStacks are the configurations of the stack files, by whether they are of production.
func committedStacks(f *testing.F) map[bool]configuration {
	f.Helper()
	return map[bool]configuration{true: load(f, "prod", nil), false: load(f, "dev", nil)}
}

// changed applies a JSON merge patch (RFC 7396) of keys without their namespace.
func (c configuration) changed(t *testing.T, change string) configuration {
	t.Helper()
	var sections map[string]any
	if err := json.Unmarshal([]byte(change), &sections); err != nil {
		t.Fatalf("change %s: %v", change, err)
	}
	c.values = maps.Clone(c.values)
	for name, section := range sections {
		key := config.Project + ":" + name
		if section == nil {
			delete(c.values, key)
			continue
		}
		var old any
		// What is no JSON is the text of a scalar, which is replaced as a whole.
		_ = json.Unmarshal([]byte(c.values[key]), &old)
		c.values[key] = encoded(patched(old, section))
	}
	return c
}

func patched(old, change any) any {
	changes, isObject := change.(map[string]any)
	if !isObject {
		return change
	}
	object, _ := old.(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	for key, value := range changes {
		if value == nil {
			delete(object, key)
		} else {
			object[key] = patched(object[key], value)
		}
	}
	return object
}

// encoded is a value as Pulumi hands it over: text as it is, all else as JSON.
func encoded(value any) string {
	if text, isText := value.(string); isText {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(text)
}

// keepsItsPromises runs the program, unless it refuses the configuration, and checks what it registers.
func (c configuration) keepsItsPromises(t *testing.T) {
	t.Helper()
	accepted, err := config.Load(c.values, c.secretKeys)
	if err != nil {
		return
	}
	registrations, err := c.run()
	if err != nil {
		t.Fatalf("the configuration is accepted, and then: %v", err)
	}
	site := newSite(t, accepted, registrations)
	for _, p := range promises {
		for _, problem := range p.broken(site) {
			t.Errorf("not so: %s: %s", p.name, problem)
		}
	}
}
