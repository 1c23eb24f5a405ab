"""What commands print with `--output json`: the types of it, and their JSON Schemas.

Nothing is printed here. Keys keep their meaning within a `version`; new ones may be added.
"""
