# Recipes of a few lines; what is longer is a script. Every target makes its own .venv.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
TOOLS := .venv/.tools
INSTALLED := .venv/.installed

# Those of the engines, `ray`, `spark` and `dask`, are large: they are in requirements/distributed.txt alone.
EXTRAS := $(addprefix --extra ,aiohttp cli fast gateway otel parquet report rust server)
# The environments besides .venv are sessions of noxfile.py, in .venvs.
NOX := $(BIN)/nox --session
BARE_COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--upgrade --quiet
COMPILE := $(BARE_COMPILE) pyproject.toml
PROGRAM_COMPILE := $(COMPILE) --extra cli --override requirements/programs/overrides.in

.DEFAULT_GOAL := help
.PHONY: help demo generate check-generated check lint-spec test test-pythons test-wheel test-compat test-programs \
	test-gateway test-httpx2 test-transports test-stand-in test-chaos test-distributed test-languages test-generators \
	test-vectors-mutants dist-contract check-contract \
	check-upstream bench bench-quick \
	bench-decoder bench-batch bench-gateway soak docs release test-release format lock build clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: generate ## Set up, regenerate, complete the API reference's example, plain and streamed (LIVE=1: for real)
	@$(BIN)/python examples/demo.py

generate: $(INSTALLED) ## Turn openapi.yaml into generated/
	@$(BIN)/python scripts/generate.py

check-generated: $(INSTALLED) ## Fail where generated/ is not what openapi.yaml gives
	@$(BIN)/python scripts/generate.py --check

check: $(INSTALLED) check-generated ## Format, lint, types, import direction, sizes, contract, drift
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/lint-imports tools/runtime-imports.toml
	$(BIN)/openapi-spec-validator openapi.yaml
	@$(BIN)/python scripts/check_models.py
	@$(BIN)/python scripts/check_places.py
	@$(BIN)/python scripts/check_any.py
	@$(BIN)/python scripts/check_rooms.py

lint-spec: ## Lint openapi.yaml with Redocly's recommended rules (needs Node)
	cd tools/redocly && npm ci --silent
	tools/redocly/node_modules/.bin/redocly lint --max-problems=1000 openapi.yaml

test: $(INSTALLED) ## Run the tests
	$(BIN)/pytest -n auto --dist worksteal

test-pythons: build ## Run the tests on each Python from 3.11 that this machine has
	$(NOX) pythons

test-wheel: build ## Run the tests of the built sdist against the built wheel
	$(NOX) wheel

format: $(INSTALLED) ## Format and mend what the linter can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: $(INSTALLED) ## Pin the newest versions of all tools, with hashes
	$(COMPILE) --output-file requirements/runtime.txt
	$(COMPILE) --extra fast --output-file requirements/fast.txt
	$(COMPILE) --extra aiohttp --extra rust --output-file requirements/transports.txt
	$(COMPILE) requirements/plot.in --output-file requirements/plot.txt
	$(COMPILE) $(addprefix --extra ,cli dask fast ray spark) requirements/distributed.in \
		--output-file requirements/distributed.txt
	$(COMPILE) requirements/docs.in --output-file requirements/docs.txt
	$(BARE_COMPILE) requirements/release.in --output-file requirements/release.txt
	$(COMPILE) $(EXTRAS) requirements/test.in --output-file requirements/test.txt
	$(COMPILE) $(EXTRAS) requirements/dev.in --output-file requirements/dev.txt
	$(COMPILE) $(EXTRAS) requirements/compat.in --output-file requirements/compat.txt
	$(COMPILE) $(EXTRAS) requirements/httpx2.in --output-file requirements/httpx2.txt
	$(COMPILE) $(EXTRAS) requirements/restore.in --override requirements/restore-overrides.in \
		--output-file requirements/restore.txt
	$(COMPILE) $(EXTRAS) requirements/restore.in --override requirements/restore-1-overrides.in \
		--output-file requirements/restore-1.txt
	for name in fschat langchain llm lm-eval; do $(PROGRAM_COMPILE) requirements/programs/$$name.in \
		--output-file requirements/programs/$$name.txt || exit 1; done
	$(PROGRAM_COMPILE) requirements/programs/helm.in --override requirements/programs/helm-overrides.in \
		--output-file requirements/programs/helm.txt
	for name in before before-0.39; do $(BARE_COMPILE) --no-deps requirements/programs/$$name.in \
		--output-file requirements/programs/$$name.txt || exit 1; done
	cd tools/redocly && npm update --package-lock-only
	cd tools/site && npm update --package-lock-only

test-compat: build ## Compare with anthropic 0.125.0, call by call, and restore completions to packages without them
	$(NOX) compat restore restore-1

test-programs: build ## Run five programs that nobody edited, each beside its old self (PROGRAM=llm for one)
	$(NOX) "programs$(if $(PROGRAM),($(PROGRAM)))"

test-gateway: build ## Use the gateway with clients in Python, TypeScript, Go and curl, beside the old endpoint
	$(NOX) gateway-clients

test-httpx2: build ## Run the tests over httpx2, the maintained fork of httpx
	$(NOX) httpx2

test-transports: build ## Run the client's tests and the fault matrix over aiohttp and over Rust's reqwest
	$(NOX) transports

test-stand-in: $(INSTALLED) ## Have Schemathesis test the stand-in, and the gateway, against the contract
	@scripts/test_stand_in.sh $(BIN)/python
	@scripts/test_stand_in.sh $(BIN)/python gateway

test-chaos: $(INSTALLED) ## Call, stream and cancel through a proxy that has accidents (SEED=n for one again)
	@$(BIN)/python tests/chaos/run.py $(if $(SEED),--seed $(SEED))

test-distributed: build ## Complete on local clusters of Ray, Spark and Dask, with a worker of each killed (needs Java)
	$(NOX) distributed

soak: $(INSTALLED) ## Soak the gateway for 10 minutes with 200 streams at a time, clients leaving (SECONDS=60 for less)
	@$(BIN)/python tests/soak/run.py $(if $(SECONDS),--seconds $(SECONDS))

test-languages: ## Run the vectors in each language whose tools are here, from the contract's archive
	@PYTHON=$(PYTHON) scripts/test_languages.sh

test-generators: $(INSTALLED) ## Try eight generators with the contract, and compare with the table of docs/languages.md
	@$(BIN)/python tests/generators/run.py

test-vectors-mutants: $(INSTALLED) ## Plant mistakes in the clients, and fail where the vectors let one pass
	@$(BIN)/python tests/mutants/run.py

dist-contract: ## Pack contract, vectors and examples for other languages into build/contract/
	@$(PYTHON) scripts/dist_contract.py

check-upstream: $(INSTALLED) ## Report what the newest anthropic package knows of models and betas and the contract does not
	@$(BIN)/python scripts/check_upstream.py

check-contract: ## Report what of the contract broke since the last release, or since BASE=<git ref>
	@scripts/check_contract.sh $(BASE)

release: $(INSTALLED) ## Make the release VERSION in dist/, checked and reproducible; publish nothing
	$(NOX) release -- $(VERSION)

test-release: $(INSTALLED) ## Make a release of this commit in two folders, and compare
	$(NOX) release --install-only
	$(BIN)/pytest -n0 tests/release

bench: build ## Compare speed with anthropic 0.125.0, raw httpx, aiohttp and pyreqwest, in one run (ARGS="--plot FILE")
	$(NOX) bench -- $(ARGS)

bench-quick: build ## Three turns of its metrics with targets
	$(NOX) bench -- --quick $(ARGS)

bench-decoder: $(INSTALLED) ## Show that decoding a stream takes time in proportion to its size
	@$(BIN)/python tests/benchmarks/sse_decoder.py

bench-batch: $(INSTALLED) ## Show that a batch takes no more memory for more requests
	@$(BIN)/python tests/benchmarks/batch_memory.py
	@$(BIN)/python tests/benchmarks/batches_memory.py

bench-gateway: $(INSTALLED) ## Measure what one worker of the gateway carries, beside the stand-in behind it
	@$(BIN)/python tests/benchmarks/gateway.py

docs: $(INSTALLED) ## Build the site into build/docs/site/ and test its links (needs Node)
	$(NOX) docs
	$(BIN)/pytest -n0 -q tests/website

build: $(INSTALLED) ## Build wheel and sdist into dist/
	@rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist

clean: ## Remove all that the targets made
	rm -rf tests/languages/*/build tests/languages/*/target tests/languages/typescript/node_modules
	rm -rf .venv .venvs build dist tools/*/node_modules .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# With marker files, so that a set-up that was interrupted is done again.
$(TOOLS): requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; name one: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up .venv with $(PYTHON)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@touch $@

$(INSTALLED): $(TOOLS) pyproject.toml
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
