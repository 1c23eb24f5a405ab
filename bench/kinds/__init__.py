"""The kinds of measurement: one module each, with `cases` and `measure`."""
