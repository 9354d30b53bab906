# Installs Debian packages for the tests, as root: install.sh "UNIT UNIT..." PACKAGE...
# The tests start private instances of what it installs, so no service of these packages may start here, now or at boot.
set -eu
units=$1
shift
policy=/usr/sbin/policy-rc.d
mark='written by cargo xtask test for the time of one installation'

# Debian asks this file before it starts a service. A file of the machine's owner stays as it is; one of ours that
# a killed run left behind is taken over and so removed.
if [ ! -e "$policy" ] || grep -q "$mark" "$policy"; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" > "$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
# Another apt may be at work, as on a machine that has just started.
apt="apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0"
$apt update || echo "apt-get update failed; trying with the package lists at hand" >&2
$apt install -y --no-install-recommends "$@"

# Without systemctl there is no systemd that could start them at boot.
if command -v systemctl > /dev/null; then
    for unit in $units; do
        systemctl --quiet disable "$unit" || echo "$unit could not be disabled; it may start at boot" >&2
    done
fi
