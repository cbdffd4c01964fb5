"""One notebook in the browser: open it, run it, type into it, read what came of it.

Outputs are read from the notebook's model, which holds them all; what the page shows is
asked for beside them. Every wait ends, and says what it was for.
"""

import contextlib
import re
from pathlib import Path

from lab_server import Lab
from playwright.sync_api import Browser, Error, Locator
from playwright.sync_api import TimeoutError as TooLate

OPEN_S, RUN_S, STEP_S = 300, 600, 120

WIDGET = "const w = window.jupyterapp?.shell?.currentWidget;"
IS_OPEN = f"""() => {{ {WIDGET}
    return w?.context?.isReady && w.sessionContext?.isReady
        && w.sessionContext.session?.kernel?.status === 'idle'; }}"""
RUN_ALL = f"""async () => {{ {WIDGET} const {{commands}} = window.jupyterapp;
    window.kernelDied = false;
    w.sessionContext.statusChanged.connect((_, status) => {{
        window.kernelDied ||= ['dead', 'restarting', 'autorestarting'].includes(status);
    }});
    await commands.execute('notebook:clear-all-cell-outputs');
    void commands.execute('notebook:run-all-cells'); }}"""
# Run, or stopped by an error, or without a kernel; never between two cells.
HAS_RUN = f"""() => {{ {WIDGET}
    if (window.kernelDied) return true;
    if (w.sessionContext.session?.kernel?.status !== 'idle') return false;
    const code = Array.from(w.content.model.cells).filter(
        c => c.type === 'code' && c.sharedModel.getSource().trim());
    const failed = c => c.outputs.toJSON().some(o => o.output_type === 'error')
        && !(c.getMetadata('tags') ?? []).includes('raises-exception');
    return code.every(c => c.executionCount !== null) || code.some(failed); }}"""
READ = f"""() => {{ {WIDGET}
    return w.content.widgets.map(cell => {{
        const model = cell.model, node = cell.node, json = model.toJSON();
        node.dataset.cell = model.id;
        const shown = Array.from(node.querySelectorAll('img')).filter(
            i => i.complete && i.naturalWidth > 0 && i.getClientRects().length > 0);
        const wrong = 'mjx-merror, [data-mjx-error], mjx-mtext[style*="color: red"]';
        return {{id: model.id, type: model.type, source: model.sharedModel.getSource(),
            tags: json.metadata?.tags ?? [], outputs: json.outputs ?? [],
            count: json.execution_count ?? null, images: shown.length,
            formulas: node.querySelectorAll('mjx-container').length,
            wrong: node.querySelectorAll(wrong).length,
            folds: node.querySelectorAll('details').length}}; }}); }}"""
# Formulas and pictures come a moment after their text.
SETTLED = f"""(formulas) => {{ {WIDGET}
    return w.content.node.querySelectorAll('mjx-container').length >= formulas
        && Array.from(w.content.node.querySelectorAll('img')).every(i => i.complete);
    }}"""
ENTER = f"""(id) => {{ {WIDGET}
    w.content.activeCellIndex = w.content.widgets.findIndex(c => c.model.id === id);
    w.content.mode = 'edit'; w.content.activeCell.editor.focus(); }}"""
TYPED = f"""([id, text]) => {{ {WIDGET}
    const cell = w.content.widgets.find(c => c.model.id === id);
    return cell.model.sharedModel.getSource() === text; }}"""
FORGET = f"""(id) => {{ {WIDGET}
    const cell = w.content.widgets.find(c => c.model.id === id);
    cell.model.executionCount = null; cell.model.outputs.clear(); }}"""
CELL_RAN = f"""(id) => {{ {WIDGET}
    const cell = w.content.widgets.find(c => c.model.id === id);
    return cell.model.executionCount !== null
        && w.sessionContext.session.kernel.status === 'idle'; }}"""
END_KERNEL = f"""async () => {{ {WIDGET} await w?.sessionContext?.shutdown(); }}"""
PAINTED = """async () => {
    await Promise.all(Array.from(document.images).map(i => i.decode()));
    await new Promise(done => requestAnimationFrame(() => setTimeout(done))); }"""
# A browser asks a server of its own for an icon, and says so if there is none.
NOT_OURS = re.compile(r"favicon|ResizeObserver loop")


class NotebookPage:
    """A notebook of the lab in a page of its own.

    Args:
        browser: Any of Playwright's.
        lab: The server.
        notebook: Path in the course.
    """

    def __init__(self, browser: Browser, lab: Lab, notebook: str):
        self.name, self.address, self.complaints = notebook, lab.address(notebook), []
        self.page = browser.new_page(viewport={"width": 1200, "height": 1000})
        self.page.on("pageerror", lambda error: self.complain(str(error)))
        self.page.on("console", self.hear)

    def open(self) -> "NotebookPage":
        """Load the page and wait for the notebook and its kernel."""
        self.page.goto(self.address, wait_until="commit", timeout=1000 * OPEN_S)
        self.wait(IS_OPEN, "the notebook to open with its kernel", OPEN_S)
        return self

    def hear(self, message) -> None:
        """Note what the console calls an error."""
        if message.type == "error":
            self.complain(f"{message.text} ({message.location.get('url', '')})")

    def complain(self, text: str) -> None:
        """Note an error of the page, if it is one of ours."""
        if not NOT_OURS.search(text):
            self.complaints.append(text[:400])

    def wait(self, script: str, what: str, timeout_s: float, given=None) -> None:
        """Wait until a script says yes; else say what was waited for."""
        try:
            self.page.wait_for_function(
                script, arg=given, timeout=1000 * timeout_s, polling=200
            )
        except TooLate:
            reason = f"waited {timeout_s} s for {what} in {self.name}"
            heard = f"; the browser said {self.complaints}" if self.complaints else ""
            raise AssertionError(reason + heard) from None

    def run_all(self, formulas: int = 0) -> list[dict]:
        """Run every cell; return what each then holds and shows.

        Args:
            formulas: So many are written in it; they are waited for, but not for long.
        """
        self.page.evaluate(RUN_ALL)
        self.wait(HAS_RUN, "all cells to run", RUN_S)
        with contextlib.suppress(TooLate):  # the checks name what is missing
            self.page.wait_for_function(SETTLED, arg=formulas, timeout=15_000)
        return self.read()

    def read(self) -> list[dict]:
        """Return what each cell holds and shows."""
        return self.page.evaluate(READ)

    def cell(self, cell_id: str) -> dict:
        """Return what one cell holds and shows."""
        return next(cell for cell in self.read() if cell["id"] == cell_id)

    def node(self, cell_id: str) -> Locator:
        """Find one cell in the page."""
        self.read()
        return self.page.locator(f'[data-cell="{cell_id}"]')

    def run(self, cell_id: str) -> dict:
        """Go into a cell, press Shift and Enter, and wait until it has run."""
        self.page.evaluate(FORGET, cell_id)
        self.page.evaluate(ENTER, cell_id)
        self.page.keyboard.press("Shift+Enter")
        self.wait(CELL_RAN, f"cell {cell_id} to run", STEP_S, cell_id)
        return self.cell(cell_id)

    def write(self, cell_id: str, text: str) -> None:
        """Go into a cell and put other text in the place of its own, by keyboard."""
        self.page.evaluate(ENTER, cell_id)
        self.page.keyboard.press("ControlOrMeta+A")
        self.page.keyboard.insert_text(text)
        what = f"cell {cell_id} to hold what was typed"
        self.wait(TYPED, what, STEP_S, [cell_id, text])

    def screenshot(self, folder: Path, name: str) -> Path:
        """Keep what is in view, once its pictures are painted."""
        with contextlib.suppress(Error):  # a page that never opened has none
            self.page.evaluate(PAINTED)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def close(self) -> None:
        """End the kernel and the page."""
        try:
            self.page.evaluate(END_KERNEL)
        finally:
            self.page.close()
