# One command per intention. A fresh machine needs Python >= 3.11 and make; everything else is installed here.
PYTHON   ?= python3
VENV     ?= .venv
BIN      := $(VENV)/bin
UV       := 0.13.9
MANIFEST ?=
OUT      ?= out
OPEN     ?=
PORT     ?= 8000
QUOTAS   ?= twofold
AUTH     ?= any
KEYS     ?=
GUARD    ?= none
ADMINISTRATORS ?=
CALLER_RATE ?= 0
TESTS    ?= tests
SCHEDULES ?= 10000
SEED     ?= 0
MANIFESTS ?= $(TWOFOLD_MANIFESTS)
MINUTES  ?= 10
STAGE    ?=
CONTEXT  ?=
ALLOW    ?=
URL      ?=
BUCKET   ?=
DATA     ?= keep

# Values of variables are data: make never expands them, and the shell reads them from the environment.
VALUES   := MANIFEST OUT OPEN PORT QUOTAS AUTH KEYS GUARD ADMINISTRATORS CALLER_RATE TESTS SCHEDULES SEED MANIFESTS TWOFOLD_MANIFESTS MINUTES \
	STAGE CONTEXT ALLOW URL BUCKET DATA
$(foreach name,$(VALUES),$(if $(filter command environment,$(firstword $(origin $(name)))),$(eval override $(name) := $$(value $(name)))))
export $(VALUES)

# Python variables of the caller (PYTHONPATH, PYTHONHOME, PYTHONSAFEPATH, ...) could hide or replace the modules that run here.
unexport $(filter-out PYTHON PYTHON_%,$(filter PYTHON%,$(.VARIABLES)))

.DEFAULT_GOAL := help
.PHONY: help run serve test check faults rehearse bench audit synth bootstrap deploy diff smoke destroy lock clean fetch-cli rehearse-stage rehearse-deployments

help:            ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

# Environment ------------------------------------------------------------------------------------------------------------------

OLD      := import sys; sys.exit("Python 3.11 or later is required; name one: make PYTHON=python3.13" if sys.version_info < (3, 11) else 0)

INSTALL_UV := install --quiet --disable-pip-version-check uv==$(UV)

# The pip of PYTHON installs uv where there is one: a pip in the environment takes seconds to install.
$(BIN)/uv:
	@$(PYTHON) -c '$(OLD)'
	@$(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python $(INSTALL_UV) 2>/dev/null \
	  || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip $(INSTALL_UV); }

# A dependency group of uv.lock. The hashes are checked, and the packages come from the package index of the user's settings, which
# `uv sync` would not use. `make .venv/.mutants` installs the group that a campaign needs. A changed lock installs again.
EXPORT    = $(BIN)/uv export --quiet --frozen --no-emit-project --no-header --only-group $(1) --output-file $(2) >/dev/null
INSTALL   = $(call EXPORT,$(1),$(VENV)/$(1).txt) && \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r $(VENV)/$(1).txt
GROUPS   := cdk local dev bench supply fuzz
$(GROUPS:%=$(VENV)/.%): $(VENV)/.%: uv.lock | $(BIN)/uv
	@$(call INSTALL,$*)
	@touch $@ $(if $(filter dev,$*),$(VENV)/.local $(VENV)/.cdk)

# Groups with packages that would change the others: public S3 clients (with awscrt, botocore signs differently) and cosmic-ray.
APART    := public-clients mutants
$(APART:%=$(VENV)/.%): $(VENV)/.%: uv.lock $(VENV)/.dev
	@rm -rf $(VENV)/$*
	@$(call INSTALL,$*) --target $(VENV)/$*
	@touch $@

# The packages of these sources, in editable mode.
$(VENV)/.project: pyproject.toml | $(BIN)/uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

LOCAL    := $(VENV)/.local $(VENV)/.project
DEV      := $(VENV)/.dev $(VENV)/.project
CDK      := $(VENV)/.cdk $(VENV)/.project

# On this machine --------------------------------------------------------------------------------------------------------------

run: $(LOCAL)    ## split a manifest on the local emulator: make run [MANIFEST=file] [OUT=dir] [OPEN=1]
	@$(BIN)/python -m local.run --out "$$OUT" $(if $(MANIFEST),--manifest "$$MANIFEST") $(if $(OPEN),--open)

serve: $(LOCAL)  ## run the local emulator: make serve [PORT=8000] [QUOTAS=rekognition] [AUTH=strict [KEYS=file]] [GUARD=owner [ADMINISTRATORS=ARNs]] [CALLER_RATE=n]
	@exec $(BIN)/python -m local.emulator --port "$$PORT" --quotas "$$QUOTAS" --auth "$$AUTH" $(if $(KEYS),--keys "$$KEYS") \
	  --guard "$$GUARD" --administrators "$$ADMINISTRATORS" --caller-rate "$$CALLER_RATE"

# Development ------------------------------------------------------------------------------------------------------------------

# Three processes for two cores: tests wait a third of their time. Few tests of many files are long, so files are not sorted by size.
test: $(DEV) $(VENV)/.public-clients  ## run the test suite, or a part of it: make test [TESTS="tests/split tests/report"]
	set -f; $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $$TESTS

check: $(DEV)    ## run the linters, the type checker and the rules for imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The suite runs a sample of the schedules. `python -m tests` lists the other campaigns.
faults: $(DEV)   ## inject faults into the service: make faults [SCHEDULES=10000] [SEED=0]
	@$(BIN)/python -m tests faults --schedules "$$SCHEDULES" --seed "$$SEED"

# The emulator has its own environment, of Lambda's Python version where it is installed; the functions get a bare one.
REHEARSAL := $(VENV)-rehearsal

$(REHEARSAL)/.installed: uv.lock $(DEV)
	@for name in emulator functions; do \
	  $(BIN)/uv venv --quiet --clear --python "$$($(BIN)/python -m tests.rehearsal.interpreters)" $(REHEARSAL)/$$name || exit 1; done
	@$(call EXPORT,rehearsal,$(REHEARSAL)/rehearsal.txt)
	@$(BIN)/uv pip install --quiet --python $(REHEARSAL)/emulator/bin/python --require-hashes -r $(REHEARSAL)/rehearsal.txt
	@touch $@

fetch-cli: $(DEV)
	@$(BIN)/python -m tests.rehearsal.fetch_cli >/dev/null

# MINUTES of operation are watched for errors.
rehearse: $(REHEARSAL)/.installed  ## deploy to an AWS emulator on this machine and test the stage: make rehearse [MINUTES=10]
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target rehearse-stage rehearse-deployments

# Each on an emulator of its own. The tests of a file depend on each other.
REHEARSE  = TWOFOLD_EMULATOR_PYTHON=$(REHEARSAL)/emulator/bin/python TWOFOLD_FUNCTIONS_PYTHON=$(REHEARSAL)/functions/bin/python \
	TWOFOLD_REHEARSAL_MINUTES="$$MINUTES" $(BIN)/python -m pytest -p no:randomly --timeout 900 --durations 5 tests/rehearsal

rehearse-stage rehearse-deployments: $(REHEARSAL)/.installed fetch-cli

rehearse-stage:
	@$(REHEARSE) --ignore tests/rehearsal/test_deploying.py

rehearse-deployments:
	@$(REHEARSE)/test_deploying.py

# MANIFESTS: folders of manifests to compare on, besides generated labels. `python -m bench --help` lists the other measurements.
bench: $(VENV)/.bench $(VENV)/.project  ## compare with other splitters, into docs/benchmarks.md and docs/performance.md: make bench [MANIFESTS=folder]
	$(BIN)/python -m bench splitters --out docs/benchmarks.md --manifests $$MANIFESTS
	$(BIN)/python -m bench scale --out docs/performance.md --plot docs/images/data-path.svg

audit: $(VENV)/.supply $(CDK)  ## list the packages that ship (build/sbom.json, docs/bundle.md) and look up their known vulnerabilities
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements --spec-version 1.6 --of JSON --output-reproducible -o build/sbom.json lambdas/requirements.txt
	$(BIN)/python -m supply docs/bundle.md
	for group in lambda cdk dev; do \
	  $(call EXPORT,$$group,$(VENV)/$$group.txt) && \
	  $(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement $(VENV)/$$group.txt || exit 1; done

# Two groups are exported: for `pip install -r requirements.txt` of the CDK app, and for the bundle of the functions.
lock: | $(BIN)/uv  ## resolve the dependencies again: uv.lock, and the two requirements.txt that are exported from it
	$(BIN)/uv lock
	$(call EXPORT,cdk,requirements.txt)
	$(call EXPORT,lambda,lambdas/requirements.txt)

clean:           ## remove the virtual environment and build output
	@[ ! -d build ] || chmod -R u+w build  # the bundles in it are read-only
	rm -rf $(VENV) twofold.egg-info cdk.out build out .pytest_cache .mypy_cache .ruff_cache .hypothesis

# In an AWS account -------------------------------------------------------------------------------------------------------------

# The options of a stage are in stages/$(STAGE).toml. CONTEXT="waf_rate=500" overrides them for synth and diff, and has arguments
# of the CDK CLI (--require-approval=never). ALLOW=kms_key,... permits changes that a deployment refuses otherwise.
OPTIONS   = $(if $(STAGE),"stage=$$STAGE") $$CONTEXT

synth: $(CDK)    ## write the CloudFormation template to cdk.out: make synth [STAGE=dev] [CONTEXT="waf_rate=500"]
	$(BIN)/python app.py $(OPTIONS)

bootstrap: $(CDK)  ## prepare an account and region for the CDK CLI, once
	@$(BIN)/python -m infra.cdk bootstrap $(OPTIONS)

deploy: $(CDK)   ## deploy to the AWS account of your credentials: make deploy [STAGE=dev] [ALLOW=kms_key]
	@$(BIN)/python -m infra.cdk deploy $(OPTIONS) $(if $(ALLOW),"--allow=$$ALLOW")

diff: $(CDK)     ## show the changes that a deployment would make: make diff [STAGE=dev] [CONTEXT="waf_rate=500"]
	@$(BIN)/python -m infra.cdk diff $(OPTIONS)

smoke: $(CDK)    ## run the main job on a deployed stack and clean up: make smoke URL=endpoint [BUCKET=bucket]
	@$(BIN)/python -m twofold_smoke --url "$$URL" $(if $(BUCKET),--bucket "$$BUCKET")

# DATA=delete deletes the bucket and the table too.
destroy: $(CDK)  ## remove the stack, keep its data: make destroy [STAGE=dev] [DATA=delete]
	@case "$$DATA" in keep|delete) ;; *) echo "DATA=$$DATA: use keep or delete" >&2; exit 1;; esac
	@$(BIN)/python -m infra.destroy $(if $(filter delete,$(DATA)),--delete-data) $(OPTIONS)
