# The project's commands. `make` alone lists them.
VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := list
.PHONY: list setup demo test check bench chaos simulate invariants truth trust fuzz lab lab-cuts lab-services story deb deb-test updates format lock catalogues sbom clean

list: ## List the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: $(STAMP) ## Install the Python packages into .venv (locked, with hashes)

$(STAMP): constraints.txt pyproject.toml .ci/packages
	@bash .ci/packages python
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@echo "Installing the locked Python packages into $(VENV) (once, one to three minutes)"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	@PYTHONWARNINGS=ignore $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

demo: setup ## Run central, two warehouses' gateways and virtual devices until Ctrl-C
	@exec $(VENV)/bin/dockledger-demo $(DEMO_OPTIONS)

# Five workers keep two cores busy: half of their time is waiting for other programs. Bytecode is
# kept, or each of the hundreds of programs that tests start would compile itself again.
test: setup ## Run all tests (installs mosquitto, PostgreSQL, Chromium, QEMU if they are missing)
	@bash .ci/packages python tests
	@bash .ci/packages lab-if-possible
	@$(PYTHON) -m tests.hardware --ready || echo "Going on without a guest of the hardware lab"
	@env -u PYTHONDONTWRITEBYTECODE \
	  $(PYTHON) -m pytest -p tests.side_by_side --workers 5 $(PYTEST_OPTIONS)

check: setup ## Check format, lint, types and layers
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/mypy --no-error-summary

bench: setup ## Measure; ends with one line `ratio NAME VALUE` per figure
	@bash .ci/packages python tests
	@$(PYTHON) -m tests.bench

chaos: setup ## Break real parts CYCLES times (default 100; KILLS=, CHAOS_S=, CHAOS_DATABASE=sqlite)
	@bash .ci/packages python tests
	@$(PYTHON) -m pytest --timeout 300 tests/chaos/check_half_open.py tests/chaos/check_cluster.py
	@$(PYTHON) -m tests.chaos

simulate: setup ## Run SEEDS simulated sites from seed FIRST on (default 1000 from 1)
	@$(PYTHON) -m tests.simulation --seeds $${SEEDS:-1000} --first $${FIRST:-1} --workers $${WORKERS:-2}

invariants: setup ## Walk STEPS random steps (default 100000) on both databases, promises checked
	@bash .ci/packages python tests
	@PYTHONHASHSEED=0 $(PYTHON) -m tests.central.invariants --steps $${STEPS:-100000} --first $${FIRST:-1}

truth: setup ## Play SCENES scenes of each kind (default 200; FIRST=, KIND=, DATABASE=postgresql)
	@bash .ci/packages python tests
	@$(PYTHON) -m tests.central.truth --scenes $${SCENES:-200} --first $${FIRST:-1} \
	  --kind $${KIND:-all} --database $${DATABASE:-sqlite}

trust: setup ## Tamper with 10,000 messages, shuffle 100,000, cut 50 enrolments off (TRUST_OPTIONS=)
	@bash .ci/packages python tests
	@$(PYTHON) -m tests.trust $(TRUST_OPTIONS)

fuzz: setup ## Fuzz LLRP and GS1 for FUZZ_S seconds each (default 60; installs atheris)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check 'atheris>=3,<4'
	@$(PYTHON) -m tests.fuzz -s $${FUZZ_S:-60}

lab: setup ## Test real kernel devices, hot-plug and power cuts under QEMU (LAB_ARCHITECTURE=arm64)
	@bash .ci/packages python lab
	@$(PYTHON) -m tests.hardware $(LAB_PARTS)

lab-cuts: setup ## Cut the power CYCLES times (default 100): gateway, central on SQLite, on PostgreSQL
	@bash .ci/packages python lab
	@CYCLES=$${CYCLES:-100} $(PYTHON) -m tests.hardware cuts controls

lab-services: setup ## Test packages, units and first boots under systemd in guests (root; CYCLES=50)
	@bash .ci/packages python lab
	@CYCLES=$${CYCLES:-9} $(PYTHON) -m tests.hardware services package first-boot

story: setup ## Install, claim, scan, update, go back, revoke and restore on a fresh Debian (root)
	@bash .ci/packages python lab
	@$(PYTHON) -m pytest -p no:xdist -x -s tests/hardware/check_story.py

deb: setup ## Build the Debian packages of gateway and central into dist/ (TARGETS="--target 3.13:aarch64")
	@$(VENV)/bin/dockledger-provision deb gateway $(TARGETS)
	@$(VENV)/bin/dockledger-provision deb central $(TARGETS)

deb-test: deb ## Install, run, remove and purge both packages on fresh Debian 12 and 13 (root, network)
	@bash .ci/packages roots
	@$(PYTHON) -m pytest tests/provisioning/check_debs.py

updates: setup ## Every bad release must come back; kill the agent and cut the first boot at each step
	@$(PYTHON) -m pytest -s tests/provisioning/updating/check_bad_releases.py
	@STEPS_BETWEEN_CUTS=1 $(PYTHON) -m pytest --timeout 1800 tests/provisioning/first_boot -k power

format: setup ## Format the code
	@$(VENV)/bin/ruff format --quiet .
	@$(VENV)/bin/ruff check --fix --quiet .

catalogues: setup ## Compile the Chinese message catalogues after a change of a .po file
	@for po in gateway/screen/locale/zh/LC_MESSAGES/gateway.po central/web/locale/zh/LC_MESSAGES/central.po \
	    central/api/locale/zh/LC_MESSAGES/problems.po provisioning/demo/locale/zh/LC_MESSAGES/demo.po; do \
	  $(VENV)/bin/pybabel -q compile -i $$po -o $${po%.po}.mo; done

sbom: setup ## Write the bill of materials (CycloneDX JSON) of gateway and central into dist/
	@$(PYTHON) -m provisioning.bill_of_materials dist

lock: ## Resolve the dependencies anew into constraints.txt (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --all-extras --no-annotate --no-header --upgrade pyproject.toml -o constraints.txt

clean: ## Remove what the commands made
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
