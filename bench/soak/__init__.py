"""The soak test: real node processes at full speed, killed and stopped at random, and every message accounted for."""
