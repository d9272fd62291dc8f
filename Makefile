# Every target stands on `make env`: a virtual environment with the hub and its bundled plugins.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := jira taskworld redmine rest msproject tabular files powerbi tableau postgresql demo
SOURCES := pyproject.toml requirements.txt constraints.txt $(PLUGINS:%=plugins/%/pyproject.toml)

.PHONY: env demo test test-mpp test-tableau test-delta test-redmine check-powerbi proof lint bench docs charset clean
env: $(VENV)/.ready

$(VENV)/.ready: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

demo: env
	$(BIN)/hub demo --out demo

test: env
	$(BIN)/python -m pytest -q -n auto

test-mpp: env
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e "plugins/msproject[mpp]" -c constraints.txt
	$(BIN)/python -m pytest -q plugins/msproject

test-tableau: env
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e "plugins/tableau[server]" -c constraints.txt
	$(BIN)/python -m pytest -q plugins/tableau

test-delta: env
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e "plugins/powerbi[delta]" -c constraints.txt
	$(BIN)/python -m pytest -q plugins/powerbi/tests/test_delta.py

# a real Redmine, which is written to: the one of REDMINE_URL and REDMINE_API_KEY, else a scratch one (Debian, root)
REDMINE_SERVER := ../shared/servers/redmine-up.sh
test-redmine: env
	if [ -n "$$REDMINE_URL" ]; then $(BIN)/python -m pytest -q -s plugins/redmine; else \
	bash $(REDMINE_SERVER) up && bash $(REDMINE_SERVER) reset && eval "$$(bash $(REDMINE_SERVER) env)" && $(BIN)/python -m pytest -q -s plugins/redmine; fi

# Microsoft's own readers of reports and of M, from npm; needs Node 20
check-powerbi: env
	rm -rf .official && cp -r plugins/powerbi/official .official
	npm install --prefix .official --no-audit --no-fund
	PM_HUB_OFFICIAL=$(CURDIR)/.official $(BIN)/python -m pytest -q plugins/powerbi

proof: env
	PM_HUB_PROOF=1 $(BIN)/python -m pytest -q -n auto

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: env
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e "plugins/msproject[mpp]" -e "plugins/tableau[server]" -c constraints.txt
	$(BIN)/python bench/run.py

docs: env
	$(BIN)/cog -r docs/*.md

charset:
	cd plugins/msproject/hub_msproject/files/charset && rm -rf build && mkdir -p build/META-INF/services \
	&& echo pmhub.charset.MacRomanProvider > build/META-INF/services/java.nio.charset.spi.CharsetProvider \
	&& javac --release 8 -d build MacRomanProvider.java \
	&& jar --create --no-manifest --date=2026-01-01T00:00:00Z --file pm-hub-charset.jar -C build META-INF -C build pmhub \
	&& rm -rf build

clean:
	rm -rf $(VENV) demo
