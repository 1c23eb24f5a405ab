"""The peers: one module each, which installs the peer and says how to start a flow with it."""
