"""What the user has to say about findings: comments that ignore them, settings that change how grave they are."""
