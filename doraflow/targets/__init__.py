"""The engines that a bundle can be handed to: one module each, found by listing.

A target has `files(plan)`, and `check(plan, sink)` where it has something to refuse. Nothing else lives here; what
targets share is `doraflow.targeting`.
"""
