"""The half of a deployment that runs on the host: sent there as it is, and run by the host's own Python.

Standard library only, and of doraflow no more than what is sent along; see `doraflow.deploy.sending`.
"""
