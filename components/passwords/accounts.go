package passwords

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// derivedBytes of entropy are more than anybody can try.
const derivedBytes = 24

// Derived is the password of an account that the program makes, from root's: nobody has to choose and keep another one, and it changes with
// root's. Of hexadecimal digits, so that it needs no quotes anywhere.
func Derived(root, user string) string {
	key, err := hkdf.Key(sha256.New, []byte(root), nil, "mysql account "+user, derivedBytes)
	if err != nil {
		panic(fmt.Sprintf("passwords: derive for %s: %v", user, err)) // the length is fixed, and no other error is possible
	}
	return hex.EncodeToString(key)
}

// Made is an account that the program makes beside WordPress's.
type Made struct {
	// User is the account's name, and Password what it logs in with, from anywhere.
	User, Password string
	// Grants are its rights, as MySQL shows them: without the user, and without the quotes of names.
	Grants []Grant
}

// Grant of rights on a level, such as SELECT on `wordpress`.*.
type Grant struct{ Rights, On string }

// Make has the server know the accounts with their passwords and rights, and no others. One that it knows so is left as it is, so that
// nothing of this is seen in an update that changes nothing.
func (c *Changer) Make(ctx context.Context, accounts []Made) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	api, server, err := c.Connect()
	if err != nil {
		return err
	}
	for _, account := range accounts {
		known, err := server.Knows(ctx, account)
		if err != nil {
			return fmt.Errorf("MySQL's account %s: %w", account.User, err)
		}
		if known {
			continue
		}
		admin, err := c.rootPassword(ctx, api, server)
		if err != nil {
			return fmt.Errorf("MySQL's account %s: %w", account.User, err)
		}
		if err := server.Make(ctx, admin, account); err != nil {
			return fmt.Errorf("MySQL's account %s: %w", account.User, err)
		}
		c.Log("MySQL has the account " + account.User)
	}
	return nil
}

// Knows logs in and looks at the rights.
func (m *MySQL) Knows(ctx context.Context, account Made) (bool, error) {
	accepted, err := m.Accepts(ctx, account.User, account.Password)
	if err != nil || !accepted {
		return false, err
	}
	shown, err := m.run(ctx, account.User, account.Password, "SHOW GRANTS;\n")
	if err != nil {
		return false, err
	}
	var has []string
	for line := range strings.Lines(shown) {
		has = append(has, strings.TrimSpace(line))
	}
	wanted := make([]string, 0, len(account.Grants))
	for _, grant := range account.Grants {
		// The client shows a backslash as two.
		on := strings.ReplaceAll(grant.On, `\`, `\\`)
		wanted = append(wanted, fmt.Sprintf("GRANT %s ON %s TO `%s`@`%%`", grant.Rights, on, account.User))
	}
	slices.Sort(has)
	slices.Sort(wanted)
	return slices.Equal(has, wanted), nil
}

// Make gives the account no right that it had before and that is not among those that are wanted.
func (m *MySQL) Make(ctx context.Context, rootPassword string, account Made) error {
	name := quote(account.User) + "@'%'"
	statements := []string{
		fmt.Sprintf("CREATE USER IF NOT EXISTS %s IDENTIFIED BY %s", name, quote(account.Password)),
		fmt.Sprintf("ALTER USER %s IDENTIFIED BY %s ACCOUNT UNLOCK", name, quote(account.Password)),
		fmt.Sprintf("REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s", name),
	}
	for _, grant := range account.Grants {
		statements = append(statements, fmt.Sprintf("GRANT %s ON %s TO %s", grant.Rights, grant.On, name))
	}
	_, err := m.run(ctx, Root, rootPassword, strings.Join(statements, ";\n")+";\n")
	return err
}
