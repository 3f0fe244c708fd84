package frontend

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// checksumIterations make guessing slow where there is nothing else to guess with: some hundredths of a second for each guess.
const checksumIterations = 100_000

// passwordChecksum changes with the database's password, so that the pods are rolled. Everybody who may read a Deployment sees it, and a
// password may be one that can be guessed: the checksum is made with the secret of the keys and salts, without which no guess can be
// tried, or where the program does not see that, slowly. Nil: the program does not see the password.
func passwordChecksum(args *Args) pulumi.StringInput {
	if args.Database.Password == nil {
		return nil
	}
	password := pulumi.ToSecret(args.Database.Password).(pulumi.StringOutput)
	if args.AuthSecret == nil {
		return password.ApplyT(slowChecksum).(pulumi.StringOutput)
	}
	return pulumi.All(password, args.AuthSecret).ApplyT(func(secrets []any) string {
		return keyedChecksum(secrets[0].(string), secrets[1].(string))
	}).(pulumi.StringOutput)
}

func keyedChecksum(password, key string) string {
	sum := hmac.New(sha256.New, []byte(key))
	sum.Write([]byte("database password\x00" + password))
	return hex.EncodeToString(sum.Sum(nil))
}

func slowChecksum(password string) (string, error) {
	key, err := pbkdf2.Key(sha256.New, password, []byte("wordpress database password"), checksumIterations, sha256.Size)
	return hex.EncodeToString(key), err
}
