// Package certmanager pins the version of cert-manager whose CustomResourceDefinitions judge the program's Certificates.
package certmanager

// Only the module's folder is wanted; the smallest of its packages keeps it in go.mod.
import _ "github.com/cert-manager/cert-manager/pkg/apis/certmanager"
