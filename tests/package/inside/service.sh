# SPDX-License-Identifier: GPL-2.0-only
# In a guest whose first process is systemd: the package is installed, its services started and stopped, and it goes again.
package=$1
part() { printf '=== %s\n' "$*"; }
state() { cat /sys/kernel/sched_ext/state; }

part install
dpkg -i "$package" >&2
echo $?
dpkg --verify punctual
part nothing-started
systemctl is-active punctual.service punctual-serve.service punctual-serve.socket
systemctl is-enabled punctual.service punctual-serve.service punctual-serve.socket
state
part doctor
punctual doctor
echo $?
part started
mkdir -p /etc/punctual/conf.d
printf '[budgets]\n"vnf.slice" = "60us"\n' >/etc/punctual/conf.d/vnf.toml
systemd-run --quiet --slice=vnf.slice --unit=vnf sleep 1000
systemctl start punctual.service
echo $?
state
for _ in $(seq 50); do punctual budget ls --json | grep -q vnf.slice && break; sleep 0.2; done
part status
punctual status --json
part serve
systemctl start punctual-serve.socket punctual-serve.service
systemctl is-active punctual-serve.service
part reinstalled
dpkg -i "$package" >&2
echo $?
systemctl is-active punctual.service
state
part stopped
systemctl stop punctual.service
echo $?
state
part removed-while-it-runs
systemctl start punctual.service
state
dpkg --purge punctual >&2
echo $?
state
systemctl is-active punctual-serve.service
find /etc /usr /var/lib /run -xdev -name '*punctual*' ! -path '*punctual-lab*'
part journal
journalctl -u punctual.service -o cat --no-pager | tail -30
part end
