package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// problemCase changes the minimal development stack and expects exactly these problems, in this order.
type problemCase struct {
	name, change string
	want         []string
}

// problemCases are in files of their own, one for each group.
var problemCases = map[string][]problemCase{
	"keys":       keyProblems,
	"values":     valueProblems,
	"scaling":    scalingProblems,
	"pods":       podProblems,
	"cache":      cacheProblems,
	"backup":     backupProblems,
	"binlog":     binlogProblems,
	"storage":    storageProblems,
	"ingress":    ingressProblems,
	"network":    networkProblems,
	"database":   databaseProblems,
	"edge":       edgeProblems,
	"secrets":    secretProblems,
	"production": productionProblems,
}

func TestProblems(t *testing.T) {
	for group, cases := range problemCases {
		for _, c := range cases {
			t.Run(group+"/"+c.name, func(t *testing.T) {
				if got := problemsOf(t, minimal, c.change); !slices.Equal(got, c.want) {
					t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
				}
			})
		}
	}
}

// Every key is refused in some case: one that takes anything would be a key without a rule.
func TestEveryKeyHasACase(t *testing.T) {
	for _, key := range leaves("", reflect.TypeFor[Stack]()) {
		if !isRefusedInACase(key) {
			t.Errorf("no case has a problem of the key %s", key)
		}
	}
}

func isRefusedInACase(key string) bool {
	for _, cases := range problemCases {
		for _, c := range cases {
			isIt := func(line string) bool {
				problem, _, _ := strings.Cut(line, ": ")
				return inside(problem, key)
			}
			if slices.ContainsFunc(c.want, isIt) {
				return true
			}
		}
	}
	return false
}

// leaves are the paths of all values of a section.
func leaves(prefix string, section reflect.Type) []string {
	var paths []string
	for i, name := range keys(section) {
		if member := section.Field(i).Type; isObject(member) {
			paths = append(paths, leaves(prefix+name+".", member)...)
		} else {
			paths = append(paths, prefix+name)
		}
	}
	return paths
}
