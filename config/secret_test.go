package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const formatVerbs = "vTtbcoOqxXUeEfFgGsd"

func TestSecretIsNeverPrinted(t *testing.T) {
	const value = "hunter2!"
	stack := &Stack{DatabasePassword: value}
	hex := fmt.Sprintf("%x", value)
	for _, verb := range formatVerbs {
		for _, flags := range []string{"", "+", "#", " ", "10", ".3"} {
			format := "%" + flags + string(verb)
			for _, printed := range []any{Secret(value), stack, *stack, []Secret{value}, map[string]Secret{"a": value}} {
				text := fmt.Sprintf(format, printed)
				if strings.Contains(text, "hunter") || strings.Contains(strings.ToLower(text), hex) {
					t.Errorf("%s of a %T prints %s", format, printed, text)
				}
			}
		}
	}
}

func TestSecretIsNeverMarshalled(t *testing.T) {
	encoded, err := json.Marshal(Stack{AuthSecret: "hunter2!"})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("stack", "secret", Secret("hunter2!"))
	for _, text := range []string{string(encoded), log.String()} {
		if strings.Contains(text, "hunter") || !strings.Contains(text, redacted) {
			t.Errorf("got %s, want %s in place of the secret", text, redacted)
		}
	}
}

// Every case has a problem at, or beside, a secret whose value begins with LEAK.
func TestErrorsNeverHoldASecret(t *testing.T) {
	for name, bad := range map[string]string{
		"too short":          `wordpress:databasePassword: {secure: LEAK}`,
		"line break":         `wordpress:authSecret: {secure: "LEAK\n"}`,
		"plain text":         `wordpress:databaseRootPassword: LEAKLEAKLEAK`,
		"plain object":       `wordpress:databasePassword: {password: LEAKLEAKLEAK}`,
		"misspelt":           `wordpress:databasePasword: LEAKLEAKLEAK`,
		"misspelt secret":    `wordpress:databasePasword: {secure: LEAKLEAKLEAK}`,
		"in a section":       `wordpress:database: {password: LEAKLEAKLEAK}`,
		"not needed":         `{wordpress:database: {existingSecret: db}, wordpress:databasePassword: {secure: LEAKLEAKLEAK}}`,
		"secret section":     `wordpress:site: {secure: '{"host": "LEAK"}'}`,
		"broken section":     `wordpress:frontend: {secure: LEAKLEAKLEAK}`,
		"secret wrong type":  `wordpress:frontend: {secure: '{"replicas": "LEAK", "resources": {"cpu": "LEAK"}}'}`,
		"secret wrong enums": `wordpress:ingress: {secure: '{"kind": "LEAK", "tls": {"domains": ["LEAK_"], "certResolver": "LEAK ."}}'}`,
		"secret host":        `{wordpress:site: {secure: '{"host": "leak.example.com"}'}, wordpress:ingress: {tls: {certResolver: a, domains: [b.com]}}}`,
		"secret profile":     `wordpress:profile: {secure: LEAK}`,
	} {
		_, err := parse(t, minimal, bad).load()
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		assertNoLeak(t, name, err)
	}
}

func assertNoLeak(t *testing.T, name string, err error) {
	t.Helper()
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("%s: error is a %T, want an *InvalidError", name, err)
	}
	for _, text := range []string{
		err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), fmt.Sprintf("%#v", invalid.Problems), fmt.Sprintf("%d", err),
	} {
		if strings.Contains(strings.ToUpper(text), "LEAK") {
			t.Errorf("%s: the error holds the secret: %s", name, text)
		}
	}
}
