package evidence_test

import (
	"encoding/json"
	"os"
	"testing"

	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// promises are those that the end-to-end tests prove, numbered from 1.
const promises = 17

// TestPublishedEvidenceIsWhatTheReadmeSays: the README says that no promise of this program was broken. Evidence that tells
// otherwise is published together with a README that says so.
func TestPublishedEvidenceIsWhatTheReadmeSays(t *testing.T) {
	text, err := os.ReadFile("../../../docs/evidence.json")
	if err != nil {
		t.Fatal(err)
	}
	var results []evidence.Result
	if err := json.Unmarshal(text, &results); err != nil {
		t.Fatal(err)
	}
	tried := map[int]bool{}
	for _, result := range results {
		switch {
		case result.Contender != evidence.Ours:
		case result.Breakage != "":
			if !result.Caught {
				t.Errorf("promise %d, %s: %s was not caught: %s", result.Promise, result.Title, result.Breakage, result.Figure)
			}
		case result.Verdict == evidence.Held, result.Verdict == evidence.Measured:
			tried[result.Promise] = true
		default:
			t.Errorf("promise %d, %s: %s: %s", result.Promise, result.Title, result.Verdict, result.Figure)
		}
	}
	for promise := 1; promise <= promises; promise++ {
		if !tried[promise] {
			t.Errorf("promise %d has no evidence", promise)
		}
	}
}
