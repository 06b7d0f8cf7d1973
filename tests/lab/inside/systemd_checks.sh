#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What systemd in a Debian root of the lab says, a heading before each answer; tests/lab/systemd_test.py judges.
asked() { echo "=== $1"; }

asked state
systemctl is-system-running --wait
asked failed
systemctl list-units --failed --plain --no-legend
asked own-unit
cat /proc/self/cgroup
asked release
. /etc/os-release && echo "$VERSION_CODENAME"
asked cgroups
stat -f -c %T /sys/fs/cgroup

systemd-run --quiet --slice=vnf.slice --unit=packets sh -c 'echo said by the unit; exec sleep 1000'
asked slice
cat /sys/fs/cgroup/vnf.slice/packets.service/cgroup.procs
systemctl show --property=MainPID --value packets
asked journal
journalctl --sync && journalctl --no-pager --unit=packets --output=cat

asked budget
punctual run scx_latency --slice vnf.slice=60us -- punctual status --json
asked after
cat /sys/kernel/sched_ext/state
asked stopped
systemctl stop packets
systemctl is-active packets

asked service
python3 -B /root/service_checks.py
echo $?
exit 7
