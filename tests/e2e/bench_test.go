package e2e

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"wordpress-on-kubernetes/components/plan"
	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/mocks"
	"wordpress-on-kubernetes/tests/stack"
)

var benchRuns = flag.Int("bench.runs", 0, "measure what the tables show this often; 0 measures nothing, for pictures neither")

// What the first two rows of the table are called.
const (
	applyToAnswer = "kubectl apply, to the first 200"
	upToAnswer    = "first up, to the first 200"
)

// bench measures one stack, and what the same objects take without Pulumi.
type bench struct {
	*subject
	deployment *deployment
	engine     stack.Engine
	figures    figures
}

// TestBench prints the tables of docs/benchmarks.md, and draws its pictures.
func TestBench(t *testing.T) {
	if *benchRuns == 0 {
		t.Skip("measures only with -bench.runs, which `make bench` sets")
	}
	fmt.Println(time.Now().UTC().Format(time.DateOnly)+",", machine())
	t.Run("deploy", benchDeploy)
	t.Run("compile", benchCompile)
	t.Run("splits", benchSplits)
	t.Run("rollout", benchRollout)
	t.Run("connections", benchConnections)
}

func benchDeploy(t *testing.T) {
	b := newBench(t)
	t.Cleanup(func() {
		fmt.Print("\n" + b.figures.table())
		if err := b.clear(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for run := range *benchRuns {
		t.Logf("run %d of %d", run+1, *benchRuns)
		b.kubectlApply(t)
		b.firstUp(t)
		b.noChangePreview(t)
		b.oneFieldUp(t)
		if err := b.clear(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s := newBeside(t, "bench", nil)
	engine, err := s.project.FindEngine()
	if err != nil {
		t.Fatal(err)
	}
	return &bench{subject: s, deployment: s.contender.(*program).deployment, engine: engine}
}

// TestFirstUpIsNearlyAsFastAsApply deploys a site to where none is, in turn by the program and by kubectl.
func TestFirstUpIsNearlyAsFastAsApply(t *testing.T) {
	needLong(t)
	// aim and most are ratios: beyond the latter, something waits that need not.
	const aim, most = 1.15, 1.5
	b := newBench(t)
	t.Cleanup(func() {
		if err := b.clear(context.Background()); err != nil {
			t.Error(err)
		}
	})
	var ratios, more []float64
	rounds := pick(1, 5)
	for range rounds {
		b.kubectlApply(t)
		b.firstUp(t)
		if err := b.clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		applied, up := last(b.figures.values[applyToAnswer]), last(b.figures.values[upToAnswer])
		t.Logf("kubectl apply %.1f s, up %.1f s", applied, up)
		ratios, more = append(ratios, up/applied), append(more, up-applied)
	}
	ratio, seconds := median(slices.Sorted(slices.Values(ratios))), median(slices.Sorted(slices.Values(more)))
	var problem error
	if ratio > most {
		problem = fmt.Errorf("up takes %.2f times as long as kubectl apply", ratio)
	}
	b.keep(t, proof{promise: 38, title: "a first up is nearly as fast as kubectl apply", rounds: rounds, measured: problem == nil,
		tried: "the development stack deployed to where there is none, to the site's first answer 200, in turn with `kubectl apply` of the same objects",
		figure: fmt.Sprintf("%.2f times (aim %.2f), %.1f s more; `kubectl apply` %s s, `pulumi up` %s s",
			ratio, aim, seconds, spreadOf(b.figures.values[applyToAnswer]), spreadOf(b.figures.values[upToAnswer])),
		figures: evidence.Figures{"upRatio": ratio, "upMoreSeconds": seconds},
		details: b.figures.values}, problem)
}

func last(values []float64) float64 { return values[len(values)-1] }

// firstAnswer asks the site again and again, from now until its first 200, and then tells how long that took.
func (b *bench) firstAnswer(ctx context.Context) <-chan firstResponse {
	start := time.Now()
	answers := make(chan firstResponse, 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		for {
			response, err := b.visitor.get(ctx, "/")
			if err == nil && response.status == http.StatusOK {
				answers <- firstResponse{after: time.Since(start)}
				return
			}
			select {
			case <-ctx.Done():
				answers <- firstResponse{err: fmt.Errorf("no 200 within %s: status %d, %w", patience, response.status, err)}
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return answers
}

// firstResponse is when the site first answered, or why it never did.
type firstResponse struct {
	after time.Duration
	err   error
}

func (b *bench) addAnswer(t *testing.T, name string, first firstResponse) {
	t.Helper()
	if first.err != nil {
		t.Fatal(first.err)
	}
	b.figures.add(name, first.after)
}

// kubectlApply applies the very objects that the program renders.
func (b *bench) kubectlApply(t *testing.T) {
	result, err := b.project.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	objects, err := mocks.YAML(plan.Objects(result.Registrations, plan.ShowSecrets))
	if err != nil {
		t.Fatal(err)
	}
	first := b.firstAnswer(t.Context())
	kubectl(t, b.project, objects, "apply", "-f", "-")
	b.addAnswer(t, applyToAnswer, <-first)
	if err := b.kubernetes.removeNamespace(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// firstUp deploys to an empty cluster and splits the time by the engine's events.
func (b *bench) firstUp(t *testing.T) {
	stream := make(chan events.EngineEvent)
	split := make(chan phases, 1)
	go func() { split <- phasesOf(stream) }()
	first := b.firstAnswer(t.Context())
	start := time.Now()
	_, err := b.deployment.Up(t.Context(), optup.SuppressProgress(), optup.EventStreams(stream))
	up := time.Since(start)
	parts := <-split
	if err != nil {
		t.Fatalf("up: %v", err)
	}
	b.addAnswer(t, upToAnswer, <-first)
	b.figures.add("first up, until it returns", up)
	b.figures.add("… of which waiting for pods", parts.pods)
	b.figures.add("… of which the provider otherwise", parts.provider)
	b.figures.add("… of which the engine", up-parts.pods-parts.provider)
}

// noChangePreview is what CI runs, from the start of the process to its end.
func (b *bench) noChangePreview(t *testing.T) {
	start := time.Now()
	b.pulumi(t, "preview", "--expect-no-changes")
	b.figures.add("preview without changes", time.Since(start))
}

// oneFieldUp changes one field of one object.
func (b *bench) oneFieldUp(t *testing.T) {
	b.deployment.set(t, "wordpress:autoscaling.scaleDownStabilizationSeconds", "240")
	start := time.Now()
	b.pulumi(t, "up", "--yes", "--skip-preview")
	b.figures.add("up of one changed field", time.Since(start))
	b.deployment.set(t, "wordpress:autoscaling.scaleDownStabilizationSeconds", "300")
}

func (b *bench) pulumi(t *testing.T, args ...string) {
	t.Helper()
	if output, err := b.project.Command(t.Context(), b.engine, args...).CombinedOutput(); err != nil {
		t.Fatalf("pulumi %s: %v\n%s", args[0], err, output)
	}
}

// benchCompile builds the program with an empty cache, and again with nothing changed.
func benchCompile(t *testing.T) {
	project, err := stack.Open("dev", "")
	if err != nil {
		t.Fatal(err)
	}
	var measured figures
	t.Cleanup(func() { fmt.Print("\n" + measured.table()) })
	binary := filepath.Join(t.TempDir(), "program")
	for run := range *benchRuns {
		cache := filepath.Join(t.TempDir(), fmt.Sprint("cache", run))
		for _, step := range []string{"compile, cold", "compile, nothing changed"} {
			command := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", binary, ".")
			command.Dir = project.Repo
			command.Env = append(os.Environ(), "GOCACHE="+cache)
			start := time.Now()
			if output, err := command.CombinedOutput(); err != nil {
				t.Fatalf("go build: %v\n%s", err, output)
			}
			measured.add(step, time.Since(start))
			if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
				measured.addSize(step+": peak memory of one process", usage.Maxrss<<10)
			}
		}
		if err := os.RemoveAll(cache); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	measured.addSize("binary", info.Size())
}

// clear destroys the stack, which is not protected.
func (b *bench) clear(ctx context.Context) error {
	if err := b.deployment.destroy(ctx); err != nil {
		return err
	}
	return b.kubernetes.removeNamespace(ctx)
}
