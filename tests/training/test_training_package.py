import subprocess
import sys
from types import ModuleType

from longctx_edu import training


def test_the_face_is_explicit():
    public = {
        name
        for name, value in vars(training).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert sorted(public) == training.__all__


def test_imports_no_upper_layer_and_no_neighbour():
    code = (
        "import sys, longctx_edu.training\n"
        "found = [m for m in sys.modules if m.startswith('longctx_edu.')]\n"
        "print([m for m in found if not m.startswith(('longctx_edu.training', "
        "'longctx_edu.errors', 'longctx_edu.writing'))])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"
