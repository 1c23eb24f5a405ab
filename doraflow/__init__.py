"""The doraflow compiler: dataflow.yml in, a deployable bundle of launchers, wiring tables and typed stubs out."""
