# SpikeDHS for Go. `make` alone lists the targets.
#
# Variables: LIBTORCH=DIR or PYTHON=PROGRAM choose the libtorch, PREFIX and DESTDIR
# where to install, JOBS how many compilers run at once, TORCH the PyTorch versions
# that a wheel has shims for.

SHELL   := /bin/bash
PREFIX  ?= /usr/local
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)
# By PEP 440: 0.3.0 at the commit of that tag, 0.3.0+g1234abc elsewhere.
RELEASE := 0.3.0
VERSION := $(shell scripts/version.sh $(RELEASE))
# The newest release that the newest Go (1.26) builds; go run fetches it.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# The usual place of a Go that was unpacked by hand.
export PATH := $(PATH):/usr/local/go/bin

# Every go command runs with the flags that point cgo at the two shims.
GO  = . build/env && go
CXX_FILES = $(wildcard cpp/include/spikedhs/*.h cpp/fake/*.h cpp/fake/*.cc cpp/spike/*.h cpp/spike/*.cc cpp/spike/*.cu cpp/cpu/*.h cpp/cpu/*.cc cpp/gotorch/*.cc)

.DEFAULT_GOAL := help
.PHONY: help build demo test test-plain test-device test-wheel test-all check fmt install carry wheel deps deps-check clean shims

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: shims ## build the shims and bin/spikedhs
	@$(GO) build -ldflags '-X main.version=$(VERSION)' -o bin/spikedhs ./cmd/spikedhs

# Configuring takes half a second and notices a changed libtorch or new sources,
# so it is done each time. The tools and libtorch are looked for first because
# CMake wraps an error in a page of its own.
shims:
	@if command -v apt-get >/dev/null; then scripts/deps.sh install build; fi
	@scripts/deps.sh require build
	@scripts/libtorch.sh >/dev/null
	@mkdir -p build
	@cmake -S . -B build -G 'Unix Makefiles' >build/cmake.log 2>&1 || { cat build/cmake.log >&2; exit 1; }
	@sed -n '/^CMake Warning/,/^$$/p' build/cmake.log >&2 # what had to be left out, and why
	@cmake --build build --parallel $(JOBS) -- --no-print-directory

demo: build ## search, train and export a small network on real data, in runs/demo
	@if [ -f runs/demo/run.json ]; then rm -rf runs/demo; fi # only what is a run, nothing else of that name
	bin/spikedhs demo --out runs/demo

test: shims ## go vet and all tests; lists the skipped ones with their reasons
	@$(GO) vet ./...
	@scripts/test.sh

test-plain: ## the tests that reach libtorch, in a build without the kernels for CPUs (cpp/cpu)
	@mkdir -p build/plain
	@cmake -S . -B build/plain -G 'Unix Makefiles' -DSPIKEDHS_CPU=OFF >build/plain/cmake.log 2>&1 || { cat build/plain/cmake.log >&2; exit 1; }
	@cmake --build build/plain --parallel $(JOBS) -- --no-print-directory
	@BUILD=build/plain scripts/test.sh $(or $(PLAIN),./torch ./spike ./search/... ./train/... ./cmd/...)

# The tests that need a CUDA device, on the fake one (cpp/fake), which a build of
# the shims for tests has in place of CUDA.
test-device: ## run every command and preset as on a CUDA device, on a fake one
	@mkdir -p build/device
	@cmake -S . -B build/device -G 'Unix Makefiles' -DSPIKEDHS_FAKE_DEVICE=ON >build/device/cmake.log 2>&1 || { cat build/device/cmake.log >&2; exit 1; }
	@cmake --build build/device --parallel $(JOBS) -- --no-print-directory
	@scripts/test-device.sh
	@scripts/rehearse.sh --short

test-all: ## all tests in their long forms, kernels for every GPU and PyTorch 2.4 to 2.15 included; takes hours
	@eval "$$(scripts/nvrtc.sh)" && SPIKEDHS_SLOW=1 $(MAKE) test test-device
	@scripts/wheels.sh

check: shims ## formatting and linters; changes nothing
	@if command -v apt-get >/dev/null; then scripts/deps.sh install check; fi
	@scripts/deps.sh require check
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "gofmt: run 'make fmt' for:" $$files >&2; exit 1; }
	@clang-format --dry-run -Werror $(CXX_FILES)
	@$(GO) vet ./...
	@$(GO) run $(STATICCHECK) ./...

fmt: ## format the Go and C++ sources
	@gofmt -w .
	@clang-format -i $(CXX_FILES)

install: build ## install the program and the shims under PREFIX (/usr/local)
	@DESTDIR=$(DESTDIR) cmake --install build --prefix $(PREFIX) >/dev/null
	@install -D -m 755 bin/spikedhs $(DESTDIR)$(PREFIX)/bin/spikedhs

carry: build ## fill .carry/ for a machine with PyTorch and no Go (a GPU box)
	@VERSION=$(VERSION) scripts/carry.sh

wheel: ## a wheel for pip's PyTorch in dist/; TORCH="2.11 2.15" or all: for those versions
	@VERSION=$(VERSION) TORCH='$(TORCH)' JOBS=$(JOBS) scripts/wheel.sh

test-wheel: wheel ## install the wheel beside the newest PyTorch in a new environment and use it
	@scripts/wheel/test.sh dist/spikedhs-$(VERSION)-*.whl

deps: ## install what building and the demo need (Debian, Ubuntu)
	@scripts/deps.sh install build

deps-check: ## install what `make check` needs as well
	@scripts/deps.sh install check

clean: ## remove build/, bin/, dist/ and .carry/; runs stay
	@rm -rf build bin dist .carry
