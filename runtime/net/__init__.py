"""Links between hosts: what carries messages from machine to machine, and what keeps strangers out."""
