"""Run pytest on sanitized extensions, in the tree of `sanitize.sh`: an editable installation would lead elsewhere."""

import sys
from pathlib import Path

import pytest

sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "ScikitBuildRedirectingFinder"]
sys.path.insert(0, str(Path.cwd()))

import nas.training._native as engine  # noqa: E402
import predictors._native as describing  # noqa: E402
import priors._native as drawing  # noqa: E402

if __name__ == "__main__":
    for extension in (engine, describing, drawing):
        assert Path(extension.__file__).is_relative_to(Path.cwd()), extension.__file__
    sys.exit(pytest.main(sys.argv[1:]))
