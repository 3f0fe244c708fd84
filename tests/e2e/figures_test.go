package e2e

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
)

// figures are measurements by name, in the order in which the names were first seen.
type figures struct {
	names  []string
	values map[string][]float64
	units  map[string]string
}

func (f *figures) add(name string, duration time.Duration) { f.record(name, "s", duration.Seconds()) }

func (f *figures) addSize(name string, bytes int64) { f.record(name, "MB", float64(bytes)/1e6) }

func (f *figures) record(name, unit string, value float64) {
	if f.values == nil {
		f.values, f.units = map[string][]float64{}, map[string]string{}
	}
	if _, seen := f.values[name]; !seen {
		f.names = append(f.names, name)
		f.units[name] = unit
	}
	f.values[name] = append(f.values[name], value)
}

// table is Markdown.
func (f *figures) table() string {
	var text strings.Builder
	text.WriteString("| what | median | least | most | runs |\n|---|---:|---:|---:|---:|\n")
	for _, name := range f.names {
		values := slices.Sorted(slices.Values(f.values[name]))
		unit := f.units[name]
		fmt.Fprintf(&text, "| %s | %.1f %s | %.1f %s | %.1f %s | %d |\n",
			name, median(values), unit, values[0], unit, values[len(values)-1], unit, len(values))
	}
	return text.String()
}

// median of sorted values.
func median(values []float64) float64 {
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

// machine describes what the figures were taken on.
func machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	memory := "unknown memory"
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kilobytes int
		if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kilobytes); err == nil {
			memory = fmt.Sprintf("%.0f GiB", float64(kilobytes)/(1<<20))
		}
	}
	return fmt.Sprintf("%d cores (%s), %s, %s, %s", runtime.NumCPU(), model, memory, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
}

// phases split an update: time in which some workload was waited for, and other time in which the provider worked.
type phases struct {
	pods, provider time.Duration
}

// phasesOf reads the engine's events until the update ends. Time counts once, however many resources are under way.
func phasesOf(stream <-chan events.EngineEvent) phases {
	var split phases
	workloads, others := map[string]bool{}, map[string]bool{}
	last := time.Now()
	for event := range stream {
		now := time.Now()
		switch {
		case len(workloads) > 0:
			split.pods += now.Sub(last)
		case len(others) > 0:
			split.provider += now.Sub(last)
		}
		last = now
		switch {
		case event.ResourcePreEvent != nil:
			metadata := event.ResourcePreEvent.Metadata
			switch {
			case strings.HasSuffix(metadata.Type, ":StatefulSet") || strings.HasSuffix(metadata.Type, ":Deployment"):
				workloads[metadata.URN] = true
			case strings.HasPrefix(metadata.Type, "kubernetes:"):
				others[metadata.URN] = true
			}
		case event.ResOutputsEvent != nil:
			delete(workloads, event.ResOutputsEvent.Metadata.URN)
			delete(others, event.ResOutputsEvent.Metadata.URN)
		}
	}
	return split
}
