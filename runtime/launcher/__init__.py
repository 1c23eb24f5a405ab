"""The supervisor of one host: starts the processes of a bundle, collects their logs, stops them."""
