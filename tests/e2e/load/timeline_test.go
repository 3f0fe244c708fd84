package load_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"wordpress-on-kubernetes/tests/e2e/load"
)

func TestATimelineTellsEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := load.NewTimeline()
		var takes time.Duration
		var problem error
		request := line.Watch(func(context.Context) (load.Reply, error) {
			time.Sleep(takes)
			return load.Reply{Pod: "one"}, problem
		})
		ask := func(took time.Duration, failure error) {
			takes, problem = took, failure
			if reply, err := request(t.Context()); reply.Pod != "one" || !errors.Is(err, failure) {
				t.Errorf("%+v, %v, want the request's own answer", reply, err)
			}
		}
		for took := range 10 {
			ask(time.Duration(took+1)*time.Millisecond, nil)
		}
		// It ends in the third second, and counts for the first.
		ask(2500*time.Millisecond, errors.New("late"))
		time.Sleep(2 * time.Second)
		ask(7*time.Millisecond, nil)
		want := []load.Second{
			{At: 0, Requests: 11, Failed: 1, P50: 6 * time.Millisecond, P99: 2500 * time.Millisecond, Max: 2500 * time.Millisecond},
			{At: 4, Requests: 1, P50: 7 * time.Millisecond, P99: 7 * time.Millisecond, Max: 7 * time.Millisecond},
		}
		if got := line.Seconds(); !slices.Equal(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

func TestATimelineTellsTheSlowestHundredth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := load.NewTimeline()
		requests := 0
		request := line.Watch(func(context.Context) (load.Reply, error) {
			requests++
			if requests > 198 {
				time.Sleep(time.Millisecond)
			}
			return load.Reply{}, nil
		})
		for range 200 {
			if _, err := request(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := line.Seconds(); len(got) != 1 || got[0].P99 != 0 || got[0].Max != time.Millisecond {
			t.Errorf("%+v, want a p99 of 0, which two of 200 requests exceed", got)
		}
	})
}
