package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wordpress-on-kubernetes/components/backup"
	"wordpress-on-kubernetes/tests/e2e/evidence"
)

// restoredSecond is the promise that the table tells of.
const restoredSecond = "any second of the last week is restored"

// binlogPods are those that bring the log to the storage.
const binlogPods = "app.kubernetes.io/name=restic,app.kubernetes.io/component=binlog"

// TestSecondIsRestored has comments made in seconds of their own, takes all away, and restores the site to each of the seconds. What the newest run has
// without the binary log must be something else.
func TestSecondIsRestored(t *testing.T) {
	needLong(t)
	storage := startStorage(t)
	settings := storage.settings(t, "second")
	maps.Copy(settings, map[string]string{
		"wordpress:backup.binlog.enabled": "true", "wordpress:backup.binlog.image": "localhost/mysql:9.7", "wordpress:backup.binlog.seconds": "60",
		"wordpress:frontend.replicas": "2", "wordpress:autoscaling.enabled": "false", cacheEnabled: "false",
	})
	s := newBeside(t, "second", settings)
	storage.open(t, s.contender.(*program))
	s.deploy(t)
	t.Cleanup(func() { s.giveUpBoot(t, t.Failed()) })
	s.fill(t)
	await(t, "the binary log is in the storage", s.isShipped)
	s.job(t, backup.Name, nil)

	const comments = 20
	var seconds []string
	for number := range comments {
		seconds = append(seconds, s.nextSecond(t))
		s.changeDatabase(t, fmt.Sprintf("INSERT INTO wordpress.wp_comments (comment_post_ID, comment_author, comment_content, comment_date, "+
			"comment_date_gmt) VALUES (1, 'numbered', '%d', NOW(), UTC_TIMESTAMP())", number))
	}
	s.nextSecond(t)
	s.changeDatabase(t, "DELETE FROM wordpress.wp_comments; DELETE FROM wordpress.wp_posts")
	s.awaitShipped(t, s.nextSecond(t))

	var wrong int
	var took []float64
	var problem error
	for number, at := range seconds {
		began := time.Now()
		s.job(t, backup.RestoreName, map[string]string{"AT": at, "SAVE": "no"})
		took = append(took, time.Since(began).Seconds())
		if got, want := s.numbered(t), numbersBelow(number); got != want {
			wrong++
			problem = errors.Join(problem, fmt.Errorf("at %s there are the comments %q, want %q", at, got, want))
		}
	}
	problem = errors.Join(problem, eventually(t.Context(), 10*time.Second, "the site serves", s.serves))
	cost := s.costOfBinlog(t)
	slices.Sort(took)
	s.keep(t, proof{promise: 41, title: restoredSecond, rounds: comments,
		tried: fmt.Sprintf("%d numbered comments in seconds of their own, then all comments and posts deleted; the site restored to the beginning of each of the "+
			"seconds by the one command; and writes of one row with and without the log on the same server, in pairs", comments),
		figure: outcome(problem, fmt.Sprintf("0 of %d seconds had other comments than those before it; a restore took %.0f s; a write took %.0f %% longer with the log, %.1f "+
			"instead of %.1f ms", comments, median(took), cost.percent(), cost.with, cost.without)),
		figures: evidence.Figures{
			"pointInTimeWrong": float64(wrong), "restoreSeconds": median(took), "overheadRatio": 1 + cost.percent()/100, "writeMilliseconds": cost.with,
			"writeWithoutLogMilliseconds": cost.without,
		}}, problem)

	s.job(t, backup.RestoreName, map[string]string{"SNAPSHOT": "latest", "SAVE": "no"})
	last := comments - 1
	got := s.numbered(t)
	s.caught(t, 41, restoredSecond, "the newest run, without the binary log", fmt.Sprintf("the comments are %q", got), got != numbersBelow(last))
}

// isShipped tells of a pod that has brought the log to the storage a short time ago.
func (s *subject) isShipped(ctx context.Context) error {
	pods, err := s.kubernetes.readyPods(ctx, binlogPods)
	if err == nil && len(pods) != 1 {
		err = fmt.Errorf("%d pods have brought it there", len(pods))
	}
	return err
}

// knownUntil are the seconds up to which files of the log are known to be in the storage.
var knownUntil = regexp.MustCompile(`until-(\d{8}T\d{6}Z)`)

// awaitShipped waits until the storage has the log up to a second.
func (s *subject) awaitShipped(t *testing.T, second string) {
	t.Helper()
	at, err := time.Parse(time.DateTime, second)
	if err != nil {
		t.Fatal(err)
	}
	wanted := at.Format("20060102T150405Z")
	await(t, "the log until "+second, func(context.Context) error {
		var newest string
		for _, match := range knownUntil.FindAllStringSubmatch(s.job(t, backup.CareName, map[string]string{"TASK": "list"}), -1) {
			newest = max(newest, match[1])
		}
		if newest < wanted {
			return fmt.Errorf("it is there until %s", newest)
		}
		return nil
	})
}

// nextSecond waits for MySQL's clock to come to another second, and tells it.
func (s *subject) nextSecond(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(s.asRoot(t, "SELECT SLEEP(1) INTO @slept; SELECT UTC_TIMESTAMP() AS now"))
}

// numbered are the comments with numbers, in their order.
func (s *subject) numbered(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(s.asRoot(t, "SELECT COALESCE(GROUP_CONCAT(comment_content ORDER BY comment_ID), '') AS numbers FROM wordpress.wp_comments WHERE comment_author = 'numbered'"))
}

func numbersBelow(number int) string {
	var all []string
	for n := range number {
		all = append(all, strconv.Itoa(n))
	}
	return strings.Join(all, ",")
}

// binlogCost is what a write takes, in milliseconds.
type binlogCost struct{ with, without float64 }

func (c binlogCost) percent() float64 { return 100 * (c.with/c.without - 1) }

// costOfBinlog writes rows one by one with the log and without it, in turn, where no site is.
func (s *subject) costOfBinlog(t *testing.T) binlogCost {
	t.Helper()
	const pairs, rows = 10, 300
	s.changeDatabase(t, "CREATE DATABASE cost; CREATE TABLE cost.written (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(100))")
	inserts := strings.Repeat("INSERT INTO cost.written (text) VALUES ('a comment of some length'); ", rows)
	write := func(isLogged int) float64 {
		text := s.asRoot(t, fmt.Sprintf("SET SESSION sql_log_bin = %d; SET @began = SYSDATE(6); %s"+
			"SELECT TIMESTAMPDIFF(MICROSECOND, @began, SYSDATE(6)) AS took", isLogged, inserts))
		micros, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			t.Fatal(err)
		}
		return micros / 1000 / rows
	}
	var with, without []float64
	for pair := range pairs {
		order := []int{1, 0}
		if pair%2 == 1 {
			slices.Reverse(order)
		}
		for _, isLogged := range order {
			if took := write(isLogged); isLogged == 1 {
				with = append(with, took)
			} else {
				without = append(without, took)
			}
		}
	}
	s.changeDatabase(t, "DROP DATABASE cost")
	slices.Sort(with)
	slices.Sort(without)
	return binlogCost{median(with), median(without)}
}
