package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/tests/e2e/evidence"
	"wordpress-on-kubernetes/tests/e2e/load"
)

const (
	// picturesAtOnce is what a person selects in one go.
	picturesAtOnce = 5
	// pictureAttempts is how often WordPress's own uploader asks for the sizes of a picture, the upload included.
	pictureAttempts = 5
	// requestLimit is config's DefaultMaxRequestSeconds.
	requestLimit = 30 * time.Second
)

// upload is a file that somebody adds to the media library.
type upload struct {
	name, mime string
	content    []byte
	// sizes that WordPress makes of it, at least.
	sizes int
}

// taken is what came of an upload.
type taken struct {
	took     time.Duration
	attempts int
	problem  error
}

// TestPicturesAreTaken uploads what cameras and scanners make to a site with the default resources, while visitors read it. No pod
// may end for it.
func TestPicturesAreTaken(t *testing.T) {
	needLong(t)
	s := newBeside(t, "pictures", map[string]string{"wordpress:frontend.resources": "", "wordpress:frontend.drainSeconds": "2"})
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.deploy(t)
	s.fill(t)
	s.kubernetes.awaitRollout(t)
	photo := upload{"photo.jpg", "image/jpeg", photograph(t, 6000, 4000), 6}

	before := s.restarts(t)
	reading := load.Start(t.Context(),
		load.Stream{Name: "page", PerSecond: pagesPerSecond, Connections: 2, Request: s.getArticle(s.crowd(t, true), anew)})
	alone := s.take(t.Context(), t, photo)
	together := s.takeAtOnce(t, photo)
	animation := s.take(t.Context(), t, upload{"animation.gif", "image/gif", animation(t), 2})
	problem := errors.Join(alone.within(requestLimit/2), animation.within(requestLimit))
	for _, one := range together {
		problem = errors.Join(problem, one.problem)
	}
	if *long {
		large := s.take(t.Context(), t, upload{"large.jpg", "image/jpeg", photograph(t, 9504, 6336), 6})
		document := s.take(t.Context(), t, upload{"document.pdf", "application/pdf", document(40), 1})
		problem = errors.Join(problem, large.problem, document.problem)
	}
	report := reading.Stop()
	ended := s.restarts(t) - before
	if ended > 0 || report.Failed > 0 {
		problem = errors.Join(problem, fmt.Errorf("%d containers ended, and %d of %d pages failed", ended, report.Failed, report.Requests))
	}
	slowest := slowestOf(together)
	s.keep(t, proof{promise: 20, title: "pictures are taken", rounds: 1, requests: report.Requests, failed: report.Failed,
		tried: pick("a picture of 24 megapixels, five at once and an animation", "a picture of 24 megapixels, five at once, one of 60, an "+
			"animation and a PDF of 40 pages") + " uploaded with the default resources, while visitors read",
		figure: outcome(problem, fmt.Sprintf("the first took %.1f s, the slowest of five %.1f s", alone.took.Seconds(), slowest.Seconds())),
		figures: evidence.Figures{"aloneSeconds": alone.took.Seconds(), "slowestOfFiveSeconds": slowest.Seconds(),
			"animationSeconds": animation.took.Seconds(), "endedContainers": float64(ended)}}, problem)

	if *long {
		s.unboundedPicturesEndPods(t, photo)
	}
}

// unboundedPicturesEndPods takes the bounds out, as they are where WordPress and ImageMagick come without any.
func (s *subject) unboundedPicturesEndPods(t *testing.T, photo upload) {
	t.Helper()
	now, err := s.kubernetes.deployment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var env []corev1.EnvVar
	for _, variable := range now.Spec.Template.Spec.Containers[0].Env {
		if !strings.HasPrefix(variable.Name, "MAGICK_") {
			env = append(env, variable)
		}
	}
	s.exec(t, s.somePod(t), "<?php remove_all_filters('wp_image_editors');", fmt.Sprintf("cat >%s/mu-plugins/unbounded.php", s.content))
	s.replaceInContainer(t, "env", env)
	before := s.restarts(t)
	unserved := 0
	for _, one := range s.takeAtOnce(t, photo) {
		if one.problem != nil {
			unserved++
		}
	}
	ended := s.restarts(t) - before
	s.caught(t, 20, "pictures are taken", "no bounds on ImageMagick",
		fmt.Sprintf("%d containers ended, %d of %d pictures were not taken", ended, unserved, picturesAtOnce), ended > 0 || unserved > 0)
}

func (t taken) within(limit time.Duration) error {
	if t.problem == nil && t.took > limit {
		return fmt.Errorf("a picture took %.1f s, want at most %.0f", t.took.Seconds(), limit.Seconds())
	}
	return t.problem
}

func slowestOf(all []taken) (longest time.Duration) {
	for _, one := range all {
		longest = max(longest, one.took)
	}
	return longest
}

// takeAtOnce uploads the same file several times side by side.
func (s *subject) takeAtOnce(t *testing.T, file upload) []taken {
	t.Helper()
	all := make([]taken, picturesAtOnce)
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			one := file
			one.name = fmt.Sprintf("%d-%s", i, file.name)
			all[i] = s.take(t.Context(), t, one)
		})
	}
	group.Wait()
	return all
}

// take uploads a file as the block editor does: where the server did not get to the end of it, its sizes are asked for again.
func (s *subject) take(ctx context.Context, t *testing.T, file upload) (found taken) {
	t.Helper()
	began := time.Now()
	defer func() {
		found.took = time.Since(began)
		t.Logf("%s, %d kB: %.1f s, %d attempts: %v", file.name, len(file.content)>>10, found.took.Seconds(), found.attempts, found.problem)
	}()
	nonce, err := s.visitor.get(ctx, "/wp-admin/admin-ajax.php?action=rest-nonce")
	if err != nil {
		return taken{problem: err}
	}
	header := http.Header{
		"X-Wp-Nonce":          {string(nonce.body)},
		"Content-Disposition": {`attachment; filename="` + file.name + `"`},
	}
	response, err := s.visitor.do(ctx, http.MethodPost, "/?rest_route=/wp/v2/media", file.mime, file.content, header)
	found.attempts = 1
	header.Del("Content-Disposition")
	for id := response.header.Get("X-Wp-Upload-Attachment-Id"); err == nil && response.status >= 500 && id != "" &&
		found.attempts < pictureAttempts; found.attempts++ {
		response, err = s.visitor.do(ctx, http.MethodPost, "/?rest_route=/wp/v2/media/"+id+"/post-process", "application/json",
			[]byte(`{"action":"create-image-subsizes"}`), header)
	}
	if err == nil {
		err = hasSizes(response, file.sizes)
	}
	found.problem = err
	return found
}

func hasSizes(response answer, wanted int) error {
	var media struct {
		Details struct {
			Sizes map[string]any `json:"sizes"`
		} `json:"media_details"`
	}
	if response.status >= http.StatusBadRequest {
		return fmt.Errorf("status %d: %s", response.status, excerpt(response.body))
	}
	if err := json.Unmarshal(response.body, &media); err != nil {
		return fmt.Errorf("status %d: %w", response.status, err)
	}
	if got := len(media.Details.Sizes); got < wanted {
		return fmt.Errorf("%d sizes, want %d", got, wanted)
	}
	return nil
}

// restarts of all containers of the frontend, of pods that are there. A container that was killed counts here.
func (s *subject) restarts(t *testing.T) (count int32) {
	t.Helper()
	pods, err := s.livePods(t.Context(), s.frontend)
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range pods {
		for _, container := range pod.Status.ContainerStatuses {
			count += container.RestartCount
		}
	}
	return count
}

// photograph is a JPEG with as much detail as a camera's: noise over shapes, which compresses to about 0.3 bytes a pixel.
func photograph(t *testing.T, width, height int) []byte {
	t.Helper()
	picture := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	noise := rand.New(rand.NewPCG(1, 2)) // the same picture every time
	for y := range height {
		for x := range width {
			picture.Y[picture.YOffset(x, y)] = uint8(64 + (x/97*31+y/61*17)%128 + noise.IntN(16))
		}
	}
	for i := range picture.Cb {
		picture.Cb[i], picture.Cr[i] = uint8(118+noise.IntN(20)), uint8(118+noise.IntN(20))
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, &jpeg.Options{Quality: 88}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// animation is a GIF of 60 pictures of 800 × 600, which ImageMagick keeps all at once.
func animation(t *testing.T) []byte {
	t.Helper()
	var film gif.GIF
	for i := range 60 {
		frame := image.NewPaletted(image.Rect(0, 0, 800, 600), palette.Plan9)
		for y := range 200 {
			for x := range 200 {
				frame.SetColorIndex(10*i+x, 200+y, uint8(4*i+(x+y)%3))
			}
		}
		film.Image, film.Delay = append(film.Image, frame), append(film.Delay, 5)
	}
	var file bytes.Buffer
	if err := gif.EncodeAll(&file, &film); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// document is a PDF of so many pages of text.
func document(pages int) []byte {
	var file, kids bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, file.Len())
		fmt.Fprintf(&file, "%d 0 obj\n"+format+"\nendobj\n", append([]any{len(offsets)}, args...)...)
	}
	file.WriteString("%PDF-1.4\n")
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 4+2*i)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Count %d /Kids [ %s] >>", pages, kids.String())
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	for i := range pages {
		object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> >> >>", 5+2*i)
		text := "BT /F1 11 Tf 14 TL 50 790 Td\n" + strings.Repeat("(A line of a document that somebody uploads to the site) Tj T*\n", 50) + "ET"
		object("<< /Length %d >>\nstream\n%s\nendstream", len(text), text)
	}
	table := file.Len()
	fmt.Fprintf(&file, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&file, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&file, "trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, table)
	return file.Bytes()
}
