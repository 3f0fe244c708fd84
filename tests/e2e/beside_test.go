package e2e

import (
	"flag"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"wordpress-on-kubernetes/tests/stack"
)

// sitesBeside is how many tests run side by side. They mostly wait, so two cores do for more of them than two; but what their pods ask
// for must fit beside the shared site's, which stays: up to 1.25 cores each and 1.5, of the 6 that three nodes of two cores offer.
const sitesBeside = 3

// sideBySide has the short form of a test run beside others that mostly wait, when all tests that need the cluster to themselves have
// ended: those that measure, put visitors' load on a site or restart what sites share. The long form, whose times are published, runs
// alone. Such a test has a site of its own (newBeside), or takes its turn with the shared one (subjectOf).
func sideBySide(t *testing.T) {
	t.Helper()
	if !*long {
		t.Parallel()
	}
}

// allowBeside lets so many tests run side by side, unless the command line says how many.
func allowBeside() error {
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		return parallel.Value.Set(strconv.Itoa(sitesBeside))
	}
	return nil
}

// turns let one test at a time use a shared site.
var turns = struct {
	sync.Mutex
	free   *sync.Cond
	holder map[string]string
}{holder: map[string]string{}}

func init() { turns.free = sync.NewCond(&turns.Mutex) }

// takeTurn waits until no other test uses the shared site, and gives it back when this one has ended.
func takeTurn(t *testing.T, name string) {
	t.Helper()
	turns.Lock()
	defer turns.Unlock()
	if turns.holder[name] == t.Name() {
		return
	}
	for turns.holder[name] != "" {
		turns.free.Wait()
	}
	turns.holder[name] = t.Name()
	t.Cleanup(func() {
		turns.Lock()
		defer turns.Unlock()
		delete(turns.holder, name)
		turns.free.Broadcast()
	})
}

// TestImages runs the local images by themselves, as the cluster's own module tests them.
func TestImages(t *testing.T) {
	sideBySide(t)
	project, err := stack.Open("dev", "")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-timeout=60m", "./internal/images", "-long="+strconv.FormatBool(*long))
	command.Dir = filepath.Join(project.Repo, "tests", "cluster")
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Logf("%s", output)
}
