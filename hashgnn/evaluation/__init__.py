"""How rankings are measured: ranks, metrics, statistics, and the stages that evaluate and time."""
