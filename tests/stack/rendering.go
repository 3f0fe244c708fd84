package stack

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"wordpress-on-kubernetes/tests/mocks"
)

// Plan runs the compiled program with the derived project's configuration, without an engine.
func (p *Project) Plan(ctx context.Context) (*mocks.Result, error) {
	values, secretKeys, err := p.values()
	if err != nil {
		return nil, err
	}
	program := mocks.Program{Binary: p.Binary(), Stack: p.Stack, Config: values, SecretKeys: secretKeys}
	return program.Exec(ctx)
}

// values are the derived project's configuration as the engine hands it to the program.
func (p *Project) values() (values map[string]string, secretKeys []string, err error) {
	project, err := workspace.LoadProject(filepath.Join(p.Dir(), "Pulumi.yaml"))
	if err != nil {
		return nil, nil, err
	}
	settings, err := workspace.LoadProjectStack(nil, project, p.derived())
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", p.derived(), err)
	}
	crypter, err := p.crypter(settings.EncryptionSalt, settings)
	if err != nil {
		return nil, nil, err
	}
	decrypted, err := settings.Config.Decrypt(crypter)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", p.derived(), err)
	}
	values = make(map[string]string, len(decrypted))
	for key, value := range decrypted {
		values[key.String()] = value
	}
	for _, key := range settings.Config.SecureKeys() {
		secretKeys = append(secretKeys, key.String())
	}
	return values, secretKeys, nil
}
