package passwords

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"wordpress-on-kubernetes/components/cluster"
)

// MySQL is the program's own server, asked by the client in its pod.
type MySQL struct {
	// Cluster that the pod runs in.
	Cluster *cluster.Client
	// Namespace, label selector and container of the pod.
	Namespace, Selector, Container string
}

var _ Server = (*MySQL)(nil)

// client reads a line of an options file, the password, and then the statements. Neither is an argument or in the environment, where
// others see them, nor in a file.
const client = `exec 3<&0
IFS= read -r password <&3
printf '[client]\n%s\n' "$password" | mysql --defaults-extra-file=/dev/fd/4 --user="$1" --protocol=socket \
	--default-character-set=utf8mb4 --connect-timeout=20 --batch --skip-column-names 4<&0 0<&3`

// accessDenied is the server's error for a password that it does not accept.
const accessDenied = "ERROR 1045 "

// run has a user's statements answered. What comes back of a failure are the server's words, which hold no password.
func (m *MySQL) run(ctx context.Context, user, password, statements string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	pod, err := m.pod(ctx)
	if err != nil {
		return "", err
	}
	input := io.MultiReader(
		strings.NewReader("password="+optionValue(password)+"\n"),
		// Under these two modes a quote or a backslash would mean something else.
		strings.NewReader("SET SESSION sql_mode = '';\n"+statements),
	)
	where := cluster.Container{Namespace: m.Namespace, Pod: pod, Name: m.Container}
	output, err := m.Cluster.Exec(ctx, where, input, []string{"sh", "-c", client, "mysql", user})
	var ended *cluster.CommandError
	if errors.As(err, &ended) {
		// Of a statement that it does not understand, the server repeats what it could not read.
		ended.Output, _, _ = strings.Cut(ended.Output, " near '")
	}
	if err != nil {
		return "", fmt.Errorf("MySQL in pod %s: %w", pod, err)
	}
	return output, nil
}

// pod that takes writes: of one server there is one.
func (m *MySQL) pod(ctx context.Context) (string, error) {
	list, err := m.Cluster.CoreV1().Pods(m.Namespace).List(ctx, metav1.ListOptions{LabelSelector: m.Selector})
	if err != nil {
		return "", fmt.Errorf("MySQL's pod: %w", err)
	}
	for _, pod := range list.Items {
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil {
				return pod.Name, nil
			}
		}
	}
	return "", errNoServer
}

// Accepts logs in.
func (m *MySQL) Accepts(ctx context.Context, user, password string) (bool, error) {
	_, err := m.run(ctx, user, password, "SELECT 1;\n")
	var ended *cluster.CommandError
	if errors.As(err, &ended) && strings.Contains(ended.Output, accessDenied) {
		return false, nil
	}
	return err == nil, err
}

// HasOld looks at what the server keeps of its accounts.
func (m *MySQL) HasOld(ctx context.Context, rootPassword, user string) (bool, error) {
	output, err := m.run(ctx, Root, rootPassword, fmt.Sprintf(
		"SELECT COUNT(*) FROM mysql.user WHERE User = %s AND JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password');\n", quote(user)))
	return strings.TrimSpace(output) != "0", err
}

// KeepOld changes the account at every host that the server knows it at.
func (m *MySQL) KeepOld(ctx context.Context, rootPassword, user, password string) error {
	return m.alter(ctx, rootPassword, user, "IDENTIFIED BY "+quote(password)+" RETAIN CURRENT PASSWORD")
}

// DropOld sets the password first: after a change that was taken back, the wanted one is the older of the two.
func (m *MySQL) DropOld(ctx context.Context, rootPassword, user, password string) error {
	return m.alter(ctx, rootPassword, user, "IDENTIFIED BY "+quote(password), "DISCARD OLD PASSWORD")
}

func (m *MySQL) alter(ctx context.Context, rootPassword, user string, changes ...string) error {
	hosts, err := m.run(ctx, Root, rootPassword, fmt.Sprintf("SELECT Host FROM mysql.user WHERE User = %s;\n", quote(user)))
	if err != nil {
		return err
	}
	var statements strings.Builder
	for host := range strings.Lines(hosts) {
		for _, change := range changes {
			fmt.Fprintf(&statements, "ALTER USER %s@%s %s;\n", quote(user), quote(strings.TrimSuffix(host, "\n")), change)
		}
	}
	if statements.Len() == 0 {
		return fmt.Errorf("MySQL has no user %q", user)
	}
	_, err = m.run(ctx, Root, rootPassword, statements.String())
	return err
}

// quote is a string of SQL for any text, in a session with neither NO_BACKSLASH_ESCAPES nor ANSI_QUOTES.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// optionValue is a value of MySQL's options files for any text without line breaks.
func optionValue(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
