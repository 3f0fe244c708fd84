package frontend

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// keyNames are the eight keys and salts of wp-config.php, which are also the keys in the Secret.
var keyNames = [...]string{
	"AUTH_KEY", "SECURE_AUTH_KEY", "LOGGED_IN_KEY", "NONCE_KEY",
	"AUTH_SALT", "SECURE_AUTH_SALT", "LOGGED_IN_SALT", "NONCE_SALT",
}

// keyBytes of entropy make 64 characters in base64, the length that WordPress's own generator uses.
const keyBytes = 48

// deriveKeys makes the keys and salts from one secret, so that they are the same on every pod, a login
// accepted by one is accepted by all, and one changed value rotates them together.
func deriveKeys(secret pulumi.StringInput) pulumi.StringMapOutput {
	derived := secret.ToStringOutput().ApplyT(deriveKeyMap).(pulumi.StringMapOutput)
	return pulumi.ToSecret(derived).(pulumi.StringMapOutput)
}

func deriveKeyMap(secret string) (map[string]string, error) {
	keys := make(map[string]string, len(keyNames))
	for _, name := range keyNames {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "wordpress "+name, keyBytes)
		if err != nil {
			return nil, fmt.Errorf("derive %s: %w", name, err)
		}
		keys[name] = base64.StdEncoding.EncodeToString(key)
	}
	return keys, nil
}
