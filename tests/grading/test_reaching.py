"""What code reaches for, read from its syntax."""

import machinery as m
import pytest

from longctx_edu.grading.leaning import finished_functions
from longctx_edu.grading.notebook import read_cells
from longctx_edu.grading.reaching import reaching

DEEP = {
    "import gc": "import gc",
    "import threading as t": "import threading",
    "from torch.utils import _python_dispatch": "torch.utils._python_dispatch",
    "import torch\nd = torch.utils": "torch.utils",
    "x.__torch_dispatch__": "__torch_dispatch__",
    "f = lambda: ()\nf.__globals__": "__globals__",
    "getattr(torch, 'uti' + 'ls')": "getattr",
    "eval('1')": "eval",
    "exec('import gc')": "exec",
    "__import__('gc')": "__import__",
    "import torch\ntorch.zeros = len": "torch.zeros",
    "from longctx_edu.grading import wire": "longctx_edu.grading.wire",
    "from . import x": "import",
    "import warnings\nwarnings.sys": "warnings.sys",
    "from typing import sys": "typing.sys",
    "from torch import Tensor\nTensor.add = len": "Tensor.add",
    "import torch as t\ndel t.add": "t.add",
    "__builtins__": "__builtins__",
    "import torch\nt = torch\nt.zeros = len": "t.zeros",
    "import torch\nt = torch\nt.overrides": "t.overrides",
    "import operator": "import operator",
    "import typing\ntyping.get_type_hints(f)": "typing.get_type_hints",
    "from longctx_edu.checks import largest": "longctx_edu.checks.largest",
    "class A:\n    def __torch_function__(self): ...": "__torch_function__",
}


@pytest.mark.parametrize("code", DEEP)
def test_machinery_is_seen(code):
    assert any(DEEP[code] in said for said in reaching([code])), reaching([code])


def test_usual_code_reaches_for_nothing():
    code = (
        "import math, torch\nimport numpy as np\nimport torch.nn.functional as F\n"
        "from einops import rearrange\n%matplotlib inline\n"
        "class A(torch.nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        self.x = 1\n"
        "x = torch.zeros(3)\nx[0] = 1\nx.requires_grad = True\nF.gelu(x)"
    )
    assert reaching([code, "this is no Python"]) == []


def test_numpy_counts_where_the_function_uses_it():
    code = ["import numpy as np\nx = np.zeros(3)", "def f(q):\n    return q"]
    assert reaching(code, "f") == []
    for body in ("np.ones(3)", "q.numpy()", "torch.from_numpy(q)"):
        assert reaching([code[0], f"def f(q):\n    return {body}"], "f") == ["NumPy"]


@m.each(m.EXERCISE_SOURCES)
def test_the_course_s_own_solutions_reach_for_nothing(path):
    assert reaching(cell.source for cell in read_cells(path)) == []


def test_finished_functions_are_found_through_helpers():
    cells = [
        "import longctx_edu.attention as A\nfrom longctx_edu.masks import window as w",
        "from longctx_edu.plotting import plot_mask",
        "def helper(q, w=1):\n    return A.dense_attention(q)",
        "def f(q):\n    plot_mask(q)\n    return helper(q)",
        "def g(q):\n    w = 3\n    return q + w",
        "h = w(3)",
    ]
    assert finished_functions(cells, "f") == [
        "longctx_edu.attention",
        "longctx_edu.attention.dense_attention",
    ]
    assert finished_functions(cells, "g") == []
    assert finished_functions(cells, "h") == ["longctx_edu.masks.window"]
