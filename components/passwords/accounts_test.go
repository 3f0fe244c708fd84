package passwords

import (
	"errors"
	"testing"
)

func TestAccountsAreMadeOnceAndAgainWhenTheyDiffer(t *testing.T) {
	w := newWorld(t)
	var told []string
	changer := w.changer()
	changer.Log = func(message string) { told = append(told, message) }
	saver := Made{User: "saver", Password: "p", Grants: []Grant{{"SELECT", "`site`.*"}}}
	make := func(want int) {
		t.Helper()
		told = nil
		if err := changer.Make(t.Context(), []Made{saver}); err != nil {
			t.Fatal(err)
		}
		if len(told) != want {
			t.Errorf("told %q, want %d messages", told, want)
		}
	}
	make(1)
	make(0)
	saver.Password = "q"
	make(1)
	saver.Grants = append(saver.Grants, Grant{"LOCK TABLES", "`site`.*"})
	make(1)
	make(0)
}

func TestAccountThatCannotBeMadeIsAnError(t *testing.T) {
	w := newWorld(t)
	w.server.steps = 0
	if err := w.changer().Make(t.Context(), []Made{{User: "saver", Password: "p"}}); !errors.Is(err, errCutOff) {
		t.Errorf("got %v", err)
	}
}

func TestDerivedPasswordsDifferByAccountAndRoot(t *testing.T) {
	seen := map[string]bool{}
	for _, root := range []string{"one", "two"} {
		for _, user := range []string{"a", "b"} {
			password := Derived(root, user)
			if len(password) != 48 || seen[password] || password != Derived(root, user) {
				t.Errorf("of root's %q and %q: %q", root, user, password)
			}
			seen[password] = true
		}
	}
}
