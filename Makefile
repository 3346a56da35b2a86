# Needs Python 3.11 or later, make and git; a target that needs .venv first sets up what is missing there.
# ARGS are passed on:  make demo ARGS=--exit    make test ARGS='-k charter'

BIN := .venv/bin
READY := .venv/.ready

# Tests run side by side, one process more than processors, since many wait; JOBS=0 runs them one after the other.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
TESTS := $(BIN)/pytest -n $(JOBS) --dist loadfile

# Pages and texts for people; .proselintrc.json says which checks are off, and why.
PROSE := README.md CONTRIBUTING.md CHANGELOG.md bench/README.md docs templates

export PYTHON
# Some machines tell Python to keep nothing compiled; every process of the tests would then compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-slow test-browser chaos lint lint-deploy audit sbom check format serve bench screenshots clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

venv: $(READY) ## Set up .venv/bin/poc-governor, as the targets below do by themselves

demo: $(READY) ## Watch it work: an emulated GitHub, the service, its database; stop with Ctrl-C
	@$(BIN)/poc-governor demo $(ARGS)

# Together these three run every test once; pytest fails where none is left to run.
test: $(READY) ## Run the tests, but for the slow ones and those in a browser
	$(TESTS) -m "not slow and not browser" $(ARGS)

test-slow: $(READY) ## Run the slow tests: kills, outages, pacing, the simulated year
	$(TESTS) --no-loadscope-reorder -m slow $(ARGS)

test-browser: $(READY) ## The pages in Chromium, which is installed where there is none (Debian's, or Playwright's)
	$(BIN)/python -m tests.harness.chromium
	$(TESTS) -m browser $(ARGS)

chaos: $(READY) ## Doubled, shuffled and late deliveries, kills, and a failing GitHub, at full size
	CHAOS=full $(BIN)/pytest -n 0 -s tests/durability/test_chaos.py $(ARGS)

lint: $(READY) ## Formatting, lint, types, import rule, prose, image, compose file, Kubernetes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/proselint --config .proselintrc.json check $(PROSE)

	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(BIN)/kubernetes-validate --quiet --strict --kubernetes-version 1.30 deploy/kubernetes/*.yaml

lint-deploy: ## What has to be installed: Debian's nginx, caddy, prometheus, systemd
	promtool check config --syntax-only deploy/prometheus/prometheus.yml
	promtool check rules deploy/prometheus/alerts.yml
	promtool test rules deploy/prometheus/alerts_test.yml
	caddy validate --adapter caddyfile --config deploy/proxy/Caddyfile
	systemd-analyze security --offline=yes --threshold=20 deploy/systemd/poc-governor.service
	sh deploy/proxy/nginx-test

audit: $(READY) ## Known vulnerabilities in what the service needs; asks over the network
	@sh .ci/audit $(ARGS)

sbom: $(READY) ## What the service needs, as CycloneDX, into poc-governor.cdx.json
	.tools/bin/uv export --quiet --locked --no-dev --extra serve --format cyclonedx1.5 \
		--preview-features sbom-export --output-file poc-governor.cdx.json

check: lint test test-slow test-browser ## All that CI checks

format: $(READY) ## Format, and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

serve: $(READY) ## Run the service with the settings of the environment
	@$(BIN)/poc-governor serve $(ARGS)

bench: $(READY) ## Measure: acknowledgements and reconciliations against Probot's, and the time to judge a charter
	$(BIN)/python -m bench.acknowledge
	$(BIN)/python -m bench.charter
	$(BIN)/python -m bench.look
	$(BIN)/python -m bench.pages
	$(BIN)/python -m bench.first_page
	$(BIN)/python -m bench.registration
	$(BIN)/python -m bench.first_day
	$(BIN)/python -m bench.sweep
	$(BIN)/python -m bench.recording
	$(BIN)/python -m bench.scale
	$(BIN)/python -m bench.pgbouncer

screenshots: $(READY) ## Take the pictures of docs/images anew; needs Debian's chromium
	$(BIN)/python -m tests.harness.screenshots

clean: ## Remove the environment, the tools and the caches
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml uv.lock .ci/bootstrap
	@sh .ci/bootstrap
	@touch $@
