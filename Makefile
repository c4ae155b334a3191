# A fresh checkout needs GNU make and Python 3.11 to 3.14; everything else is installed into .venv.
#
#   make detect                   find the seizures of the bundled sample
#   make test                     lint, types, import rules, all tests
#   make test-isa                 the numerical ones again, as on a processor without AVX-512
#   make detect PYTHON=python3.12 another interpreter
#   make test TORCH_INDEX=URL     a further package index for PyTorch (its CPU builds are far smaller)

PYTHON ?= python3
TORCH_INDEX ?=
# pinned (constraints.txt), oldest (what pyproject.toml takes at least) or newest; with another one: make distclean first.
DEPENDENCIES ?= pinned
ARGS ?=
TAG ?=

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check
PINS := $(if $(filter newest,$(DEPENDENCIES)),,-c $(if $(filter oldest,$(DEPENDENCIES)),$(VENV)/oldest.txt,constraints.txt))
INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
OUT := out
RUN ?= runs/local
# The fuzzer's long mode and mutants are no measurement of speed, and the instruction sets are for other commands.
BENCHMARKS ?= $(filter-out benchmarks/fuzz.py benchmarks/mutants.py benchmarks/instruction_sets.py benchmarks/reproduce.py benchmarks/published.py,$(sort $(wildcard benchmarks/*.py)))
# Hundreds of processes that the tests start would compile brainscan again, and each worker the tests' own modules.
unexport PYTHONDONTWRITEBYTECODE
# One process a core, each with one thread.
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal
# What scores and decides is held to more than the rest, by its own tests alone; without the development recordings it is
# 99.3 %. The rest is measured by `make coverage` only: a tracer makes everything dearer.
DECIDING := tests/brainscan/scoring tests/brainscan/decision tests/brainscan/io/test_tal.py
DECIDED := $(BIN)/python -m coverage report --fail-under=99 \
  --include="brainscan/scoring/*,brainscan/decision/*,brainscan/io/tal.py"
# The whole is held to 94 % where the development recordings are (95.4 % were measured); what is reached without them has not been measured, and is held to nothing.
RECORDINGS := $(wildcard $(or $(BRAINSCAN_SHARED),../shared))
TRACE := $(PYTEST) --cov --cov-report=html:$(OUT)/coverage --cov-report=term:skip-covered \
  $(if $(RECORDINGS),--cov-fail-under=94) && $(DECIDED)
# Where the marked tests are (tests/architecture/test_house.py): to collect all would take longer than to run these.
ISA := tests/models tests/brainscan/model
# What `make test` traces: some (what scores and decides, by its own tests), or all (as .ci/run does).
TRACED ?= some
$(if $(filter-out some all,$(TRACED)),$(error TRACED is some or all, got $(TRACED)))
MUTANTS ?=
CORPUS ?=
MODEL ?= default
EXTRAS := dev,train,graph,onnx,mne,vendor,lsl,pandas,report,cluster,remote

.DEFAULT_GOAL := help
.PHONY: help setup setup-gpu q t test tests-only coverage mutants test-isa wheel-test workflows docs licences release dist weights \
        release-page detect smoke train-local reproduce tensorboard data-given caps bench clean distclean

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# Stamps instead of phony steps: a second call costs nothing, a changed pyproject.toml installs again.
$(VENV)/.created:
	@found=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found=absent; \
	case $$found in 3.11|3.12|3.13|3.14) ;; *) \
	  echo "error: brainscan needs Python 3.11 to 3.14 ($(PYTHON): $$found)." \
	       "hint: name one that is installed, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2;; \
	esac
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: '$(PYTHON) -m venv' failed. hint: on Debian and Ubuntu it is the package python3-venv" >&2; exit 2; }
	@$(if $(filter oldest,$(DEPENDENCIES)),$(BIN)/python .ci/lower_bounds.py > $(VENV)/oldest.txt)
	@touch $@

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/.created
	$(PIP) install $(PINS) -e .
	@touch $@

# PyTorch first and pinned: resolved together with the rest, a Linux machine without a GPU can end up with
# gigabytes of CUDA libraries.
$(VENV)/.torch: constraints.txt | $(VENV)/.created
	$(PIP) install $(PINS) $(INDEX) torch
	@touch $@

$(VENV)/.full: $(VENV)/.base $(VENV)/.torch
	$(PIP) install $(PINS) -e ".[$(EXTRAS)]"
	@touch $@

$(VENV)/.docs: $(VENV)/.full
	$(PIP) install $(PINS) -e ".[docs]"
	@touch $@

setup: $(VENV)/.full ## install everything that development needs into .venv

setup-gpu: $(VENV)/.full ## as setup, with mamba-ssm's kernels (needs a CUDA toolchain)
	@command -v nvcc >/dev/null || { \
	  echo "error: no nvcc found: mamba-ssm compiles its kernels. hint: install NVIDIA's CUDA toolkit;" \
	       "without it brainscan runs on the GPU in plain PyTorch" >&2; exit 2; }
	$(PIP) install -c constraints.txt setuptools wheel ninja
	$(PIP) install -c constraints.txt --no-build-isolation -e ".[gpu]"

q: $(VENV)/.full ## lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

t: $(VENV)/.full ## the fast tests
	$(PYTEST) -m "not slow" $(ARGS)

test: q ## everything: q, then all tests, and that its own reach what scores and decides (TRACED=all: as coverage)
	$(if $(ARGS)$(filter all,$(TRACED)),,$(PYTEST) --cov --cov-report= $(DECIDING) && $(DECIDED))
	$(if $(ARGS),$(PYTEST) $(ARGS),$(if $(filter all,$(TRACED)),$(TRACE),$(PYTEST) $(addprefix --ignore=,$(DECIDING))))

coverage: $(VENV)/.full ## all tests, and which lines and branches none of them reaches, in out/coverage; they must not fall
	$(TRACE)

mutants: $(VENV)/.full ## change the code that scores and decides, place by place: does a test notice?
	$(BIN)/python benchmarks/mutants.py $(MUTANTS)

tests-only: $(VENV)/.full ## all tests, without q
	$(PYTEST) $(ARGS)

workflows: $(VENV)/.full ## check the files in .github/workflows (needs no network)
	$(BIN)/zizmor --offline .github/workflows

docs: $(VENV)/.docs ## build the documentation into out/site, check every link of it
	$(BIN)/mkdocs build --strict --quiet
	$(BIN)/python .ci/site_check.py $(OUT)/site

test-isa: $(VENV)/.full ## the tests in which a processor shows, as on a plainer one (AVX2, SSE4)
	$(BIN)/python benchmarks/instruction_sets.py -- $(PYTEST) -m isa $(or $(ARGS),$(ISA))

wheel-test: $(VENV)/.full ## build the wheel, install it alone elsewhere, detect with it
	TORCH_INDEX="$(TORCH_INDEX)" bash .ci/wheel-test $(BIN)/python

detect: $(VENV)/.base ## find the seizures of the bundled sample, beside the true ones
	@mkdir -p $(OUT)
	$(BIN)/brainscan detect examples/sample.edf -o $(OUT)/sample.csv_bi --force
	@$(BIN)/python examples/compare_events.py examples/sample_truth.csv_bi $(OUT)/sample.csv_bi

smoke: $(VENV)/.full ## train for seconds on simulated recordings, detect with the result
	rm -rf $(OUT)/smoke
	$(BIN)/brainscan train --profile smoke --data simulation -o $(OUT)/smoke
	$(BIN)/brainscan detect examples/sample.edf --model $(OUT)/smoke/model.safetensors -o $(OUT)/smoke/sample.csv_bi
	@echo "(six steps on simulated recordings: this shows that training runs; the network has learned nothing)"

train-local: data-given $(VENV)/.full ## train v3-lite on this machine: make train-local DATA=PATH [RUN=runs/local]
	$(BIN)/brainscan train --profile cpu --data "$(DATA)" -o "$(RUN)"

reproduce: $(VENV)/.full ## evaluate on a public corpus as others do: make reproduce CORPUS=tusz|chbmit|siena|seizeit DATA=PATH [MODEL=default]
	@test -n "$(CORPUS)" -a -n "$(DATA)" || { \
	  echo "error: which corpus, and where? hint: make reproduce CORPUS=siena DATA=PATH" >&2; exit 2; }
	$(BIN)/python benchmarks/reproduce.py "$(CORPUS)" "$(DATA)" --model "$(MODEL)" --out "$(OUT)/reproduce/$(CORPUS)"

tensorboard: $(VENV)/.full ## look at a run, or at all below a folder: make tensorboard [RUN=runs]
	$(BIN)/tensorboard --logdir "$(RUN)"

data-given:
	@test -n "$(DATA)" || { \
	  echo "error: no data. hint: make train-local DATA=PATH (brainscan train --help says what a corpus is)," \
	       "or DATA=simulation" >&2; exit 2; }

weights: $(VENV)/.full ## after a change of the default weights: card, self-test's numbers and ONNX graphs anew
	$(BIN)/python -m brainscan.model.recard configs/cards/default.yaml

licences: $(VENV)/.full ## write what is depended on, and under which licences, into docs/dependencies.md
	$(BIN)/python .ci/licences.py > docs/dependencies.md.new
	mv docs/dependencies.md.new docs/dependencies.md

release: ## tag this version, if everything is ready: make release, then git push --tags
	@$(PYTHON) .ci/release_check.py
	bash .ci/run
	git tag -a "v$$($(PYTHON) -c 'import runpy; print(runpy.run_path("brainscan/_version.py")["__version__"])')" -m "release"

dist: $(VENV)/.full ## build the packages of a tag with checksums and an SBOM: make dist TAG=v0.1.0
	$(BIN)/python .ci/release_check.py $(TAG)
	rm -rf dist
	mkdir -p dist/packages dist/beside
	$(BIN)/python -m build --no-isolation --outdir dist/packages .
	$(BIN)/python .ci/sbom.py dist/packages/*.whl dist/beside/sbom.cdx.json
	cd dist/packages && sha256sum * > ../beside/SHA256SUMS

release-page: ## put a tag's packages, checksums and SBOM on its page (in the release workflow)
	gh release create "$(TAG)" dist/packages/* dist/beside/* --verify-tag --title "brainscan $(TAG)" \
	  --notes "CHANGELOG.md says what changed, and which changes alter results. Research use, not a medical device."

caps: $(VENV)/.full ## measure what fewer electrodes find with the shipped weights; write it into their card and docs
	$(BIN)/python benchmarks/caps.py --write

bench: $(VENV)/.full ## measure: make bench [BENCHMARKS=benchmarks/kernels.py]
	@set -e; for script in $(BENCHMARKS); do echo; echo "== $$script"; $(BIN)/python $$script; done

clean: ## remove outputs and caches
	rm -rf $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	find brainscan models training tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## as clean, and .venv
	rm -rf $(VENV)
