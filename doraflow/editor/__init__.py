"""What editors ask for: the language as a JSON schema, and the features of the language server."""
