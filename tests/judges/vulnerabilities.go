package judges

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
)

// vulnerabilityMessage is what is read of govulncheck's stream of messages.
type vulnerabilityMessage struct {
	Finding *struct {
		OSV          string `json:"osv"`
		FixedVersion string `json:"fixed_version"`
		Trace        []struct {
			Module   string `json:"module"`
			Version  string `json:"version"`
			Function string `json:"function"`
		} `json:"trace"`
	} `json:"finding"`
}

// Vulnerabilities are the known vulnerabilities of the functions that the linker has put into a compiled program. The
// database is one that govulncheck takes for -db; empty: the public one. An error means that nothing was checked.
func (t Tools) Vulnerabilities(ctx context.Context, binary, database string) ([]string, error) {
	args := []string{"-mode", "binary", "-format", "json"}
	if database != "" {
		args = append(args, "-db", database)
	}
	command := exec.CommandContext(ctx, filepath.Join(t.Bin, "govulncheck"), append(args, binary)...)
	var report, messages bytes.Buffer
	command.Stdout, command.Stderr = &report, &messages
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(messages.Bytes()))
	}
	return parseVulnerabilities(&report)
}

func parseVulnerabilities(report io.Reader) ([]string, error) {
	var found []string
	for decoder := json.NewDecoder(report); ; {
		var message vulnerabilityMessage
		err := decoder.Decode(&message)
		if errors.Is(err, io.EOF) {
			slices.Sort(found)
			return slices.Compact(found), nil
		}
		if err != nil {
			return nil, fmt.Errorf("govulncheck's report: %w", err)
		}
		// Findings without a function are about modules and packages whose faulty functions the program does not have.
		if finding := message.Finding; finding != nil && len(finding.Trace) > 0 && finding.Trace[0].Function != "" {
			frame := finding.Trace[0]
			found = append(found, fmt.Sprintf("%s in %s %s, fixed in %q", finding.OSV, frame.Module, frame.Version, finding.FixedVersion))
		}
	}
}
