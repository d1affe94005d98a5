"""No test can hang for ever."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def test_every_test_has_a_time_limit(pytestconfig: pytest.Config) -> None:
    assert 0 < float(pytestconfig.getini("timeout")) <= 60
    assert pytestconfig.pluginmanager.hasplugin("timeout")


def test_a_test_beyond_its_limit_fails_and_says_where_it_was(tmp_path: Path) -> None:
    program = tmp_path / "test_hanging.py"
    program.write_text(
        "import threading\n\ndef test_hanging():\n    threading.Event().wait()\n", encoding="utf-8"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "pytest_timeout",
        "--timeout=0.1",
        "--rootdir=.",
        program.name,
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Timeout" in done.stdout
    assert "threading.Event().wait()" in done.stdout
