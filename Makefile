# Everything runs in an environment of its own, which the first target to need it sets up.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

comma := ,

# Networks of this size are fastest on one thread each.
export OMP_NUM_THREADS := 1

# Whatever the environment says, what Python compiles is kept for the next target: pytest takes a quarter of a minute to
# rewrite these tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test slow-test crash-test resume-test fault-test worker-test start-test results-check fuzz sanitize \
	versions-test bench coverage stubs lint clean
.DEFAULT_GOAL := test

# Compiled code is built when the project is installed, so a change in it installs again.
SOURCES := CMakeLists.txt $(wildcard priors/native/* predictors/native/* nas/training/native/*)

# An editable installation knows its modules by name, so that it is made again where one is added, moved or removed.
MODULES := $(shell find wirenas priors predictors nas -name '*.py' | LC_ALL=C sort)
ifneq ($(MODULES),$(shell cat $(VENV)/.modules 2>/dev/null))
.PHONY: $(VENV)/.installed $(VENV)/.ready
endif

# What is needed to run is installed for the demo, and the tools of developers with it for everything else. Python
# compiles what is imported; compiling all that is installed would take another minute.
NEEDED := pyproject.toml constraints.txt $(SOURCES)

define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; give one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up $(VENV): $(2). Nothing is printed meanwhile."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt \
		--editable '$(1)'
	@echo $(MODULES) > $(VENV)/.modules
	@touch $(VENV)/.installed $@
endef

$(VENV)/.installed: $(NEEDED)
	$(call install,.,WireNAS and what it runs on$(comma) about 3 minutes the first time)

$(VENV)/.ready: $(NEEDED)
	$(call install,.[dev],WireNAS with the tools of its developers$(comma) about 5 minutes the first time)

## demo: two campaigns on two cores, an RNN on the embedded Reber grammar and the best MLP of 300 parameters on digits
demo: $(VENV)/.installed
	$(BIN)/wirenas run --task reber-embedded --network rnn --cell gru --nodes 24:48 --epochs 40 \
		--trials 12 --finalists 2 --final-seeds 3 --seed 0 --threads 2 --out demo/reber-embedded
	$(BIN)/wirenas run --task digits --budget 300 --trials 60 --seed 0 --out demo/digits

## test: all tests but the slowest, and those that kill processes again and again, which have targets of their own
test: $(VENV)/.ready
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --quiet -m "not crash and not slow"

## slow-test: tests of ten seconds or more (whole studies, the blocks of README, seeded campaigns), and the rest of those
## of which `make test` runs one of each kind; SLOW='slow and not another' leaves that rest out
SLOW ?= slow
slow-test: $(VENV)/.ready
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --quiet -m "$(SLOW)"

## coverage: which lines and branches the tests of `make test` reach, as a table and in build/coverage/html, with those
## in processes that tests start; TESTS=tests/priors asks for less. Being watched takes time: tests that limit it may fail
TESTS ?= tests
coverage: $(VENV)/.ready
	mkdir -p build/coverage
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --quiet --timeout 900 -m "not crash" \
		--cov --cov-report term:skip-covered --cov-report html $(TESTS)

## crash-test: kill a campaign KILLS times and interrupt it 5 times, with one and with two threads
KILLS ?= 20
crash-test: $(VENV)/.ready
	WIRENAS_TEST_KILLS=$(KILLS) $(BIN)/python -m pytest --numprocesses 2 --dist worksteal --quiet --timeout 900 \
		tests/nas/campaign/test_campaign_crashes.py tests/nas/survey/test_survey_crashes.py

## resume-test: every kind of search is ended after each of its trials, in three ways, and goes on as if it had not been
resume-test: $(VENV)/.ready
	WIRENAS_TEST_RESUMES=all $(BIN)/python -m pytest --numprocesses 2 --quiet tests/nas/campaign/test_resume.py

## fault-test: every call of the operating system that a command makes fails once, in each way in which it can, and so
## that all later ones fail too; the command says it in one line, and then goes on (half an hour on two cores)
fault-test: $(VENV)/.ready
	WIRENAS_TEST_FAULTS=all $(BIN)/python -m pytest --numprocesses 2 --dist worksteal --quiet --timeout 7200 \
		tests/nas/reliability/test_faults.py

## worker-test: WORKERS workers on PostgreSQL, with 8 of them 400 trials; workers are killed every few seconds, the
## database restarts, any statement breaks
WORKERS ?= 8
worker-test: $(VENV)/.ready
	WIRENAS_TEST_WORKERS=$(WORKERS) $(BIN)/python -m pytest --numprocesses 2 --dist worksteal --quiet --timeout 900 \
		tests/nas/shared/test_distributed_crashes.py tests/nas/shared/test_distributed_breaks.py

## start-test: 3 runs and 61 workers meet an empty PostgreSQL database in the same instant, STARTS times as forks of one
## process and once as commands (a minute each, and 15 GiB)
STARTS ?= 20
start-test: $(VENV)/.ready
	WIRENAS_TEST_STARTS=$(STARTS) $(BIN)/python -m pytest --quiet --timeout 7200 tests/nas/shared/test_distributed_starts.py

## fuzz: MUTATIONS damaged files of each kind: graphs, data, networks, options, parts of surveys, studies, tables of trained
## graphs, predictors, and forged predictors; and as many calls of commands. More than 10,000 in all, which takes an hour
MUTATIONS ?= 1200
fuzz: $(VENV)/.ready
	WIRENAS_TEST_FOLDERS=$(MUTATIONS) WIRENAS_TEST_MUTATIONS=$(MUTATIONS) $(BIN)/python -m pytest \
		--numprocesses 2 --dist worksteal --quiet --timeout 3600 tests/test_damaged_files.py \
		tests/predictors/test_storage.py tests/priors/test_formats_fuzz.py tests/nas/prediction/test_predictor_hostile.py \
		tests/nas/tasks/test_file_fuzz.py tests/nas/cli/test_command_values.py

## sanitize: the tests of the compiled engine under AddressSanitizer and UndefinedBehaviorSanitizer
sanitize: $(VENV)/.ready
	tests/sanitize.sh $(BIN)/python

## versions-test: the fast tests with the lowest versions that pyproject.toml allows, and with the newest, on every Python
## of its classifiers that is here; VERSIONS=lowest tests those alone (10 minutes each, and gigabytes of downloads)
VERSIONS ?= lowest newest
versions-test: $(VENV)/.ready
	$(BIN)/python tests/versions.py $(VERSIONS)

## results-check: campaigns of results/ made again to the last digit, and every number of README against its file
results-check: $(VENV)/.ready
	WIRENAS_TEST_RESULTS=recompute $(BIN)/python -m pytest --quiet tests/results tests/nas/studies/test_study_pages.py

## bench: how fast the compiled engine is against torch and the floor that arithmetic sets (about 5 minutes), how fast
## compiled features are against networkx, what rewiring costs, and what a network of 100,000 neurons costs, into
## build/benchmarks; results/ is made by python -m benchmarks.results
bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks.engine
	$(BIN)/python -m benchmarks.features
	$(BIN)/python -m benchmarks.large --neurons 100000 --weights 1000000 --epochs 2
	$(BIN)/python -m benchmarks.rewiring

## stubs: types of the compiled parts, written anew beside them after their C++ has changed
stubs: $(VENV)/.ready
	set -e; for package in priors predictors nas/training; do \
		module=$$(echo $$package | tr / .)._native; stub=$$package/_native.pyi; \
		$(BIN)/python -m nanobind.stubgen --quiet --module $$module --output-file $$stub; \
		{ echo "# Written by make stubs: python -m nanobind.stubgen --module $$module --output-file $$stub"; cat $$stub; } \
			> $$stub.new; \
		mv $$stub.new $$stub; \
	done
	$(BIN)/ruff format --quiet $(addsuffix /_native.pyi,priors predictors nas/training)

## lint: ruff, mypy and clang-format
lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(filter %.h %.cpp,$(SOURCES))

clean:
	rm -rf demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
