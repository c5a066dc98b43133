# gpflow. `make` lists the targets. Go is all that is needed.

SHELL := /bin/bash

PKGS     ?= ./...
TESTFLAGS ?=
FUZZTIME ?= 60s
SEEDS    ?= 2000
FIRST    ?= 0
COMMIT   := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

.DEFAULT_GOAL := help
.PHONY: help build run test sim chaos soak bench bench-check microbench fuzz lint fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/gpflow: static, the same bytes from the same source
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/gpflow ./cmd/gpflow

run: build ## run the flights example; results on the screen and in out/flights
	bin/gpflow run examples/flights/flights.gp.hcl

# The race detector needs a C compiler; without one the tests run all the same.
test: lint ## check the source and run every test
	@if [ "$$(CGO_ENABLED=1 go env CGO_ENABLED)" = 1 ] && command -v "$$(go env CC)" >/dev/null; then \
		echo "go test -race $(PKGS)"; CGO_ENABLED=1 go test -race $(TESTFLAGS) $(PKGS); \
	else \
		echo "no C compiler: the tests run without the race detector"; \
		echo "go test $(PKGS)"; go test $(TESTFLAGS) $(PKGS); \
	fi

sim: ## simulate SEEDS jobs with faults, from the seed FIRST on; see engine/sim
	go test $(TESTFLAGS) ./engine/sim -run 'Test(Seeds|Tampered|Drained)$$' -count 1 -v -timeout 0 -sim.seeds $(SEEDS) -sim.first $(FIRST)

# Both need Linux: a full disk is a small tmpfs, mounted by root or in a
# namespace of the user's own. SEED repeats what was drawn.
chaos: chaos-build ## kill real processes KILLS times (60) and at each failpoint, and compare; see docs/reliability.md
	bin/chaos -bugs bin/gpflow-bugs -kills $(or $(KILLS),60) -seed $(or $(SEED),0)

soak: chaos-build ## the same, KILLS times (1000) and 10 times at each failpoint
	bin/chaos -bugs bin/gpflow-bugs -kills $(or $(KILLS),1000) -hits 10 -seed $(or $(SEED),0)

.PHONY: chaos-build
chaos-build: build
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags bugs -o bin/gpflow-bugs ./cmd/gpflow
	go build -o bin/chaos ./chaos

bench: build ## measure the jobs of bench/README.md; figures on the screen and in out/bench.json
	go build -o bin/bench ./bench
	@mkdir -p out
	bin/bench -json out/bench.json $(BENCH)

bench-check: build ## fail where a job has lost 15 % against the yardsticks
	go build -o bin/bench ./bench
	bin/bench -jobs '^(json|csv|memory)' -check bench/ratios.json $(BENCH)

microbench: ## run the benchmarks of the packages
	go test -run '^$$' -bench . -benchmem $(PKGS)

# A fuzzer that is stopped in the middle of an input may end with "context
# deadline exceeded" (golang.org/issue/75804), having found nothing.
fuzz: ## run each fuzzer for FUZZTIME; what it finds is kept in its testdata/fuzz
	@set -o pipefail; status=0; log=$$(mktemp); \
	list=$$(go test -list '^Fuzz' $(PKGS) | awk '/^Fuzz/ { f[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, f[i]; n = 0 }') || exit 1; \
	while read -r pkg name; do \
		[ -n "$$name" ] || continue; \
		echo "--- $$name of $$pkg"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 2s -parallel 2 "$$pkg" </dev/null | tee "$$log" || \
			{ grep -q '^    context deadline exceeded$$' "$$log" && ! grep -q 'Failing input' "$$log"; } || status=1; \
	done <<<"$$list"; rm -f "$$log"; exit $$status

lint: ## go vet, gofumpt, staticcheck
	go vet $(PKGS)
	@unformatted=$$(go tool gofumpt -l .); if [ -n "$$unformatted" ]; then \
		echo "not formatted; run make fmt:"; echo "$$unformatted"; exit 1; fi
	go tool staticcheck $(PKGS)

fmt: ## format the source
	go tool gofumpt -w .

clean: ## remove what was built and written
	rm -rf bin out .gpflow
