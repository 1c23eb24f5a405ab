"""Generated YAML: keys in the order given, lists below their key, texts quoted where a reader could take them amiss."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"(?!\.[0-9]|\.{3}\Z)[A-Za-z_/.][A-Za-z0-9_./$+-]*")
_WORDS_OF_YAML = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan", "~"}


def yaml_text(value: object) -> str:
    r"""Write a value as YAML.

    >>> yaml_text({"name": "on", "ports": [80, "443"]})
    'name: "on"\nports:\n  - 80\n  - "443"\n'
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        """Indents lists below their key, and quotes a text that any version of YAML could read as something else."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
            super().increase_indent(flow, indentless=False)

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')

    Dumper.add_representer(str, represent)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
