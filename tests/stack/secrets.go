package stack

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	stackconfig "wordpress-on-kubernetes/config"
)

// placeholder begins what stands where a preview needs some secret; the secret's name ends it, since no two may be the same.
const placeholder = "placeholder-for-a-secret-that-is-not-set"

// secretKey is a secret of the configuration and what makes it unnecessary.
type secretKey struct {
	name string
	// replacedBy is the path of the field that names an existing Secret instead.
	replacedBy string
	// standalone secrets are for a database that the program runs.
	standalone bool
	// onlyWith is the path of the field without which, or with which false, nobody reads the secret.
	onlyWith string
}

var secretKeys = []secretKey{
	{name: "databasePassword", replacedBy: "database.existingSecret"},
	{name: "databaseRootPassword", replacedBy: "database.existingSecret", standalone: true},
	{name: "authSecret", replacedBy: "frontend.existingSecret"},
	{name: "adminPassword", replacedBy: "site.admin.existingSecret", onlyWith: "site.admin.user"},
	{name: "backupPassword", replacedBy: "backup.existingSecret", onlyWith: "backup.enabled"},
	{name: "backupAccessKey", replacedBy: "backup.existingSecret", onlyWith: "backup.enabled"},
	{name: "backupSecretKey", replacedBy: "backup.existingSecret", onlyWith: "backup.enabled"},
}

// derive is the committed stack file with the missing secrets and what the target cluster needs.
func (p *Project) derive(project *workspace.Project) (*workspace.ProjectStack, error) {
	settings, err := workspace.LoadProjectStack(nil, project, p.committed())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.file(), err)
	}
	if settings.Config == nil {
		settings.Config = config.Map{}
	}
	unsuited := p.checkTarget(settings.Config)
	if err := p.target(settings.Config); err != nil {
		return nil, err
	}
	if p.Placeholders {
		dropSecrets(settings)
	}
	p.ownSecrets = settings.Config.HasSecureValue()
	if p.ownSecrets {
		return settings, errors.Join(unsuited, p.checkOwnSecrets(settings))
	}
	return settings, errors.Join(unsuited, p.fillSecrets(project, settings))
}

// dropSecrets leaves the committed secrets out, whose key a preview against nothing need not have.
func dropSecrets(settings *workspace.ProjectStack) {
	for _, key := range settings.Config.SecureKeys() {
		delete(settings.Config, key)
	}
	settings.EncryptionSalt, settings.SecretsProvider, settings.EncryptedKey = "", "", ""
}

// checkOwnSecrets makes sure that the secrets of the committed file, which are then all there are, can be read here.
func (p *Project) checkOwnSecrets(settings *workspace.ProjectStack) error {
	if settings.EncryptionSalt == "" || settings.SecretsProvider != "" || settings.EncryptedKey != "" {
		return fmt.Errorf("%s: its secrets are encrypted by your Pulumi backend or a key service, which only your own "+
			"pulumi can ask: deploy with `pulumi up --stack %s`", p.file(), p.Stack)
	}
	if !passphraseGiven() {
		return fmt.Errorf("%s: its secrets are encrypted with your passphrase: set PULUMI_CONFIG_PASSPHRASE or "+
			"PULUMI_CONFIG_PASSPHRASE_FILE", p.file())
	}
	return nil
}

func passphraseGiven() bool {
	return os.Getenv("PULUMI_CONFIG_PASSPHRASE") != "" || os.Getenv("PULUMI_CONFIG_PASSPHRASE_FILE") != ""
}

// fillSecrets keeps the secrets that were generated before and generates or asks for the others.
func (p *Project) fillSecrets(project *workspace.Project, settings *workspace.ProjectStack) error {
	earlier, err := workspace.LoadProjectStack(nil, project, p.derived())
	if err != nil {
		return fmt.Errorf("%s: %w", p.derived(), err)
	}
	crypter, err := p.crypter(earlier.EncryptionSalt, settings)
	if err != nil {
		return err
	}
	var missing []string
	for _, secret := range secretKeys {
		key := config.MustMakeKey(stackconfig.Project, secret.name)
		value, found := earlier.Config[key]
		given, isGiven := settings.Config[key]
		switch {
		// The derived file, which is about to be written anew, is the only one that has the secret which data was made with.
		case isGiven && !given.Secure() && found && value.Secure() && !p.Placeholders:
			return fmt.Errorf("%s: %s is in plain, and a generated one is in use: remove the line to go on with that, or change it "+
				"as docs/operations.md says", p.file(), key)
		case !secret.needed(settings.Config):
			continue
		// One that stood in the stack file in plain is not kept: it would come back when the file has lost it.
		case found && value.Secure():
		case p.mayGenerate(settings.Config):
			if value, err = p.generate(crypter, secret.name); err != nil {
				return err
			}
		default:
			missing = append(missing, secret.name)
			continue
		}
		settings.Config[key] = value
	}
	return p.missingError(missing)
}

// needed reports whether the stack lacks the secret and has nothing that replaces it.
func (s secretKey) needed(values config.Map) bool {
	_, given := values[config.MustMakeKey(stackconfig.Project, s.name)]
	if given || read(values, s.replacedBy) != "" || s.onlyWith != "" && slices.Contains([]string{"", "false"}, read(values, s.onlyWith)) {
		return false
	}
	external := read(values, "database.mode") == string(stackconfig.External)
	return !s.standalone || !external
}

// Administrator is the name that a new site is installed with, or empty, once the project is prepared; hasPassword says that the
// password is in the stack's configuration.
func (p *Project) Administrator() (user string, hasPassword bool, err error) {
	project, err := workspace.LoadProject(filepath.Join(p.Repo, "Pulumi.yaml"))
	if err != nil {
		return "", false, fmt.Errorf("project file: %w", err)
	}
	settings, err := workspace.LoadProjectStack(nil, project, p.derived())
	if err != nil {
		return "", false, fmt.Errorf("%s: %w", p.derived(), err)
	}
	_, hasPassword = settings.Config[config.MustMakeKey(stackconfig.Project, "adminPassword")]
	return read(settings.Config, "site.admin.user"), hasPassword, nil
}

func (p *Project) mayGenerate(values config.Map) bool {
	return p.Placeholders || read(values, "profile") == string(stackconfig.Development)
}

// missingError names the commands that set what a stack lacks.
func (p *Project) missingError(missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	var lines strings.Builder
	for _, name := range missing {
		fmt.Fprintf(&lines, "\n  pulumi config set --secret --stack %s %s:%s", p.Stack, stackconfig.Project, name)
	}
	return fmt.Errorf("stack %q lacks %d secrets, which are generated for a development profile only.\n"+
		"Run in the checkout, each asks for its value:%s\n"+
		"or name Kubernetes Secrets that exist already in database.existingSecret, frontend.existingSecret, site.admin.existingSecret and "+
		"backup.existingSecret",
		p.Stack, len(missing), lines.String())
}

func (p *Project) generate(crypter config.Crypter, name string) (config.Value, error) {
	secret := placeholder + "-" + name
	if !p.Placeholders {
		secret = rand.Text() + rand.Text()
	}
	ciphertext, err := crypter.EncryptValue(context.Background(), secret)
	return config.NewSecureValue(ciphertext), err
}

// saltBytes is the length of the salt in the engine's passphrase secrets provider.
const saltBytes = 8

// crypter encrypts as the engine's passphrase secrets provider does: "v1:", the salt, and a known text in the
// key that passphrase and salt make.
func (p *Project) crypter(encryptionSalt string, settings *workspace.ProjectStack) (config.Crypter, error) {
	passphrase, err := p.passphrase()
	if err != nil {
		return nil, err
	}
	if parts := strings.SplitN(encryptionSalt, ":", 3); len(parts) == 3 {
		salt, err := base64.StdEncoding.DecodeString(parts[1])
		if err != nil {
			return nil, fmt.Errorf("%s: encryptionsalt: %w", p.derived(), err)
		}
		settings.EncryptionSalt = encryptionSalt
		return config.NewSymmetricCrypterFromPassphrase(passphrase, salt), nil
	}
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return nil, err
	}
	crypter := config.NewSymmetricCrypterFromPassphrase(passphrase, salt)
	known, err := crypter.EncryptValue(context.Background(), "pulumi")
	if err != nil {
		return nil, err
	}
	settings.EncryptionSalt = "v1:" + base64.StdEncoding.EncodeToString(salt) + ":" + known
	return crypter, nil
}

func (p *Project) passphraseFile() string { return filepath.Join(p.Local(), "passphrase") }

// passphrase of the local stacks, made once.
func (p *Project) passphrase() (string, error) {
	text, err := os.ReadFile(p.passphraseFile())
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(rand.Text())
		err = errors.Join(os.MkdirAll(p.Local(), 0o755), os.WriteFile(p.passphraseFile(), text, 0o600))
	}
	return string(text), err
}

// read is a plain value of the configuration, or empty.
func read(values config.Map, path string) string {
	value, found, err := values.Get(config.MustMakeKey(stackconfig.Project, path), true)
	if err != nil || !found || value.Secure() {
		return ""
	}
	text, err := value.Value(config.NewPanicCrypter())
	if err != nil {
		return ""
	}
	return text
}
