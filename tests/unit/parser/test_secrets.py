from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from doraflow.diagnostics import Diagnostic
from doraflow.render import render_text

if TYPE_CHECKING:
    from tests.unit.parser.conftest import Project

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
NODE = "nodes:\n  - id: a\n    path: a.py\n"

FORMS = [
    ("AKIA" + "IOSFODNN7EXAMPLE", "an AWS access key"),
    ("ghp_" + LETTERS, "a GitHub token"),
    ("github_pat_" + LETTERS, "a GitHub token"),
    ("glpat-" + LETTERS, "a GitLab token"),
    ("sk-" + LETTERS, "an API key"),
    ("sk-proj-" + LETTERS, "an API key"),
    ("sk_live_" + LETTERS, "a Stripe key"),
    ("xoxb-1234567890-abc", "a Slack token"),
    ("hf_" + LETTERS, "a Hugging Face token"),
    ("AIza" + LETTERS[:35], "a Google API key"),
    ("npm_" + LETTERS, "an npm token"),
    ("pypi-AgE" + LETTERS * 2, "a PyPI token"),
    ("eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSM", "a signed token"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
    ("rtsp://eye:h1dden-w0rd@10.0.0.1/stream", "the password of an address"),
]


def secrets(project: Project, text: str) -> list[Diagnostic]:
    _, findings = project({"flow.yml": text})
    return [finding for finding in findings if finding.code == "DF117"]


@pytest.mark.parametrize(("value", "kind"), FORMS)
def test_a_value_with_the_form_of_a_secret_is_told_whatever_its_name(project: Project, value: str, kind: str) -> None:
    (finding,) = secrets(project, f"{NODE}    env:\n      SETTING: {value}\n")
    assert (finding.severity, finding.message) == (
        "warning",
        f"`SETTING` holds what looks like {kind}: who can read this file, or a bundle made of it, can use it",
    )
    span = finding.span
    assert span is not None
    assert (span.line, span.column) == (5, 7)
    assert finding.help == "write `SETTING: $SETTING`, and set `SETTING` where the dataflow is started"


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("DB_PASSWORD", "hunter2", "a password"),
        ("password", "123456", "a password"),
        ("CLIENT_SECRET", "corrected-horse", "a secret"),
        ("ACCESS_TOKEN", "f00dbeef42", "a token"),
        ("GEMINI_API_KEY", "a1b2c3d4e5", "an api key"),
        ("apikey", "a1b2c3d4e5", "an apikey"),
    ],
)
def test_a_literal_value_of_a_name_that_says_secret_is_told(project: Project, name: str, value: str, kind: str) -> None:
    (finding,) = secrets(project, f"{NODE}    env: {{{name}: {value}}}\n")
    assert f"looks like {kind}:" in finding.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_PASSWORD", "password"),
        ("PASSWORD", "$PASSWORD"),
        ("PASSWORD", "${PASSWORD}"),
        ("PASSWORD", "<your password>"),
        ("PASSWORD", '""'),
        ("PASSWORD", ""),
        ("PASSWORD", "changeme"),
        ("PASSWORD", "xxxxxxxx"),
        ("PASSWORD", "your-password"),
        ("PASSWORD", "/run/secrets/password"),
        ("SECRET", "~/.secret"),
        ("PASSWORD", "true"),
        ("PASSWORD_FILE", "hunter2"),
        ("API_KEY", "your_api_key_1"),
        ("API_KEY", "put-it-here"),
        ("MAX_TOKENS", "100000000a"),
        ("EOS_TOKEN", "</s>"),
        ("EOS_TOKEN", "151645"),
        ("PAD_TOKEN", "endoftext"),
        ("TOKENIZER", "bert-base-uncased-2"),
        ("LANG", "sk-SK"),
        ("MODEL", "sk-learn-model-without-a-number"),
        ("URL", "rtsp://user:password@10.0.0.1/stream"),
        ("URL", "rtsp://me:$PASSWORD@10.0.0.1/stream"),
        ("URL", "https://github.com/dora-rs/dora"),
        ("URL", "http://localhost:8000/a@b"),
        ("KEY", "a1b2c3d4e5f6"),
    ],
)
def test_what_only_resembles_a_secret_is_not_told(project: Project, name: str, value: str) -> None:
    assert secrets(project, f"{NODE}    env:\n      {name}: {value}\n") == []


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("args: --token f00dbeef42", "args"),
        ("args: --db-password=hunter2 --fast", "args"),
        ("args: -x ghp_" + LETTERS, "args"),
        ("build: curl -u me https://me:h1dden@example.org/x", "build"),
        ("git: https://me:h1dden@github.com/x/y", "git"),
    ],
)
def test_arguments_commands_and_addresses_are_read_too(project: Project, line: str, key: str) -> None:
    (finding,) = secrets(project, f"{NODE}    {line}\n")
    assert finding.message.startswith(f"`{key}` holds what looks like ")


@pytest.mark.parametrize(
    "line",
    ["args: --token $TOKEN", "args: --password --fast", "args: --tokens 100000000a", "args: --password", "args: a"],
)
def test_arguments_that_name_no_secret_are_fine(project: Project, line: str) -> None:
    assert secrets(project, f"{NODE}    {line}\n") == []


def test_the_file_s_own_environment_parameters_and_modules_are_read_too(project: Project) -> None:
    _, findings = project(
        {
            "flow.yml": "env: {A_PASSWORD: one1}\nnodes:\n  - {id: m, module: m.yml, params: {B_PASSWORD: two2}}\n",
            "m.yml": "module: {name: m}\nnodes:\n  - {id: x, path: x.py, env: {C_PASSWORD: three3}}\n",
        }
    )
    assert [finding.message[1:11] for finding in findings if finding.code == "DF117"] == [
        "A_PASSWORD",
        "B_PASSWORD",
        "C_PASSWORD",
    ]


WRITTEN = [
    ("env: {PASSWORD: hunter2, MODE: fast}", "hunter2", "env: {PASSWORD: *******, MODE: fast}"),
    ("env: {PASSWORD: 'hunter2'}", "hunter2", "env: {PASSWORD: '*******'}"),
    ('env: {PASSWORD: "hunt\\x65r2"}', "hunt", "env: {PASSWORD: ************}"),
    ("args: --password hunter2 --fast", "hunter2", "args: --password ******* --fast"),
    ("args: --password hunter2 --token f00dbeef42", "f00dbeef42", f"args: {'*' * 37}"),
    ("git: https://me:h1dden@github.com/x", "h1dden", "git: https://me:******@github.com/x"),
]


@pytest.mark.parametrize(("line", "secret", "shown"), WRITTEN)
def test_the_secret_is_shown_by_no_finding(project: Project, line: str, secret: str, shown: str) -> None:
    text = f"{NODE}    {line}\n    args: '| x'\n" if line.startswith("env") else f"{NODE}    {line}\n"
    document, findings = project({"flow.yml": text})
    assert document is not None
    other = [Diagnostic("DF101", finding.severity, "another", finding.conceal) for finding in findings]
    written = render_text([*findings, *other], document.texts)
    assert secret not in written
    assert f"    {shown}\n" in written


def test_a_secret_of_several_lines_is_concealed_on_each(project: Project) -> None:
    key = "-----BEGIN PRIVATE KEY-----"
    text = f"{NODE}    env:\n      PEM: |\n        {key}\n        c2VjcmV0\n      MODE: fast\n"
    document, findings = project({"flow.yml": text})
    assert document is not None
    (finding,) = [finding for finding in findings if finding.code == "DF117"]
    span = finding.conceal
    assert span is not None
    lines = [
        Diagnostic("DF101", finding.severity, "another", type(span)(span.file, line, 9, line, 10)) for line in (6, 7)
    ]
    written = render_text([finding, *lines], document.texts)
    assert "BEGIN" not in written
    assert "c2VjcmV0" not in written


def test_no_finding_says_the_secret_in_words(project: Project) -> None:
    lines = "".join(f"      V{number}: {value}\n" for number, (value, _) in enumerate(FORMS))
    findings = secrets(project, f"{NODE}    env:\n{lines}")
    assert len(findings) == len(FORMS)
    words = json.dumps([[finding.message, finding.help, finding.notes, finding.label] for finding in findings])
    assert not any(value in words for value, _ in FORMS)
