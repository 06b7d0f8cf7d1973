# SPDX-License-Identifier: GPL-2.0-only
# The few commands a newcomer needs. Everything real is in CMake and scripts/.
.PHONY: build demo test lint fuzz recording sim-long sim-lab sim-speed matrix lab-result bench-aa stress-long wire-long reliability mutated-long lab-long soak deploy-test fleet-load package package-test kubernetes-schemas runq-cost runq-long runq-rivals clean setup

build: setup                       # the program: build/punctual
	cmake --preset dev --log-level=WARNING
	cmake --build --preset dev

demo: setup                        # EEVDF against punctual on a real kernel, in the lab: out/demo.html
	cmake --preset dev --log-level=WARNING
	cmake --build --preset dev --target punctual
	mkdir -p out
	build/punctual bench --lab --html out/demo.html

test:                              # everything: unit, structure, lint, fuzz, browser, lab; and unit again with sanitizers
	@scripts/setup tests
	scripts/test

lint: build
	cmake --preset asan --log-level=WARNING
	cmake --build --preset asan
	scripts/lint

fuzz: setup                        # ten minutes a target, into tests/fuzz/corpus; `make test` gives each five seconds
	cmake --preset asan --log-level=WARNING
	cmake --build --preset asan
	for target in tests/fuzz/*_fuzz.cpp; do tests/fuzz/run $$(basename $$target _fuzz.cpp) 600 || exit; done
	tests/fuzz/keep

recording: build                   # after a change of what the policy decides: tests/recordings/mixed-load.decisions
	python3 -B tests/recordings/record.py

sim-lab: build                     # the simulator against the lab, into docs/simulator.md: a quarter of an hour
	python3 -B tests/sim/figures.py lab --write

sim-speed: build                   # events a second of the simulator, one core, into docs/simulator.md
	python3 -B tests/sim/figures.py speed --write

sim-long: build                    # ten thousand random machines; `make test` tries two thousand
	PUNCTUAL_SIM_RUNS=10000 build/sim_property_test

matrix: build                      # budgets over rates, arrivals and rings, into docs/matrix.md: half an hour or more
	python3 -B tests/lab/matrix.py --write

lab-result: build                  # the lab's result and the frontier, into docs/lab-result.md: twenty minutes
	PUNCTUAL=build/punctual python3 -B tests/lab/lab_result.py

bench-aa: build                    # how often a verdict of the bench is wrong, on this machine; into docs/performance.md; as root
	PUNCTUAL=build/punctual python3 -B tests/bench/aa.py --write

stress-long: build                 # a minute of stress on each lab machine; the figures go into docs/testing.md
	PUNCTUAL=build/punctual python3 -B tests/lab/stress_long.py --write

wire-long: build                   # ten runs of each kind with real packets, and the same in virtual time; into docs/performance.md
	PUNCTUAL=build/punctual python3 -B tests/lab/wire_long.py --write

reliability: build                 # each fault of a scheduler on a real kernel, ten minutes or more; into docs/reliability.md
	PUNCTUAL=build/punctual python3 -B tests/lab/reliability.py --write

mutated-long: build                # ten thousand damaged scheduler objects in the lab, some hours; into docs/reliability.md
	PUNCTUAL=build/punctual python3 -B tests/lab/mutated.py 10000 --write

lab-long: build                    # a Debian root under systemd, real packets, kill -9 at every stage: half an hour
	for test in systemd wire kill; do PUNCTUAL=$$PWD/build/punctual python3 -B tests/lab/$${test}_test.py -v || exit; done

deploy-test:                       # deploy/ against Prometheus, Ansible and a cluster's stand-ins: ten minutes; all but Ansible is in `make test`
	@scripts/setup && scripts/setup deploy
	cmake --preset dev --log-level=WARNING -DPUNCTUAL_DEPLOY_TESTS=ON
	cmake --build --preset dev --target punctual node_metrics
	ctest --test-dir build -L deploy --output-on-failure

fleet-load: build                  # a thousand simulated nodes and one Prometheus, eight minutes; into docs/fleet.md
	cmake --preset dev --log-level=WARNING -DPUNCTUAL_DEPLOY_TESTS=ON
	cmake --build --preset dev --target node_metrics
	NODE_METRICS=build/node_metrics /usr/bin/python3 -B tests/deploy/fleet_load.py --write

package:                           # a Debian package of the committed tree, for the release of this machine, into out/
	@scripts/setup && scripts/setup package
	scripts/package
	lintian --fail-on error,warning,info out/punctual_*_amd64.deb

package-test:                      # for both releases, each built twice and compared; in fresh roots, and in guests with systemd: two hours
	@scripts/setup && scripts/setup package
	cmake --preset dev --log-level=WARNING
	cmake --build --preset dev --target punctual
	scripts/package bookworm trixie
	scripts/package --again bookworm trixie
	lintian --fail-on error,warning,info out/punctual_*_amd64.deb
	python3 -B tests/package/reproducible_test.py -v
	python3 -B tests/package/roots_test.py -v
	PUNCTUAL=build/punctual python3 -B tests/package/service_test.py -v
	python3 -B tests/package/figures.py --write

kubernetes-schemas:                # what the test of the manifests compares them with, by npm
	scripts/kubernetes-schemas

soak: build                        # guard, collector and recording for an hour beside a changing load; into docs/reliability.md
	PUNCTUAL=build/punctual python3 -B tests/lab/soak.py 60 --write

runq-long: build                   # the run-queue collector under load, two minutes; into docs/runq.md
	PUNCTUAL=build/punctual python3 -B tests/runq/long.py --write

runq-rivals: build                 # one load under all tools that count run-queue waits; into docs/runq.md
	PUNCTUAL=build/punctual python3 -B tests/runq/rivals.py --write

runq-cost: build                   # what our run-queue probes cost beside runqlat's, on this machine; as root
	PUNCTUAL=build/punctual python3 -B tests/runq/cost.py

setup:
	@scripts/setup

clean:
	rm -rf build build-asan build-clang build-release out
