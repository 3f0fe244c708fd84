package mocks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"wordpress-on-kubernetes/components/plan"
)

// Program is a compiled program to run, with the configuration of a stack.
type Program struct {
	// Binary is the path of the compiled program.
	Binary string
	// Stack is the stack's name.
	Stack string
	// Config is the stack's configuration by full key; SecretKeys are the keys that are encrypted in the file.
	Config     map[string]string
	SecretKeys []string
}

// Result is what a program did.
type Result struct {
	Registrations []plan.Registration
	// Outputs of the stack.
	Outputs resource.PropertyMap
	// Warnings that the program gave, in their order.
	Warnings []string
}

// Exec runs a compiled program as the engine would at preview, but against the recorder. The error holds what
// the program reported.
func (p Program) Exec(ctx context.Context) (*Result, error) {
	server := &monitor{recorder: plan.NewRecorder(Project, p.Stack), messages: map[pulumirpc.LogSeverity][]string{}}
	address, stop, err := server.serve(ctx)
	if err != nil {
		return nil, fmt.Errorf("resource monitor: %w", err)
	}
	defer stop()

	env, err := p.environment(address)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, p.Binary)
	command.Env = append(os.Environ(), env...)
	output, err := command.CombinedOutput()
	if err != nil {
		return nil, p.failure(err, server.logged(pulumirpc.LogSeverity_ERROR), output)
	}
	return &Result{
		Registrations: server.recorder.Registrations(), Outputs: server.outputs, Warnings: server.logged(pulumirpc.LogSeverity_WARNING),
	}, nil
}

// failure is what the program itself says where it refuses a stack, without the SDK's words around it, and otherwise all that is known.
func (p Program) failure(err error, logged []string, output []byte) error {
	const onlyOne = "1 error occurred:\n\t* "
	all := strings.Join(logged, "")
	if _, reason, found := strings.Cut(all, onlyOne); found && len(logged) == 1 {
		return errors.New(strings.TrimSpace(reason))
	}
	return fmt.Errorf("program: %w\n%s%s", err, all, output)
}

// environment is what the language host sets for a program.
func (p Program) environment(address string) ([]string, error) {
	config, err := json.Marshal(p.Config)
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(p.SecretKeys)
	if err != nil {
		return nil, err
	}
	return []string{
		pulumi.EnvProject + "=" + Project,
		pulumi.EnvStack + "=" + p.Stack,
		pulumi.EnvConfig + "=" + string(config),
		pulumi.EnvConfigSecretKeys + "=" + string(secretKeys),
		pulumi.EnvDryRun + "=true",
		pulumi.EnvMonitor + "=" + address,
		pulumi.EnvEngine + "=" + address,
	}, nil
}

// monitor is the resource monitor and the engine of a program that runs in a process of its own.
type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer
	pulumirpc.UnimplementedEngineServer

	recorder *plan.Recorder

	mu       sync.Mutex
	messages map[pulumirpc.LogSeverity][]string
	outputs  resource.PropertyMap
}

func (m *monitor) serve(ctx context.Context) (address string, stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := grpc.NewServer()
	pulumirpc.RegisterResourceMonitorServer(server, m)
	pulumirpc.RegisterEngineServer(server, m)
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), server.Stop, nil
}

// logged are the program's messages of one severity.
func (m *monitor) logged(severity pulumirpc.LogSeverity) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.messages[severity]
}

// SupportsFeature has secrets marked in what a program sends, as the engine does.
func (m *monitor) SupportsFeature(
	_ context.Context, request *pulumirpc.SupportsFeatureRequest,
) (*pulumirpc.SupportsFeatureResponse, error) {
	return &pulumirpc.SupportsFeatureResponse{HasSupport: request.GetId() != "outputValues"}, nil
}

// RegisterResource records a registration and answers with its inputs.
func (m *monitor) RegisterResource(
	_ context.Context, request *pulumirpc.RegisterResourceRequest,
) (*pulumirpc.RegisterResourceResponse, error) {
	inputs, err := unmarshal(request.GetObject())
	if err != nil {
		return nil, err
	}
	id, state, err := m.recorder.NewResource(pulumi.MockResourceArgs{
		TypeToken:   request.GetType(),
		Name:        request.GetName(),
		Inputs:      inputs,
		Provider:    request.GetProvider(),
		Custom:      request.GetCustom(),
		RegisterRPC: request,
	})
	if err != nil {
		return nil, err
	}
	object, err := plugin.MarshalProperties(state, plugin.MarshalOptions{KeepSecrets: true, KeepResources: true})
	if err != nil {
		return nil, err
	}
	return &pulumirpc.RegisterResourceResponse{
		Urn: m.recorder.URN(request.GetParent(), request.GetType(), request.GetName()), Id: id, Object: object,
	}, nil
}

// RegisterResourceHook takes hooks and calls none: nothing is created here.
func (m *monitor) RegisterResourceHook(
	context.Context, *pulumirpc.RegisterResourceHookRequest,
) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterResourceOutputs keeps the outputs of the stack.
func (m *monitor) RegisterResourceOutputs(
	_ context.Context, request *pulumirpc.RegisterResourceOutputsRequest,
) (*emptypb.Empty, error) {
	if resource.URN(request.GetUrn()).QualifiedType() == resource.RootStackType {
		outputs, err := unmarshal(request.GetOutputs())
		if err != nil {
			return nil, err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.outputs = outputs
	}
	return &emptypb.Empty{}, nil
}

// Log keeps the program's messages.
func (m *monitor) Log(_ context.Context, request *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages[request.GetSeverity()] = append(m.messages[request.GetSeverity()], request.GetMessage())
	return &emptypb.Empty{}, nil
}

func unmarshal(properties *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(properties, plugin.MarshalOptions{KeepSecrets: true, KeepResources: true})
}
