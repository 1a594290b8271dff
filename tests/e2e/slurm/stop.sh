#!/usr/bin/env bash
# End the Slurm that start.sh started in FOLDER: stop.sh FOLDER. Its logs and records stay.
set -uo pipefail

folder=$(realpath "$1")
conf=/etc/slurm/slurm.conf

end() {
    [ -f "$1" ] || return 0
    local pid
    pid=$(cat "$1")
    kill "$pid" 2> /dev/null
    for _ in $(seq 50); do
        [ -e "/proc/$pid" ] || return 0
        sleep 0.1
    done
}

scancel --state=PENDING,RUNNING --user="$(id -un)" 2> /dev/null
for daemon in slurmd slurmctld munge/munged; do
    end "$folder/$daemon.pid"
done
[ "$(readlink "$conf")" = "$folder/slurm.conf" ] && rm "$conf"
exit 0
