# One command per intention. A fresh machine needs Python >= 3.11 and make; everything else is set up here.
PYTHON   ?= python3
VENV     ?= .venv
BIN      := $(VENV)/bin
UV       := 0.13.9
MANIFEST ?=
OUT      ?= out
OPEN     ?=
PORT     ?= 8000
DATA     ?= keep
URL      ?=
BUCKET   ?=
QUOTAS   ?= twofold
AUTH     ?= any
KEYS     ?=
GUARD    ?= none
ADMINISTRATORS ?=
CALLER_RATE ?= 0

# What users give is data: never expanded by make, and read by the shell from the environment.
ENTRIES  ?= 100000 1000000
ROUNDS   ?= 3
SCRATCH  ?=
ONLY     ?=
SCHEDULES ?= 10000
SEED     ?= 0
CLIENTS  ?= 200
SECONDS  ?= 60
MINUTES  ?= 1
GUIDED   ?=
STAGE    ?=
CONTEXT  ?=
ALLOW    ?=
EVERY    ?= 1
PATHS    ?= clients/command/twofold_verify lambdas/twofold/split lambdas/twofold/stores
SAMPLE   ?= 100
MANIFESTS ?= $(TWOFOLD_MANIFESTS)
GIVEN    := MANIFEST OUT OPEN PORT DATA URL BUCKET QUOTAS AUTH KEYS GUARD ADMINISTRATORS CALLER_RATE ENTRIES ROUNDS SCRATCH ONLY SCHEDULES SEED CLIENTS MINUTES \
	GUIDED STAGE CONTEXT ALLOW EVERY PATHS SAMPLE MANIFESTS TWOFOLD_MANIFESTS
$(foreach name,$(GIVEN) SECONDS,$(if $(filter command environment,$(firstword $(origin $(name)))),$(eval override $(name) := $$(value $(name)))))
override STORM_SECONDS := $(value SECONDS)
export $(GIVEN) STORM_SECONDS

.DEFAULT_GOAL := help
.PHONY: help run serve test faults storm crashes mutants check bench bench-scale bench-solver imports measure measure-memory measure-shards simulate screenshots synth bootstrap deploy diff smoke destroy lock clean fuzz privileges sbom audit rehearse fetch-cli rehearse-stage rehearse-deployments

help:            ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

OLD      := import sys; sys.exit("Python 3.11 or later is needed; name one: make PYTHON=python3.13" if sys.version_info < (3, 11) else 0)

INSTALL_UV := install --quiet --disable-pip-version-check uv==$(UV)

# The pip that comes with PYTHON installs uv, where there is one: to put a pip into the environment takes seconds.
$(BIN)/uv:
	@$(PYTHON) -c '$(OLD)'
	@$(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python $(INSTALL_UV) 2>/dev/null \
	  || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip $(INSTALL_UV); }

# Installed sets are stamped by name; a changed pin file installs again.
$(VENV)/.local: local/requirements.txt | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r local/requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.local

# The `twofold` command, from these sources; what it needs is in the sets above.
$(VENV)/.command: pyproject.toml | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

# Public S3 clients, beside the suite's packages: with awscrt among these, botocore would sign otherwise than the functions do.
$(VENV)/.clients: tests/clients/requirements.txt | $(BIN)/uv
	rm -rf $(VENV)/clients
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --target $(VENV)/clients -r tests/clients/requirements.txt
	@touch $@

run: $(VENV)/.local $(VENV)/.command  ## split a manifest on the embedded stack: make run [MANIFEST=file] [OUT=dir] [OPEN=1]
	@$(BIN)/python -m local.run --out "$$OUT" $(if $(MANIFEST),--manifest "$$MANIFEST") $(if $(OPEN),--open)

serve: $(VENV)/.local            ## keep the embedded stack up: make serve [PORT=8000] [QUOTAS=rekognition] [AUTH=strict [KEYS=file]] [GUARD=owner [ADMINISTRATORS=ARNs]] [CALLER_RATE=n]
	@exec $(BIN)/python -m local.serve --port "$$PORT" --quotas "$$QUOTAS" --auth "$$AUTH" $(if $(KEYS),--keys "$$KEYS") \
	  --guard "$$GUARD" --administrators "$$ADMINISTRATORS" --caller-rate "$$CALLER_RATE"

test: $(VENV)/.dev $(VENV)/.command $(VENV)/.clients  ## the whole test suite
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# The suite has a sample of it; SEED is that of the first schedule.

faults: $(VENV)/.dev $(VENV)/.command  ## break the service on purpose: make faults [SCHEDULES=10000] [SEED=0]
	@$(BIN)/python -m tests.faults --schedules "$$SCHEDULES" --seed "$$SEED"

privileges: $(VENV)/.dev $(VENV)/.command $(VENV)/.clients  ## compare every AWS call of the whole suite with the deployed roles
	rm -rf build/calls
	TWOFOLD_CALLS=build/calls $(BIN)/python -m pytest --numprocesses 2 --dist loadfile
	PYTHONPATH=lambdas:. $(BIN)/python -m tests.privileges.check build/calls

# The emulator has an environment of its own, made with the Python of Lambda where there is one; functions get a bare one.
REHEARSAL := $(VENV)-rehearsal

$(REHEARSAL)/.installed: tests/rehearsal/requirements.txt $(VENV)/.dev $(VENV)/.app
	for name in emulator functions; do \
	  $(BIN)/uv venv --quiet --clear --python "$$(PYTHONPATH=lambdas $(BIN)/python -m tests.rehearsal.interpreters)" $(REHEARSAL)/$$name || exit 1; done
	$(BIN)/uv pip install --quiet --python $(REHEARSAL)/emulator/bin/python --require-hashes -r tests/rehearsal/requirements.txt
	@touch $@

fetch-cli: $(VENV)/.app
	@PYTHONPATH=lambdas:. $(BIN)/python -m tests.rehearsal.fetch_cli >/dev/null

# MINUTES of operation are watched for errors.
rehearse: $(REHEARSAL)/.installed $(VENV)/.command  ## deploy to an AWS emulator on this machine and try all of it: make rehearse [MINUTES=10]
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target rehearse-stage rehearse-deployments \
	  $(if $(filter file,$(origin MINUTES)),MINUTES=10)

# Each on an emulator of its own. The tests of a file build on each other.
REHEARSE  = TWOFOLD_EMULATOR_PYTHON=$(REHEARSAL)/emulator/bin/python TWOFOLD_FUNCTIONS_PYTHON=$(REHEARSAL)/functions/bin/python \
	TWOFOLD_REHEARSAL_MINUTES="$$MINUTES" $(BIN)/python -m pytest -p no:randomly --timeout 900 --durations 5 tests/rehearsal

rehearse-stage rehearse-deployments: $(REHEARSAL)/.installed $(VENV)/.command fetch-cli

rehearse-stage:
	@$(REHEARSE) --ignore tests/rehearsal/test_deploying.py

rehearse-deployments:
	@$(REHEARSE)/test_deploying.py

# The suite has a dozen clients for a moment.

storm: $(VENV)/.dev $(VENV)/.command  ## many clients in one project at once: make storm [CLIENTS=200] [SECONDS=60]
	@$(BIN)/python -m tests.faults.storm --clients "$$CLIENTS" --seconds "$$STORM_SECONDS"

crashes: $(VENV)/.dev $(VENV)/.command  ## stop `twofold split` at every call that changes files: make crashes [EVERY=5]
	@$(BIN)/python -m tests.command.crashes --every "$$EVERY"

# Beside the suite's packages, which the tests run with: cosmic-ray wants other versions of some.
$(VENV)/.mutants: tests/mutants/requirements.txt $(VENV)/.dev $(VENV)/.app | $(BIN)/uv
	rm -rf $(VENV)/mutants
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --target $(VENV)/mutants -r tests/mutants/requirements.txt
	@touch $@

# A SAMPLE of mutants of the files and folders PATHS, drawn with SEED; one takes 5 seconds to a minute.
mutants: $(VENV)/.mutants $(VENV)/.command  ## change the code and see whether tests notice: make mutants [PATHS=lambdas/twofold/split] [SAMPLE=100] [SEED=0]
	@set -f; $(BIN)/python -m tests.mutants.campaign --sample "$$SAMPLE" --seed "$$SEED" $$PATHS

check: $(VENV)/.dev $(VENV)/.command  ## linters, types, arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=lambdas:clients/command $(BIN)/lint-imports --no-cache

# MINUTES of new inputs; GUIDED=lines has coverage choose those of one target, with atheris (Python 3.11 or 3.12).

fuzz: $(VENV)/.dev $(VENV)/.command  ## try to break what outsiders can send: make fuzz [MINUTES=1] [GUIDED=lines]
	$(if $(GUIDED),$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r tests/fuzz/requirements.txt)
	PYTHONPATH=lambdas:clients/command:. $(BIN)/python -m tests.fuzz.campaign "$$MINUTES" $(if $(GUIDED),--guided "$$GUIDED")

$(VENV)/.supply: supply/requirements.txt $(VENV)/.app | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r supply/requirements.txt
	@touch $@

sbom: $(VENV)/.supply            ## list what ships: build/sbom.json (CycloneDX), docs/bundle.md, and a check of the licences
	@mkdir -p build
	$(BIN)/cyclonedx-py requirements --spec-version 1.6 --of JSON --output-reproducible -o build/sbom.json lambdas/requirements.txt
	PYTHONPATH=lambdas:. $(BIN)/python -m supply docs/bundle.md

audit: $(VENV)/.supply           ## ask for known vulnerabilities of the pins; needs the network
	for set in lambdas/requirements requirements requirements-dev; do \
	  $(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement $$set.txt || exit 1; done

$(VENV)/.bench: bench/requirements.txt $(VENV)/.command | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r bench/requirements.txt
	@touch $@

# MANIFESTS: folders of manifests to compare on, besides generated labels.

bench: $(VENV)/.bench            ## compare with other splitters, into docs/benchmarks.md: make bench [MANIFESTS=folder]
	$(BIN)/python -m bench --out docs/benchmarks.md --manifests $$MANIFESTS
	$(BIN)/python -m bench.scale $(SCALE)

# The largest needs room for four manifests in SCRATCH: 600 bytes an entry. ONLY="Twofold shuf cp" leaves out the other peers.
SCALE     = --out docs/performance.md --plot docs/images/data-path.svg --entries $$ENTRIES --rounds "$$ROUNDS" \
	$(if $(SCRATCH),--scratch "$$SCRATCH") $(if $(ONLY),--only $$ONLY)

bench-scale: $(VENV)/.bench      ## time and memory of large splits, into docs/performance.md: make bench-scale [ENTRIES="100000 10000000"]
	$(BIN)/python -m bench.scale $(SCALE)

screenshots: $(VENV)/.dev $(VENV)/.command  ## take the pictures of docs/report.md, with chromium
	$(BIN)/python -m tests.browser.screenshots docs/images

imports: $(VENV)/.dev            ## what each function loads from the bundle at a cold start, and how long that takes
	@$(BIN)/python -m bench.imports

measure: $(VENV)/.dev $(VENV)/.command  ## the whole stack beside the data path alone: make measure MANIFEST=file
	@test -f "$$MANIFEST" || { echo "Name a JSON Lines file: make measure MANIFEST=path/to/file" >&2; exit 1; }
	@PYTHONPATH=lambdas $(BIN)/python -m bench.stack --manifest "$$MANIFEST"

measure-memory: $(VENV)/.dev     ## what the functions hold that see a whole dataset, into docs/performance.md
	@PYTHONPATH=lambdas $(BIN)/python -m bench.memory --out docs/performance.md

measure-shards: $(VENV)/.dev     ## what Index and Move take for ranges and shards of other sizes, into docs/performance.md
	@PYTHONPATH=lambdas $(BIN)/python -m bench.shards --out docs/performance.md

simulate: $(VENV)/.dev           ## time, memory and cost of the deployed stack for 10^5 to 10^9 entries, and what breaks first
	@PYTHONPATH=lambdas $(BIN)/python -m bench.simulate

bench-solver: $(VENV)/.dev $(VENV)/.command  ## time and memory of the split alone: make bench-solver [ENTRIES="1000000 100000000"]
	$(BIN)/python -m bench.solver $$ENTRIES

# The options of a stage are in stages/$(STAGE).toml. CONTEXT="waf_rate=500" tries others with synth and diff, and has arguments
# of the CDK CLI (--require-approval=never). ALLOW=kms_key,... passes over what a deployment is refused for.
OPTIONS   = $(if $(STAGE),"stage=$$STAGE") $$CONTEXT

# The CDK app's own set; Node comes with it.

$(VENV)/.app: requirements.txt | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt
	@touch $@

synth: $(VENV)/.app              ## write the CloudFormation template to cdk.out: make synth [STAGE=dev] [CONTEXT="waf_rate=500"]
	$(BIN)/python app.py $(OPTIONS)

bootstrap: $(VENV)/.app          ## once for an account and region: make what the CDK CLI deploys with
	@PYTHONPATH=lambdas $(BIN)/python -m infra.cdk bootstrap $(OPTIONS)

deploy: $(VENV)/.app             ## deploy to the AWS account of your credentials: make deploy [STAGE=dev] [ALLOW=kms_key]
	@PYTHONPATH=lambdas $(BIN)/python -m infra.cdk deploy $(OPTIONS) $(if $(ALLOW),"--allow=$$ALLOW")

diff: $(VENV)/.app               ## show what a deployment would change: make diff [STAGE=dev] [CONTEXT="waf_rate=500"]
	@PYTHONPATH=lambdas $(BIN)/python -m infra.cdk diff $(OPTIONS)

smoke: $(VENV)/.app              ## do the main job on a deployed stack and clean up: make smoke URL=endpoint [BUCKET=bucket]
	@PYTHONPATH=clients/command $(BIN)/python -m twofold_smoke --url "$$URL" $(if $(BUCKET),--bucket "$$BUCKET")

# DATA=delete deletes the bucket and the table too.
destroy: $(VENV)/.app            ## remove the stack, keep its data: make destroy [STAGE=dev] [DATA=delete]
	@case "$$DATA" in keep|delete) ;; *) echo "DATA=$$DATA: use keep or delete" >&2; exit 1;; esac
	@PYTHONPATH=lambdas $(BIN)/python -m infra.destroy $(if $(filter delete,$(DATA)),--delete-data) $(OPTIONS)

lock: $(BIN)/uv                  ## regenerate the pin files from their .in files
	for set in lambdas/requirements local/requirements requirements requirements-dev bench/requirements supply/requirements tests/fuzz/requirements tests/clients/requirements tests/mutants/requirements; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $$set.in -o $$set.txt || exit 1; done

clean:                           ## remove the virtual environment and build output
	@[ ! -d build ] || chmod -R u+w build  # the bundles in it are read-only
	rm -rf $(VENV) twofold.egg-info cdk.out build out .pytest_cache .mypy_cache .ruff_cache .hypothesis
