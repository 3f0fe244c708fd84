package unit_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"wordpress-on-kubernetes/components/database"
)

// shell runs a script with one folder in place of another; the scripts work at fixed places of a pod.
func shell(t *testing.T, script string, folders map[string]string, environment ...string) error {
	t.Helper()
	for inPod, here := range folders {
		if !strings.Contains(script, inPod) {
			t.Fatalf("the script does not work in %s", inPod)
		}
		script = strings.ReplaceAll(script, inPod, here)
	}
	command := exec.CommandContext(t.Context(), "sh", "-c", script)
	command.Env = append(os.Environ(), environment...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(output))
	}
	return nil
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// wantFiles compares every file below a folder, empty folders included.
func wantFiles(t *testing.T, folder string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			entries, err := os.ReadDir(path)
			if len(entries) == 0 {
				got[name+"/"] = ""
			}
			return err
		}
		text, err := os.ReadFile(path)
		got[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the volume holds\n%v\nwant\n%v", got, want)
	}
}

// seeding is an image and a shared volume.
type seeding struct {
	script, core, volume string
}

// content is the image's wp-content.
var content = map[string]string{
	"index.php":               "<?php",
	"themes/one/style.css":    "body {}",
	"plugins/hello/hello.php": "<?php // hello",
}

func newSeeding(t *testing.T) seeding {
	t.Helper()
	s := seeding{siteFile(runFrontend(t), "seed.sh"), t.TempDir(), t.TempDir()}
	for name, text := range content {
		write(t, filepath.Join(s.core, "wp-content", name), text)
	}
	return s
}

// run seeds as the pod of the given name.
func (s seeding) run(t *testing.T, pod string) error {
	t.Helper()
	return shell(t, s.script, map[string]string{"/content": s.volume, "/usr/src/wordpress": s.core}, "HOSTNAME="+pod)
}

// wantContent wants nothing on the volume but one copy of the image's content, and what a test adds.
func (s seeding) wantContent(t *testing.T, added map[string]string) {
	t.Helper()
	want := map[string]string{}
	for name, text := range content {
		want["wp-content/"+name] = text
	}
	for name, text := range added {
		want[name] = text
	}
	wantFiles(t, s.volume, want)
}

func TestFirstPodFillsTheVolume(t *testing.T) {
	s := newSeeding(t)
	if err := s.run(t, "pod-a"); err != nil {
		t.Fatal(err)
	}
	s.wantContent(t, nil)
}

func TestPodsThatStartAtOnceFillTheVolumeOnce(t *testing.T) {
	const rounds, pods = 10, 10
	for range rounds {
		s := newSeeding(t)
		failures := make([]error, pods)
		var group sync.WaitGroup
		for i := range pods {
			group.Go(func() { failures[i] = s.run(t, fmt.Sprintf("pod-%d", i)) })
		}
		group.Wait()
		if err := errors.Join(failures...); err != nil {
			t.Fatal(err)
		}
		s.wantContent(t, nil)
	}
}

func TestSeedLeavesAFilledVolumeAlone(t *testing.T) {
	s := newSeeding(t)
	write(t, filepath.Join(s.volume, "wp-content", "uploads", "picture.jpg"), "picture")
	write(t, filepath.Join(s.volume, "wp-content", "index.php"), "changed")
	if err := s.run(t, "pod-a"); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, s.volume, map[string]string{"wp-content/uploads/picture.jpg": "picture", "wp-content/index.php": "changed"})
}

func TestSeedClearsUpAfterPodsThatDied(t *testing.T) {
	for name, own := range map[string]bool{"the pod itself": true, "another pod": false} {
		t.Run(name, func(t *testing.T) {
			s := newSeeding(t)
			left := ".seed.pod-z"
			if own {
				left = ".seed.pod-a"
			}
			write(t, filepath.Join(s.volume, left, "themes", "half"), "a copy that broke off")
			if err := s.run(t, "pod-a"); err != nil {
				t.Fatal(err)
			}
			s.wantContent(t, nil)
		})
	}
}

func TestSeedKeepsWhatElseIsOnTheVolume(t *testing.T) {
	s := newSeeding(t)
	write(t, filepath.Join(s.volume, "lost+found", "inode"), "found")
	if err := s.run(t, "pod-a"); err != nil {
		t.Fatal(err)
	}
	s.wantContent(t, map[string]string{"lost+found/inode": "found"})
}

func TestSeedReportsAnImageWithoutContent(t *testing.T) {
	s := newSeeding(t)
	if err := os.RemoveAll(filepath.Join(s.core, "wp-content")); err != nil {
		t.Fatal(err)
	}
	if err := s.run(t, "pod-a"); err == nil {
		t.Error("the script succeeds with nothing on the volume")
	}
}

// serverVolume is MySQL's volume, and what its container runs in place of the server.
type serverVolume struct {
	volume, image string
	// change of the server's args. Nil: none.
	change func(*database.Args)
}

func newServerVolume(t *testing.T) serverVolume {
	t.Helper()
	s := serverVolume{volume: t.TempDir(), image: t.TempDir()}
	// The kubelet makes the folder that is mounted as the data directory.
	if err := os.Mkdir(filepath.Join(s.volume, "mysql"), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a script of the ConfigMap; entrypoint is what the image's own does.
func (s serverVolume) run(t *testing.T, name, entrypoint string) {
	t.Helper()
	command := filepath.Join(s.image, "docker-entrypoint.sh")
	write(t, command, "#!/bin/sh\n[ \"$*\" = mysqld ] || exit 9\n"+entrypoint+"\n")
	if err := os.Chmod(command, 0o755); err != nil {
		t.Fatal(err)
	}
	args := standalone()
	if s.change != nil {
		s.change(args)
	}
	scripts := get[corev1.ConfigMap](run(t, databaseProgram(args)), "ConfigMap", "wordpress-mysql").Data
	paths := map[string]string{"/volume": s.volume}
	if name == "start.sh" {
		paths["/var/lib/mysql"] = filepath.Join(s.volume, "mysql")
	}
	if err := shell(t, scripts[name], paths, "PATH="+s.image+":"+os.Getenv("PATH")); err != nil {
		t.Fatal(err)
	}
}

// awaitHeld waits until a script that runs does nothing but wait.
func (s serverVolume) awaitHeld(t *testing.T, started <-chan struct{}) {
	t.Helper()
	for {
		if _, err := os.Stat(filepath.Join(s.image, "held")); err == nil {
			return
		}
		select {
		case <-started:
			t.Fatal("the script does not wait")
		case <-time.After(time.Millisecond):
		}
	}
}

// writes is an entrypoint that writes a file into the data directory.
func (s serverVolume) writes(text string) string {
	return "echo '" + text + "' >> " + filepath.Join(s.volume, "mysql", "ibdata1")
}

func TestFirstStartIsMarkedUntilItIsComplete(t *testing.T) {
	s := newServerVolume(t)
	s.run(t, "start.sh", s.writes("initialised"))
	wantFiles(t, s.volume, map[string]string{".initialising": "", "mysql/ibdata1": "initialised\n", "tmp/": ""})
	s.run(t, "complete.sh", "")
	s.run(t, "start.sh", s.writes("served"))
	wantFiles(t, s.volume, map[string]string{"mysql/ibdata1": "initialised\nserved\n", "tmp/": ""})
}

// Whether the container starts again in its pod or in a new one is the same to the volume.
func TestInterruptedFirstStartBeginsAnew(t *testing.T) {
	s := newServerVolume(t)
	write(t, filepath.Join(s.volume, "lost+found", "inode"), "found")
	for range 3 {
		s.run(t, "start.sh", s.writes("half"))
		wantFiles(t, s.volume, map[string]string{
			".initialising": "", "mysql/ibdata1": "half\n", "lost+found/inode": "found", "tmp/": "",
		})
		write(t, filepath.Join(s.volume, "mysql", "#innodb_temp", "temp_1.ibt"), "half")
		write(t, filepath.Join(s.volume, "mysql", ".hidden"), "half")
	}
}

// The image reads the passwords at every start and hands them on to the server, though only the first start needs them.
func TestOnlyTheFirstStartIsToldThePasswords(t *testing.T) {
	for _, names := range []string{"MYSQL_PASSWORD_FILE", "MYSQL_ROOT_PASSWORD_FILE"} {
		t.Setenv(names, "/a/file")
	}
	s := newServerVolume(t)
	told := s.writes("${MYSQL_PASSWORD_FILE:-} ${MYSQL_ROOT_PASSWORD_FILE:-}")
	told = strings.ReplaceAll(told, "'", `"`)
	s.run(t, "start.sh", told+"; mkdir "+filepath.Join(s.volume, "mysql", "mysql"))
	s.run(t, "complete.sh", "")
	s.run(t, "start.sh", told)
	wantFiles(t, s.volume, map[string]string{"mysql/ibdata1": "/a/file /a/file\n \n", "mysql/mysql/": "", "tmp/": ""})
}

func TestRestoredDataIsKept(t *testing.T) {
	s := newServerVolume(t)
	write(t, filepath.Join(s.volume, "mysql", "ibdata1"), "from a backup\n")
	write(t, filepath.Join(s.volume, "lost+found", "inode"), "found")
	s.run(t, "start.sh", s.writes("served"))
	wantFiles(t, s.volume, map[string]string{"mysql/ibdata1": "from a backup\nserved\n", "lost+found/inode": "found", "tmp/": ""})
}

// Whoever restores into the folder of a failed first start is asked what it is.
func TestDataRestoredBesideAMarkerIsHeldUntilSomebodySaysWhatItIs(t *testing.T) {
	for said, do := range map[string]func(s serverVolume) error{
		"that it is complete": func(s serverVolume) error { return os.Remove(filepath.Join(s.volume, ".initialising")) },
		"that it is nothing":  func(s serverVolume) error { return os.RemoveAll(filepath.Join(s.volume, "mysql", "word_press")) },
	} {
		t.Run(said, func(t *testing.T) {
			s := newServerVolume(t)
			s.run(t, "start.sh", s.writes("half"))
			command := filepath.Join(s.image, "sleep")
			write(t, command, "#!/bin/sh\ntouch "+filepath.Join(s.image, "held")+"\nexec /bin/sleep 0.01\n")
			if err := os.Chmod(command, 0o755); err != nil {
				t.Fatal(err)
			}
			table := filepath.Join(s.volume, "mysql", "word_press", "wp_posts.ibd")
			write(t, table, "from a backup")
			started := make(chan struct{})
			go func() {
				defer close(started)
				s.run(t, "start.sh", s.writes("served"))
			}()
			s.awaitHeld(t, started)
			if _, err := os.Stat(table); err != nil {
				t.Error(err)
			}
			if err := do(s); err != nil {
				t.Fatal(err)
			}
			<-started
			if _, err := os.Stat(filepath.Join(s.volume, ".initialising")); (said == "that it is nothing") == (err != nil) {
				t.Errorf("the marker afterwards: %v", err)
			}
		})
	}
}
