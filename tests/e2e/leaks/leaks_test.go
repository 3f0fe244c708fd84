package leaks

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const (
	password = "correct/horse+battery&staple=38fj2kd9"
	short    = "ten \"chars"
)

func newSearch(t *testing.T) *Search {
	t.Helper()
	search, err := New(map[string]string{"db/password": password, "db/short": short})
	if err != nil {
		t.Fatal(err)
	}
	return search
}

func TestEveryFormIsFound(t *testing.T) {
	t.Parallel()
	inJSON, err := json.Marshal(map[string]string{"text": "say " + short})
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct{ text, secret string }{
		"plain":                  {"user:" + password + "@host", "db/password"},
		"the first half":         {password[:len(password)/2] + "...", "db/password"},
		"the second half":        {"..." + password[len(password)/2:], "db/password"},
		"a short one":            {"(" + short + ")", "db/short"},
		"JSON":                   {string(inJSON), "db/short"},
		"PHP's JSON":             {strings.ReplaceAll(password, "/", `\/`), "db/password"},
		"a query":                {"?p=" + url.QueryEscape(password), "db/password"},
		"a path":                 {"/x/" + url.PathEscape(short), "db/short"},
		"base64":                 {base64.StdEncoding.EncodeToString([]byte(password)), "db/password"},
		"base64 after one byte":  {base64.StdEncoding.EncodeToString([]byte(":" + password)), "db/password"},
		"base64 after two bytes": {base64.StdEncoding.EncodeToString([]byte("::" + password + "::")), "db/password"},
		"base64 of a file":       {base64.StdEncoding.EncodeToString([]byte("[client]\npassword=" + short + "\n")), "db/short"},
		"base64 for a URL":       {base64.RawURLEncoding.EncodeToString([]byte("user " + password)), "db/password"},
		"base64 in JSON":         {`"data":"` + base64.StdEncoding.EncodeToString([]byte(short)) + `"`, "db/short"},
	} {
		search := newSearch(t)
		if got := search.Look(name, []byte(try.text)); !slices.Equal(got, []string{try.secret}) {
			t.Errorf("%s: found %q, want %q", name, got, try.secret)
		}
		if want := []Leak{{Place: name, Secret: try.secret}}; !slices.Equal(search.Found(), want) {
			t.Errorf("%s: leaks %v, want %v", name, search.Found(), want)
		}
	}
}

func TestOtherTextsAreClean(t *testing.T) {
	t.Parallel()
	search := newSearch(t)
	for _, text := range []string{"", "[secret]", password[:10], base64.StdEncoding.EncodeToString([]byte(short[:6])), "correct horse"} {
		if names := search.Look("a text", []byte(text)); len(names) > 0 {
			t.Errorf("%q: found %q", text, names)
		}
	}
	if search.Places() != 5 || search.Bytes() == 0 || len(search.Found()) != 0 {
		t.Errorf("%d places, %d bytes, %d leaks", search.Places(), search.Bytes(), len(search.Found()))
	}
}

func TestLinesAreSearchedOneByOne(t *testing.T) {
	t.Parallel()
	search, err := New(map[string]string{"tls/key": "-----\nMIIEvQIBADAN\n  0123456789abcdef\n"})
	if err != nil {
		t.Fatal(err)
	}
	if got := search.Look("a text", []byte("x 0123456789abcdef x")); len(got) != 1 {
		t.Errorf("found %q, want the one secret", got)
	}
}

func TestValuesThatAreFoundByChanceAreRefused(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "root", "a\nb\nc\nd\ne\nf"} {
		_, err := New(map[string]string{"db/user": value})
		if err == nil || !strings.Contains(err.Error(), "db/user") {
			t.Errorf("%q: %v, want an error that names the secret", value, err)
		}
	}
}
