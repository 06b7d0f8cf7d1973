# SPDX-License-Identifier: GPL-2.0-only
# In a fresh root of Debian, without systemd as first process: OLD and NEW are packages, NEW of the higher version. Ends at the
# first thing that is not as it should be, and says it; what it found goes to stdout, one "=== NAME" a part.
set -eu
old=$1
new=$2
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

fail() { echo "lifecycle: $*" >&2; exit 1; }
apt() { apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null >&2; }
# All files, and who is in the tables of users and groups; not what apt and dpkg note about themselves, nor caches.
everything() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/lib/dpkg -o -path /var/lib/apt \
		-o -path /var/cache -o -path /var/log \) -prune -o -print | sort
	cat /etc/group /etc/passwd
}

apt update
apt install man-db "$new"      # a release alone has all that it depends on
apt purge punctual             # its dependencies stay, and are in what follows before and after
everything >/tmp/before

apt install "$old"
[ "$(dpkg-query -W -f '${Version}' punctual)" = "$(dpkg-deb -f "$old" Version)" ] || fail "the older one is not installed"
echo '# by the operator' >>/etc/punctual/punctual.toml
echo 'floor = "20%"' >/etc/punctual/conf.d/50-floor.toml
mkdir -p /var/lib/punctual
echo '{}' >/var/lib/punctual/state

apt install "$new"             # asks nothing, though the configuration was changed
[ "$(dpkg-query -W -f '${Version}' punctual)" = "$(dpkg-deb -f "$new" Version)" ] || fail "no upgrade"
grep -q '^# by the operator' /etc/punctual/punctual.toml || fail "the upgrade took the operator's configuration"
dpkg --verify punctual | grep -v '^??5?????? c /etc/punctual/punctual.toml$' && fail "files are not those of the package"
getent group punctual >/dev/null || fail "no group"
! ls /etc/systemd/system/*.wants 2>/dev/null | grep punctual || fail "a unit is enabled"

echo "=== version"
punctual --version
echo "=== check"
punctual guard --check
echo "=== doctor"
status=0
punctual doctor || status=$?
[ $status = 0 ] || [ $status = 3 ] || fail "doctor ends with $status"
for page in punctual punctual.toml punctual-files; do
	echo "=== man $page"
	man -P cat "$page" 2>&1 | sed -n 1,4p
done
echo "=== completions"
bash -c 'source /usr/share/bash-completion/completions/punctual && complete -p punctual'
echo "=== size"
dpkg-query -W -f '${Installed-Size}\n' punctual

apt remove punctual
[ ! -e /usr/bin/punctual ] || fail "removal leaves the program"
grep -q '^# by the operator' /etc/punctual/punctual.toml || fail "removal takes the configuration"
[ -e /var/lib/punctual/state ] || fail "removal takes the state"
apt purge punctual
everything >/tmp/after
diff /tmp/before /tmp/after >&2 || fail "the purge leaves something, or took too much"
left=$(find / -xdev \( -path /proc -o -path /sys -o -path /tmp -o -path /var/log -o -path /var/cache/man \) -prune -o -name '*punctual*' -print)
[ -z "$left" ] || fail "the purge leaves $left"
echo "=== clean"
