"""The doraflow compiler: dataflow.yml in, a deployable bundle of launchers, wiring tables and typed stubs out."""

__version__ = "0.1.0"
