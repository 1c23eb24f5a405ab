"""The logs of runs, read while they go on and afterwards."""
