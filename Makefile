# gradd's build. `make help` lists the targets. On Debian 12 `make run` and `make test` install
# what they lack with apt, saying so, and do everything else themselves.
CC = gcc
CXX = g++
ifeq ($(filter -j% j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif
BUILD ?= build
OPT ?= -O2 -g
SAN ?=
WARN = -Wall -Wextra -Wconversion -Wvla -Wmissing-prototypes -Wstrict-prototypes -Werror
CPPFLAGS += -I. -D_GNU_SOURCE
# No contraction: results do not depend on which instruction set was picked; fma is written where it is meant.
CFLAGS += -std=gnu17 $(OPT) $(WARN) $(SAN) -ffp-contract=off -fno-math-errno -fno-trapping-math -fPIC -pthread
CXXFLAGS += -std=c++17 $(OPT) -Wall -Wextra -Wconversion -Werror $(SAN) -fno-exceptions -fno-rtti -fPIC
LDFLAGS += $(SAN) -pthread
CORE_LIBS = -lsleef -ldl -lm
API_LIBS = -ljansson -lz -lzstd
SERVER_LIBS = -lmicrohttpd -luv
PREFIX ?= /usr/local
# The engine is optimised as one whole, once, into an ordinary object: its hot path crosses many small files.
LTO ?= $(if $(SAN),,-flto)

BUILD_PACKAGES = gcc g++ make libc6-dev libmicrohttpd-dev libjansson-dev libuv1-dev zlib1g-dev libzstd-dev libsleef-dev uthash-dev libopenblas0-serial
TEST_PACKAGES = check pkg-config curl jq python3 libcurl4-openssl-dev
CHECK_PACKAGES = git clang-format cppcheck
BENCH_PACKAGES = wrk python3
FUZZ_PACKAGES = clang libclang-rt-14-dev

CORE_SRC = $(filter-out %_simd.c,$(wildcard core/*/*.c))
SIMD_SRC = $(wildcard core/kernels/*_simd.c)
API_SRC = $(wildcard api/*.c)
API_CXX = $(wildcard api/*.cc)
SERVER_SRC = $(filter-out server/main.c,$(wildcard server/*.c))
UNIT_SRC = $(wildcard tests/unit/*.c)

# Instruction sets of the *_simd.c files; off x86-64 only the baseline is built. On a fresh machine there is no compiler to
# ask yet.
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null || uname -m)))
ISAS = $(if $(filter x86_64,$(MACHINE)),baseline avx2 avx512,baseline)
ISA_FLAGS_baseline = -DGD_ISA_LEVEL=0
ISA_FLAGS_avx2 = -DGD_ISA_LEVEL=1 -mavx2 -mfma
ISA_FLAGS_avx512 = -DGD_ISA_LEVEL=2 -mavx2 -mfma -mavx512f -mavx512dq -mavx512bw -mavx512vl -mprefer-vector-width=512

objects = $(patsubst %.cc,$(BUILD)/%.o,$(patsubst %.c,$(BUILD)/%.o,$(1)))
CORE_OBJ = $(call objects,$(CORE_SRC)) $(foreach isa,$(ISAS),$(SIMD_SRC:%.c=$(BUILD)/%.$(isa).o))
API_OBJ = $(call objects,$(API_SRC) $(API_CXX))
SERVER_OBJ = $(call objects,$(SERVER_SRC))
ALL_LIBS = $(BUILD)/libgradd-server.a $(BUILD)/libgradd-api.a $(BUILD)/libgradd.a
TEST_PROGRAMS = $(BUILD)/tests/unit/run $(BUILD)/tests/conformance/run_samples $(BUILD)/tests/conformance/run_traces $(BUILD)/tests/functions/run $(BUILD)/tests/conformance/notebook

.PHONY: all
all: $(BUILD)/gradd ## build build/gradd

.PHONY: run
run: all ## install what is missing, build, and serve on 127.0.0.1:4242
	$(BUILD)/gradd serve

.PHONY: test
test: test-deps all $(TEST_PROGRAMS) ## every test on the plain build, then the engine and API tests under the sanitizers
	@BUILD=$(BUILD) sh tests/run.sh
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory tsan

SAN_TEST = OPT="-O1 -g" --no-print-directory san-test
.PHONY: asan tsan san-test
asan: ## unit, sample, HTTP and program tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) BUILD=build-asan SAN="-fsanitize=address,undefined -fno-sanitize-recover=all" SUITES="unit samples functions notebook http programs" $(SAN_TEST)
tsan: ## the threaded tests under ThreadSanitizer
	@$(MAKE) BUILD=build-tsan SAN="-fsanitize=thread" SUITES="threads http" $(SAN_TEST)
san-test: test-deps all $(TEST_PROGRAMS)
	@BUILD=$(BUILD) sh tests/run.sh $(SUITES)

.PHONY: check
check: check-deps ## formatting, warnings as errors, layering, static analysis
	@$(MAKE) --no-print-directory all $(TEST_PROGRAMS)
	@sh tests/check.sh

.PHONY: format
format: check-deps ## rewrite the sources in the project's format
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cc')

.PHONY: bench
bench: bench-deps all $(BUILD)/tests/bench/engine $(BUILD)/tests/bench/floor ## the figures of the README, as ratios against peers
	@python3 tests/bench/bench.py $(BUILD)

# Inputs that fail, and those that reached something new, are kept in build-fuzz/.
FUZZ_SECONDS ?= 60
FUZZERS = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SAN = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
.PHONY: fuzz fuzz-run
fuzz: fuzz-deps ## fuzz the language, file formats and protocols with libFuzzer under the sanitizers, each target for FUZZ_SECONDS (60)
	@$(MAKE) BUILD=build-fuzz CC=clang CXX=clang++ OPT="-O1 -g" WARN=-w SAN="$(FUZZ_SAN)" --no-print-directory fuzz-run
fuzz-run: $(FUZZERS)
	@for f in $(FUZZERS); do \
	    echo "== $$f for $(FUZZ_SECONDS) s"; mkdir -p $$f.corpus; \
	    name=$${f##*fuzz_}; dict=json; [ -d tests/fuzz/corpus/$$name ] || name=program dict=program; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -max_len=4096 -verbosity=0 -print_final_stats=1 \
	        -dict=tests/fuzz/$$dict.dict -artifact_prefix=$$f. $$f.corpus tests/fuzz/corpus/$$name || exit 1; \
	done

.PHONY: image
image: ## build the container image and start it once
	sh docker/build-image.sh

.PHONY: install
install: all ## install the daemon, the library and its header under PREFIX
	install -D -m755 $(BUILD)/gradd $(DESTDIR)$(PREFIX)/bin/gradd
	install -D -m644 $(BUILD)/libgradd.a $(DESTDIR)$(PREFIX)/lib/libgradd.a
	install -D -m644 core/gradd.h $(DESTDIR)$(PREFIX)/include/gradd.h

.PHONY: clean
clean: ## remove everything built
	rm -rf build build-asan build-tsan build-fuzz

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12
	@sed -n 's/^\(asan\|tsan\): ## .*//p' /dev/null

# ---- packages ------------------------------------------------------------------------------
# Debian packages that are not there yet are installed, with sudo where we are not root.
define need
	@missing=; for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	    if ! command -v apt-get >/dev/null; then echo "gradd: please install what Debian calls:$$missing" >&2; exit 0; fi; \
	    echo "gradd: installing Debian packages:$$missing"; \
	    as=; [ "$$(id -u)" = 0 ] || as=sudo; \
	    $$as apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
endef
.PHONY: deps test-deps check-deps bench-deps fuzz-deps
deps: $(BUILD)/.packages ## install the Debian packages the build needs
test-deps: $(BUILD)/.packages
	$(call need,$(TEST_PACKAGES))
check-deps:
	$(call need,$(CHECK_PACKAGES) $(TEST_PACKAGES))
bench-deps:
	$(call need,$(BENCH_PACKAGES))
fuzz-deps:
	$(call need,$(FUZZ_PACKAGES))
$(BUILD)/.packages:
	$(call need,$(BUILD_PACKAGES))
	@mkdir -p $(@D) && touch $@

# ---- rules ---------------------------------------------------------------------------------
$(BUILD)/libgradd.a: $(if $(LTO),$(BUILD)/libgradd.o,$(CORE_OBJ))
$(BUILD)/libgradd.o: $(CORE_OBJ)
	@echo "  LTO   $@" && $(CC) $(CFLAGS) -flto=auto -r -nostdlib -flinker-output=nolto-rel -o $@ $^
$(BUILD)/libgradd-api.a: $(API_OBJ)
$(BUILD)/libgradd-server.a: $(SERVER_OBJ)
$(BUILD)/%.a:
	@rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/gradd: $(BUILD)/server/main.o $(ALL_LIBS)
	@echo "  LD    $@" && $(CXX) $(LDFLAGS) -o $@ $^ $(SERVER_LIBS) $(API_LIBS) $(CORE_LIBS)

$(call objects,$(UNIT_SRC)): | test-deps
$(BUILD)/tests/unit/run: $(call objects,$(UNIT_SRC)) $(ALL_LIBS)
	@echo "  LD    $@" && $(CXX) $(LDFLAGS) -o $@ $^ $(SERVER_LIBS) $(API_LIBS) $(CORE_LIBS) $$(pkg-config --libs check)
$(BUILD)/tests/conformance/run_samples $(BUILD)/tests/conformance/run_traces: %: %.o $(ALL_LIBS)
	@echo "  LD    $@" && $(CXX) $(LDFLAGS) -o $@ $^ $(API_LIBS) $(CORE_LIBS)
# A C program that has only the library and its public header.
$(BUILD)/tests/conformance/notebook: $(BUILD)/tests/conformance/notebook.o $(BUILD)/libgradd.a
	@echo "  LD    $@" && $(CC) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)
$(BUILD)/tests/functions/run: $(BUILD)/tests/functions/run.o $(BUILD)/libgradd.a
	@echo "  LD    $@" && $(CXX) $(LDFLAGS) -o $@ $^ $(CORE_LIBS)
$(BUILD)/tests/bench/engine: $(patsubst %,$(BUILD)/tests/bench/%.o,engine functions hand) $(ALL_LIBS)
	@echo "  LD    $@" && $(CXX) $(LDFLAGS) -o $@ $^ $(API_LIBS) $(CORE_LIBS)
$(BUILD)/tests/bench/floor: $(BUILD)/tests/bench/floor.o
	@echo "  LD    $@" && $(CC) $(LDFLAGS) -o $@ $^ -lmicrohttpd

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libgradd-api.a $(BUILD)/libgradd.a
	@echo "  LD    $@" && $(CXX) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(API_LIBS) $(CORE_LIBS)

define isa_rule
$(BUILD)/%.$(1).o: %.c | $(BUILD)/.packages
	@mkdir -p $$(@D) && echo "  CC    $$< ($(1))" && $(CC) $(CPPFLAGS) $(CFLAGS) $(LTO) $(if $(SAN),,-O3) -DGD_ISA=$(1) $(ISA_FLAGS_$(1)) -MMD -MP -c $$< -o $$@
endef
$(foreach isa,$(ISAS),$(eval $(call isa_rule,$(isa))))
$(BUILD)/%.o: %.c | $(BUILD)/.packages
	@mkdir -p $(@D) && echo "  CC    $<" && $(CC) $(CPPFLAGS) $(CFLAGS) $(if $(filter core/%,$<),$(LTO)) -MMD -MP -c $< -o $@
$(BUILD)/%.o: %.cc | $(BUILD)/.packages
	@mkdir -p $(@D) && echo "  CXX   $<" && $(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c $< -o $@
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
