#!/usr/bin/env bash
# Start a Slurm of one node on this machine: start.sh FOLDER [CPUS] [MEGABYTES]. stop.sh FOLDER ends it.
# Needs root and Debian's slurmctld, slurmd, slurm-client and munge; neither systemd nor cgroups.
# All it keeps lies in FOLDER, but for a link to its configuration at /etc/slurm/slurm.conf: Snakemake's
# executor takes SLURM_CONF from the jobs, so no other place is found there.
set -euo pipefail

folder=$(realpath -m "$1")
conf=/etc/slurm/slurm.conf
cpus=${2:-$(getconf _NPROCESSORS_ONLN)}
megabytes=${3:-$(awk '/MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)}
node=$(hostname -s)
[ ! -e "$conf" ] || { echo "error: $conf exists: a Slurm is set up here already" >&2; exit 1; }
mkdir -p "$folder"/{munge,state,spool}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

cat > "$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
# Memory and processors are handed out, and a job that takes more memory than it asked for is killed.
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
JobAcctGatherParams=OverMemoryKill
# Records stay, in memory and as a line a job in completed.txt.
MinJobAge=7200
JobCompType=jobcomp/filetxt
JobCompLoc=$folder/completed.txt
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=5
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$megabytes State=UNKNOWN
PartitionName=main Nodes=$node Default=YES MaxTime=INFINITE State=UP
CONF

head -c 1024 /dev/urandom > "$folder/munge/key"
chmod 400 "$folder/munge/key"
# Forced, as the folder may be private, which munge takes for a mistake: it means to serve all users.
/usr/sbin/munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
    --pid-file="$folder/munge/munged.pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"

ln -sfn "$folder/slurm.conf" "$conf"
/usr/sbin/slurmctld -c
/usr/sbin/slurmd -N "$node"

for _ in $(seq 60); do
    [ "$(sinfo --noheader --format=%T 2> /dev/null)" = idle ] && exit 0
    sleep 0.5
done
echo "error: the node did not become idle in 30 s; see $folder/slurmctld.log and slurmd.log" >&2
exit 1
