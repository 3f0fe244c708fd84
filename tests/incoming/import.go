package incoming

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/components/cluster"
	"wordpress-on-kubernetes/tests/jobs"
)

// Import has a Job in the namespace make a run of the backup of another host's site, from a dump of its database and its wp-content. They are looked through before
// anything is done. What becomes of them is told to out.
func Import(ctx context.Context, client *cluster.Client, namespace, dump, content string, out io.Writer) error {
	files, err := ReadContent(content)
	if err != nil {
		return err
	}
	statements, err := OpenDump(dump)
	if err != nil {
		return err
	}
	defer func() { _ = statements.Close() }()
	for _, left := range files.Left {
		if _, err := fmt.Fprintln(out, "left out:", left); err != nil {
			return err
		}
	}
	return jobs.RunAttended(ctx, client, namespace, backup.ImportName, jobs.Attendant{
		Container: backup.ReceiveContainer,
		Do: func(ctx context.Context, pod string) error {
			to := receiver{client: client, container: cluster.Container{Namespace: namespace, Pod: pod, Name: backup.ReceiveContainer}, out: out}
			return to.take(ctx, statements, files)
		},
	}, out)
}

// receiver is the container that waits.
type receiver struct {
	client    *cluster.Client
	container cluster.Container
	out       io.Writer
}

// take sends the dump, the files, and then what tells that these are all.
func (r receiver) take(ctx context.Context, dump io.Reader, content *Content) error {
	sum := sha256.New()
	into := func(folder, command string) string { return "mkdir -p " + folder + " && " + command }
	if err := r.send(ctx, "the dump", io.TeeReader(dump, sum), into(path.Dir(backup.IncomingDump), "cat >"+backup.IncomingDump)); err != nil {
		return err
	}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(content.WriteTar(writer)) }()
	err := r.send(ctx, fmt.Sprintf("%d files", content.Files), reader, into(backup.IncomingContent, "exec tar -x -C "+backup.IncomingContent+" -f -"))
	if err = errors.Join(err, reader.Close()); err != nil {
		return err
	}
	const part = backup.IncomingEnd + ".part"
	_, err = r.client.Exec(ctx, r.container, strings.NewReader(fmt.Sprintf("%x %d\n", sum.Sum(nil), content.Files)),
		[]string{"sh", "-c", "cat >" + part + " && mv " + part + " " + backup.IncomingEnd})
	return err
}

// told is how often it is told how much has been sent.
const told = 10 * time.Second

// send hands data to a command of the shell.
func (r receiver) send(ctx context.Context, what string, data io.Reader, command string) error {
	sent := &meter{Reader: data, out: r.out, what: what, next: time.Now().Add(told)}
	if _, err := r.client.Exec(ctx, r.container, sent, []string{"sh", "-c", command}); err != nil {
		return fmt.Errorf("send %s: %w", what, errors.Join(sent.problem, err))
	}
	if sent.problem != nil {
		return fmt.Errorf("send %s: %w", what, sent.problem)
	}
	sent.tell("sent")
	return nil
}

// meter tells how much of data has been read, and remembers what went wrong: the other end sees an end of data alone.
type meter struct {
	io.Reader

	out     io.Writer
	what    string
	bytes   int64
	next    time.Time
	problem error
}

// Read reads on.
func (m *meter) Read(into []byte) (int, error) {
	n, err := m.Reader.Read(into)
	m.bytes += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		m.problem = err
	}
	if now := time.Now(); now.After(m.next) {
		m.tell("sending")
		m.next = now.Add(told)
	}
	return n, err
}

func (m *meter) tell(how string) {
	// Whoever cannot be told is not waited for.
	_, _ = fmt.Fprintf(m.out, "%s %s: %.1f MiB\n", how, m.what, float64(m.bytes)/(1<<20))
}
