"""A newcomer's ten questions are answered on the two home pages, or one click away."""

import re

import pytest

from tests.docs.blocks import ROOT
from tests.docs.test_pages import links, text

# The question, the page that answers it (none: the home page itself), words of the answer.
QUESTIONS = [
    ("What is it?", None, "reproduces"),
    ("How do I see it run, and how long does that take?", "docs/tutorial.md", "make demo"),
    ("What has to be installed, and how long does that take?", "docs/tutorial.md", "67 seconds"),
    ("How good is it, on which data?", None, r"(?s)MovieLens-1M.*0\.\d{3}"),
    ("Does what the paper claims hold?", "docs/reproduction/README.md", "[Cc]laim"),
    (
        "What does a word mean, such as hierarchical?",
        "docs/glossary.md",
        r"(?m)^\| hierarchical search \|",
    ),
    ("How do I train on my own data?", "docs/tutorial.md", r"(?m)^## Add a data set$"),
    ("How do I get lists of recommended items?", "docs/serving.md", "hashgnn recommend"),
    ("How do I add a method?", "docs/methods/README.md", "## Add or remove a method"),
    ("What if it stops in the middle?", "docs/reliability.md", "[Cc]heckpoint"),
]


@pytest.mark.parametrize("home", ["README.md", "docs/README.md"])
@pytest.mark.parametrize(("question", "page", "answer"), QUESTIONS, ids=[q[0] for q in QUESTIONS])
def test_a_question_is_answered_within_one_click(
    home: str, question: str, page: str | None, answer: str
) -> None:
    folder = (ROOT / home).parent
    linked = {str((folder / path).resolve().relative_to(ROOT)) for path, _ in links(text(home))}

    assert page is None or page in linked
    assert re.search(answer, text(page or home))


def test_the_demo_prints_what_the_page_shows() -> None:
    (shown,) = re.findall(r"^```text\n(.*?)^```$", text("docs/README.md"), re.MULTILINE | re.DOTALL)
    printed = text("Makefile").replace("$(VENV)", ".venv")
    rules = re.findall(r"^(?:\S*installed|demo):.*\n((?:\t.*\n)+)", printed, re.MULTILINE)
    said = re.findall(r"^\t@echo \"(.*)\"$", "".join(rules), re.MULTILINE)

    lines = [line for line in shown.splitlines() if line and not line.startswith("[")]
    assert lines == said
    assert len(shown.splitlines()) < 40
