"""The launchers of one dataflow, each on its host, as one company: they start, stop and fail together."""
