"""One finished run of a tiny study, which a test may copy and spoil."""

from __future__ import annotations

import shutil

import pytest

from tests.faults.study import run, written


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    folder = written(tmp_path_factory.mktemp("finished") / "whole")
    done = run(folder)
    assert done.code == 0, done.err
    assert done.err == ""
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"
