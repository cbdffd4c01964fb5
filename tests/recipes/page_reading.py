"""Read a page back: elements, headings, links, and the words that are marked."""

from html.parser import HTMLParser

from longctx_edu.data.documents import Document
from longctx_edu.recipes.report_page import report_page
from longctx_edu.recipes.scores import score_documents

VOID = {"meta", "link", "input", "br", "hr"}
OPEN = {"option"}  # HTML closes these by itself


def document(text, tags, name="note", starts=(0,)):
    return Document(name, tuple(text.split()), tuple(tags.split()), starts)


def page_of(documents, predicted, **more):
    scores = score_documents(documents, predicted)
    return report_page(documents, predicted, scores, **more)


class Page(HTMLParser):
    """What a page holds; an element that is not closed properly is an error."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.headings, self.marked = [], [], [], {}
        self.text, self.labels = "", []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements.append((tag, attributes))
        if tag in ("h1", "h2", "h3"):
            self.headings.append([tag, ""])
        if tag == "small":
            self.labels.append("")
        if tag not in VOID | OPEN:
            self.open.append((tag, attributes))

    def handle_endtag(self, tag):
        assert self.open[-1][0] == tag, f"</{tag}> closes {self.open[-1]}"
        self.open.pop()

    def handle_data(self, data):
        inside = [tag for tag, _ in self.open]
        if "small" in inside:
            self.labels[-1] += data
            return
        if set(inside) & {"h1", "h2", "h3"}:
            self.headings[-1][1] += data
        for name in dict(self.open).get("span", {}).get("class", "").split():
            self.marked.setdefault(name, []).append(data)
        if not set(inside) & {"script", "style"}:
            self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]
