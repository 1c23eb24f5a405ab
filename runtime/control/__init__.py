"""How a run is found and operated from outside: the control protocol, its two ends, and the registry of runs."""
