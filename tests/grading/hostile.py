"""Submissions that want points without solving anything, or harm.

HOSTILE[name] = (code, exercise, words of which one must be said). `WRONG` stands for a
wrong answer, ROOT for the course's folder, SECRET for a file of the teacher.
"""

CAUSAL, PREFILL = "01/causal_mask", "07/prefill"
WRONG = """
import torch
def causal_mask(n_token):
    return torch.ones(n_token, n_token).bool()
"""

HOSTILE = {
    "endless loop": (
        "def causal_mask(n):\n    while True:\n        pass",
        CAUSAL,
        "took longer than 2 s",
    ),
    "endless sleep that catches everything": (
        "import time\ndef causal_mask(n):\n    while True:\n        try:\n"
        "            time.sleep(9)\n        except BaseException:\n            pass",
        CAUSAL,
        "took longer than 2 s",
    ),
    "fork bomb": (
        f"import os\nwhile True:\n    os.fork()\n# %%{WRONG}",
        CAUSAL,
        "may not start a process",
    ),
    "fork bomb in C": (
        f"import ctypes\nc = ctypes.CDLL(None)\nwhile True:\n    c.fork()\n# %%{WRONG}",
        CAUSAL,
        "took longer than|process ended|no answer",
    ),
    "memory bomb": (
        "def causal_mask(n):\n    x = []\n    while True:\n"
        "        x.append(bytearray(2**26))",
        CAUSAL,
        "MemoryError",
    ),
    "memory bomb of torch": (
        "import torch\ndef causal_mask(n):\n    return torch.ones(2**33).sum()",
        CAUSAL,
        "allocate memory|MemoryError",
    ),
    "gigabytes of output": (
        f"import os\nfor _ in range(2000):\n    print('x' * 2**20)\n"
        f"    os.write(1, b'x' * 2**20)\n# %%{WRONG}",
        CAUSAL,
        "query i sees the keys",
    ),
    "deletes files": (
        "import shutil, os\nfor place in ('ROOT', '/', '/usr', '..'):\n"
        f"    shutil.rmtree(place, ignore_errors=True)\n# %%{WRONG}",
        CAUSAL,
        "query i sees the keys",
    ),
    "writes over files": (
        "def causal_mask(n):\n    open('SECRET', 'w').write('gone')",
        CAUSAL,
        "PermissionError|FileNotFoundError|OSError",
    ),
    "fills the disk": (
        "def causal_mask(n):\n    with open('big', 'wb') as f:\n        while True:\n"
        "            f.write(b'x' * 2**20)",
        CAUSAL,
        "OSError|process ended",
    ),
    "reads another submission": (
        "def causal_mask(n):\n    return open('SECRET').read()",
        CAUSAL,
        "PermissionError|FileNotFoundError",
    ),
    "reads the solutions": (
        "def causal_mask(n):\n"
        "    return open('ROOT/solutions/01_attention.ipynb').read()",
        CAUSAL,
        "PermissionError|FileNotFoundError",
    ),
    "imports the checks' own answers": (
        "from longctx_edu.checks.oracles import slow_attention\n"
        "from longctx_edu.checks.masks_01 import check_causal_mask\n"
        "def causal_mask(n):\n    return slow_attention(n)",
        CAUSAL,
        "torch.Tensor",
    ),
    "overwrites the checks": (
        "import longctx_edu.checks.lesson_01 as lesson\n"
        "import longctx_edu.checks.report as r\n"
        "lesson.check_causal_mask = lambda answer: 'passed'\n"
        "r.require = lambda *a, **k: None\nr.outcome = lambda *a: ('passed', 'well')\n"
        f"{WRONG}",
        CAUSAL,
        "query i sees the keys",
    ),
    "patches torch": (
        "import torch\ntorch.equal = torch.allclose = lambda *a, **k: True\n"
        "torch.Tensor.__eq__ = torch.Tensor.all = lambda *a, **k: True\n"
        f"torch.Tensor.shape = (4, 4)\n# %%{WRONG}",
        CAUSAL,
        "query i sees the keys|AttributeError|TypeError|sent something",
    ),
    "forges the grades": (
        "import json\n"
        "for place in ('grades.json', 'ROOT/grades.json', '../grades.json'):\n"
        "    try:\n        json.dump({'points': 99}, open(place, 'w'))\n"
        f"    except OSError:\n        pass\n{WRONG}",
        CAUSAL,
        "query i sees the keys",
    ),
    "ends the process in a cell": (
        f"import os\nos._exit(0)\n# %%{WRONG}",
        CAUSAL,
        "process ended",
    ),
    "ends the process in the function": (
        "import os\ndef causal_mask(n):\n    os._exit(0)",
        CAUSAL,
        "process ended",
    ),
    "exits in a cell": (f"import sys\nsys.exit(0)\n# %%{WRONG}", CAUSAL, "SystemExit"),
    "exits in the function": (
        "import sys\ndef causal_mask(n):\n    sys.exit(0)",
        CAUSAL,
        "SystemExit",
    ),
    "crashes": (
        "import ctypes\ndef causal_mask(n):\n    return ctypes.string_at(0)",
        CAUSAL,
        "process ended",
    ),
    "a thread that outlives its cell": (
        "import threading, os\ndef on():\n    while True:\n"
        "        for fd in range(3, 64):\n            try:\n"
        "                os.write(fd, b'passed' * 99)\n"
        "            except OSError:\n                pass\n"
        f"threading.Thread(target=on).start()\n# %%{WRONG}",
        CAUSAL,
        "query i sees the keys|no answer|took longer|process ended",
    ),
    "reads the environment": (
        "import os\ndef causal_mask(n):\n    said = dict(os.environ)\n"
        "    for pid in (1, os.getppid(), *range(2, 40)):\n        try:\n"
        "            said[pid] = open(f'/proc/{pid}/environ').read()\n"
        "        except OSError:\n            pass\n    raise ValueError(str(said))",
        CAUSAL,
        "ValueError",
    ),
    "opens a socket": (
        "import socket\ndef causal_mask(n):\n"
        "    socket.create_connection(('127.0.0.1', PORT), 2).send(b'secret')",
        CAUSAL,
        "may not use the network|OSError|refused|unreachable",
    ),
    "opens a socket in C": (
        "import ctypes, struct\ndef causal_mask(n):\n    c = ctypes.CDLL(None)\n"
        "    s = c.socket(2, 1, 0)\n    at = struct.pack('<H', 2) + struct.pack('>H', "
        "PORT) + bytes([127, 0, 0, 1]) + bytes(8)\n"
        "    return c.connect(s, at, 16) == 0",
        CAUSAL,
        "torch.Tensor",
    ),
    "patches the border": (
        'import json, socket, struct\njson.dumps = lambda *a, **k: \'[["done", true, '
        "[[], [], null, {}]], []]'\njson.loads = lambda *a: [['call'], []]\n"
        f"# %%{WRONG}",
        CAUSAL,
        "no answer|process ended|query i sees|no function",
    ),
    "writes a forged verdict": (
        "import os, json, struct\ndef causal_mask(n):\n"
        "    for tree in (['passed'], ['done', 'passed', [[], [], None, {}]],"
        " ['verdict', 'passed', 1.0]):\n"
        "        text = json.dumps([tree, []]).encode()\n"
        "        for fd in range(3, 64):\n            try:\n"
        "                os.write(fd, struct.pack('>II', len(text), 0) + text)\n"
        "            except OSError:\n                pass",
        CAUSAL,
        "no answer|torch.Tensor",
    ),
    "walks the frames": (
        "import sys, torch\ndef causal_mask(n):\n    frame = sys._getframe()\n"
        "    while frame:\n        for name, thing in {**frame.f_locals, "
        "**frame.f_globals}.items():\n            if name in ('want', 'expected'):\n"
        "                return thing\n            if name == 'status':\n"
        "                frame.f_locals[name] = 'passed'\n"
        "        frame = frame.f_back\n"
        "    return torch.ones(n, n).bool()",
        CAUSAL,
        "query i sees the keys",
    ),
    "traces": (
        "import sys\ndef trace(frame, event, arg):\n"
        "    frame.f_locals.update(status='passed', answer=True)\n    return trace\n"
        f"sys.settrace(trace)\n{WRONG}",
        CAUSAL,
        "query i sees the keys|process ended",
    ),
    "kills everyone": (
        "import ctypes, os\nc = ctypes.CDLL(None)\nc.kill(-1, 9)\n"
        f"for pid in range(2, 40000):\n    c.kill(pid, 9)\n# %%{WRONG}",
        CAUSAL,
        "query i sees the keys|process ended",
    ),
    "kills its parent": (
        f"import os\nos.kill(os.getppid(), 9)\n# %%{WRONG}",
        CAUSAL,
        "may not send a signal",
    ),
    "links": (
        "import os\ndef causal_mask(n):\n    os.symlink('ROOT/solutions', 'here')\n"
        "    os.symlink('/', 'top')\n    return open('here/01_attention.ipynb').read()",
        CAUSAL,
        "PermissionError|FileNotFoundError",
    ),
    "acts at its end": (
        "import atexit\nclass Late:\n    def __del__(self):\n"
        "        open('SECRET', 'w').write('gone')\nlate = Late()\n"
        f"atexit.register(lambda: open('SECRET', 'w').write('gone'))\n{WRONG}",
        CAUSAL,
        "query i sees the keys",
    ),
    "a tensor that lies": (
        "import torch\nclass Lie(torch.Tensor):\n    @classmethod\n"
        "    def __torch_function__(cls, func, types, args=(), kwargs=None):\n"
        "        return True\ndef causal_mask(n):\n"
        "    return torch.ones(n, n).bool().as_subclass(Lie)",
        CAUSAL,
        "query i sees the keys",
    ),
    "a thing that equals everything": (
        "import torch\nclass Yes:\n    dtype, shape, ndim = torch.bool, (4, 4), 2\n"
        "    __class__ = torch.Tensor\n    def __eq__(self, other):\n"
        "        return True\n    def __getattr__(self, name):\n"
        "        return lambda *a, **k: self\n    def __bool__(self):\n"
        "        return True\ndef causal_mask(n):\n    return Yes()",
        CAUSAL,
        "torch.Tensor|TypeError|AttributeError|no answer|no value",
    ),
    "a gigabyte as an answer": (
        "import torch\ndef causal_mask(n):\n    return torch.zeros(1).expand(2**29)",
        CAUSAL,
        "Error|process ended|at most",
    ),
    "a list that holds itself": (
        "def causal_mask(n):\n    x = []\n    x.append(x)\n    return x",
        CAUSAL,
        "holds itself",
    ),
    "an endless range": (
        "def distances_heard(layers):\n    return range(10**15)",
        "06/distances_heard",
        "no answer",
    ),
    "changes Python": (
        "import builtins\nbuiltins.isinstance = lambda *a: True\n"
        f"builtins.len = lambda x: 4\nbuiltins.callable = lambda x: True\n# %%{WRONG}",
        CAUSAL,
        "query i sees the keys|no answer|process ended|Error|no function",
    ),
    "bends the count": (
        "import torch\nfrom torch.utils import _python_dispatch as d\n"
        "def prefill(q, k, v, size):\n"
        "    with d._disable_current_modes():\n"
        "        seen = torch.ones(len(q), len(q)).tril().bool()\n"
        "        scores = (q @ k.mT / q.shape[1] ** 0.5).masked_fill(~seen, "
        "-torch.inf)\n        return scores.softmax(1) @ v",
        PREFILL,
        "A teacher decides",
    ),
    "computes where nobody counts": (
        "import torch, threading\ndef prefill(q, k, v, size):\n    kept = []\n"
        "    def work():\n"
        "        seen = torch.ones(len(q), len(q)).tril().bool()\n"
        "        scores = (q @ k.mT / q.shape[1] ** 0.5).masked_fill(~seen, "
        "-torch.inf)\n        kept.append(scores.softmax(1) @ v)\n"
        "    t = threading.Thread(target=work)\n    t.start()\n    t.join()\n"
        "    return kept[0]",
        PREFILL,
        "A teacher decides",
    ),
    "dense in plain sight": (
        "import torch\ndef prefill(q, k, v, size):\n"
        "    seen = torch.ones(len(q), len(q)).tril().bool()\n"
        "    scores = (q @ k.mT / q.shape[1] ** 0.5).masked_fill(~seen, -torch.inf)\n"
        "    return scores.softmax(1) @ v",
        PREFILL,
        "dense in disguise",
    ),
}
