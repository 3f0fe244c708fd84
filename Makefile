# WordPress on Kubernetes. `make help` lists the commands.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The stack that up, preview and render work on.
STACK ?= dev
# A context of your kubeconfig to deploy to. Empty: a local cluster is started. No other context is ever used.
CONTEXT ?=
# The production stack that `make up` and `make down` may change at CONTEXT without asking.
CONFIRM ?=
# What `make pulumi` hands to Pulumi, such as `stack output`.
ARGS ?=
# The run of the backup that `make restore` takes, as `make backups` lists them.
SNAPSHOT ?= latest
# The second, in UTC, whose database `make restore` brings back, such as '2026-11-29 14:03:07'. Empty: that of the run.
AT ?=
# `no` restores a site that is too broken to be saved before.
SAVE ?= yes
# A dump of a site from another host, plain or packed by gzip or zip, and its wp-content, a folder or an archive, for `make import`.
DUMP ?=
CONTENT ?=
# Nodes of the local cluster.
NODES ?= 1
# `required` fails `make test` where govulncheck cannot reach its database. Otherwise that is only said in the output.
VULNERABILITIES ?=
# What `make verify` tries: numbers of promises and names of rows of docs/evidence.md, such as '2 13 scaling in'. Empty: everything.
PROMISES ?=
# By the environment, because a name may hold an apostrophe.
export PROMISES
# Runs of each measurement of `make bench`.
RUNS ?= 5
# What `make bench` measures, such as ONLY='splits rollout': deploy, compile, splits, rollout and connections. Empty: everything.
ONLY ?=
BENCHES := deploy compile splits rollout connections

space := $() $()
CLUSTER := go -C tests/cluster run ./cmd/cluster
STACKS := go run ./tests/cmd/stack
JUDGES := $(addprefix .local/bin/,kube-score kubectl-validate govulncheck)
# An installed Pulumi is used as it is; otherwise the engine, its Go language host and the Kubernetes provider are
# built from their modules.
ENGINE := $(if $(shell command -v pulumi),,engine)

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Variables: STACK=$(STACK) CONTEXT=$(CONTEXT) CONFIRM=$(CONFIRM) NODES=$(NODES)"

.PHONY: up
up: check validate $(if $(CONTEXT),,cluster) $(ENGINE) ## deploy STACK (dev) to a local cluster, or to CONTEXT, and print its URL
	@$(STACKS) up -stack '$(STACK)' -context '$(CONTEXT)' -confirm '$(CONFIRM)'

.PHONY: down
down: ## destroy what `make up` deployed, and the local cluster
	@$(if $(CONTEXT),$(STACKS) destroy -stack '$(STACK)' -context '$(CONTEXT)' -confirm '$(CONFIRM)',$(CLUSTER) down)

.PHONY: preview
preview: $(ENGINE) ## what `make up` would change in STACK; needs no cluster where nothing is deployed
	@$(STACKS) preview -stack '$(STACK)' -context '$(CONTEXT)'

.PHONY: pulumi
pulumi: $(ENGINE) ## run pulumi with ARGS='...' on the STACK that `make up` deployed, with its settings, secrets and state
	@$(if $(strip $(ARGS)),,$(error say what Pulumi is to do, as in: make pulumi ARGS='stack output'))$(STACKS) pulumi -stack '$(STACK)' -context '$(CONTEXT)' -- $(ARGS)

.PHONY: backups
backups: $(ENGINE) ## list the backups of STACK
	@$(STACKS) backups -stack '$(STACK)' -context '$(CONTEXT)'

.PHONY: restore
restore: $(ENGINE) ## put the site of STACK back as SNAPSHOT (latest) of its backups has it, or as it was AT a second
	@$(STACKS) restore -stack '$(STACK)' -context '$(CONTEXT)' -confirm '$(CONFIRM)' -snapshot '$(SNAPSHOT)' -at '$(AT)' -save '$(SAVE)'

.PHONY: import
import: $(ENGINE) ## save a site from another host, its DUMP and CONTENT, as a run of the backup of STACK
	@$(STACKS) import -stack '$(STACK)' -context '$(CONTEXT)' -dump '$(DUMP)' -content '$(CONTENT)'

.PHONY: render
render: ## print the objects of STACK as YAML, secrets hidden; needs no cluster
	@$(STACKS) render -stack '$(STACK)'

.PHONY: test
test: lint unit judges ## every check that needs no cluster: format, lint, unit tests, and what external judges find

.PHONY: lint
lint: .local/bin/golangci-lint
	.local/bin/golangci-lint fmt --diff
	.local/bin/golangci-lint run --allow-parallel-runners ./...
	cd tests/cluster && ../../.local/bin/golangci-lint run --allow-parallel-runners --config ../../.golangci.yml ./...
	cd tests/e2e && ../../.local/bin/golangci-lint run --allow-parallel-runners --config ../../.golangci.yml ./...
	cd tests/judges/tools/kubectl-validate && ../../../../.local/bin/golangci-lint run --allow-parallel-runners --config ../../../../.golangci.yml ./...

.PHONY: unit
unit: $(JUDGES)
	go test ./...
	cd tests/cluster && go test -short ./...
	cd tests/e2e && go test ./load ./evidence ./leaks ./plots

.PHONY: judges
judges: $(JUDGES)
	@go run ./tests/cmd/judges $(if $(filter required,$(VULNERABILITIES)),-require-vulnerabilities)

.PHONY: e2e
e2e: $(ENGINE) ## the end-to-end tests, on the local cluster; one that does not run is started and taken down again
	cd tests/e2e && go test -count=1 -timeout 100m -v .

.PHONY: verify
verify: chosen $(ENGINE) ## the promises in their long form, all (hours) or PROMISES='2 13 scaling in'; writes docs/evidence.md
	cd tests/e2e && go test -count=1 -timeout 6h -v . -long -publish -promises "$$PROMISES"

# Refuses what there is not before anything is built.
.PHONY: chosen
chosen:
	@$(if $(PROMISES),cd tests/e2e && go run ./cmd/evidence select "$$PROMISES")

.PHONY: freshness
freshness: ## how many commits have touched the program since each row of docs/evidence.md was tried
	@cd tests/e2e && go run ./cmd/evidence freshness ../..

.PHONY: bench
bench: benches cluster $(ENGINE) ## measure for docs/benchmarks.md, all or ONLY='splits rollout': print the tables, draw the pictures
	cd tests/e2e && go test -count=1 -timeout 180m -v . -bench.runs=$(RUNS) -run '^TestBench$$$(if $(strip $(ONLY)),/^($(subst $(space),|,$(strip $(ONLY))))$$)'

# Refuses what there is not before a cluster is started.
.PHONY: benches
benches:
	@$(if $(filter-out $(BENCHES),$(ONLY)),$(error ONLY=$(ONLY): these can be measured: $(BENCHES)))

.PHONY: cluster
cluster:
	@$(CLUSTER) up -nodes '$(NODES)'

.PHONY: engine
engine:
	@$(CLUSTER) tools -only pulumi,pulumi-language-go,pulumi-resource-kubernetes >&2

.PHONY: validate
validate:
	@$(STACKS) validate -stack '$(STACK)'

.PHONY: check
check:
	@$(STACKS) check -stack '$(STACK)' -context '$(CONTEXT)' -confirm '$(CONFIRM)'

.PHONY: status
status: ## show the local cluster
	@$(CLUSTER) status

.PHONY: versions
versions: ## build the local images, and write which releases they hold to tests/images/versions.yaml
	@$(CLUSTER) images -record

.PHONY: golden
golden: ## write the golden files and docs/configuration.md anew
	go test . ./config ./components/rules -update
	cd tests/e2e && go test ./evidence ./plots -update

.PHONY: clean
clean: down ## `make down`, and delete everything that was built
	@! ls -d .local/projects/*/ 2>/dev/null || { echo "The state and secrets of what was deployed to these contexts are there alone: run 'make down CONTEXT=...' for each, then delete its folder." >&2; exit 1; }
	rm -rf --one-file-system .local

.local/bin/golangci-lint: tests/cluster/tools/golangci-lint/go.mod tests/cluster/tools/golangci-lint/go.sum
	@echo "building golangci-lint (about two minutes, once)"
	cd tests/cluster/tools/golangci-lint && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' \
		-o ../../../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.local/bin/kube-score .local/bin/govulncheck: .local/bin/%: tests/judges/tools/%/go.mod tests/judges/tools/%/go.sum
	@echo "building $* (once)"
	cd tests/judges/tools/$* && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o ../../../../.local/bin/ tool

.local/bin/kubectl-validate: $(addprefix tests/judges/tools/kubectl-validate/,main.go go.mod go.sum)
	@echo "building kubectl-validate (once)"
	cd tests/judges/tools/kubectl-validate && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w' -o ../../../../$@ .
