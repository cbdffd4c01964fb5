import pytest

from longctx_edu.benchmarks import Built, CannotRun, Case, Contender, make_inputs
from longctx_edu.benchmarks import turns as module
from longctx_edu.benchmarks.contender import claims, everything, tensors
from longctx_edu.benchmarks.turns import Entry, predicted_s, time_in_turn


@pytest.fixture
def made(small):
    """Return a function that makes an entry, which notes its calls in a list."""
    case = Case(small, 16, "float32")
    inputs = make_inputs(case, backward=True)

    def make(name, calls, *, fails=None, backward=False):
        def attend(q, k, v):
            calls.append(name)
            if fails is not None and len(calls) > fails:
                raise RuntimeError("it\n broke")
            return q * 2

        def build(case):
            return Built(attend, claims(everything(case)), lambda: 256)

        contender = Contender(name, "", build, tensors(1, 1))
        return Entry(name, contender, case, inputs, backward)

    return make


def test_they_run_in_turn_after_a_warm_up(made):
    calls = []
    entries = [made(name, calls) for name in "ab"]
    time_in_turn(entries, repeats=3, budget_s=100.0)
    assert "".join(calls) == "aabb" + "ababab"
    assert [len(entry.seconds) for entry in entries] == [3, 3]


def test_one_that_breaks_stops_no_other(made):
    calls, broken = [], []
    entries = [made("a", broken, fails=0), made("b", calls)]
    time_in_turn(entries, repeats=2, budget_s=100.0)
    assert entries[0].reason == "RuntimeError: it broke"
    assert (entries[0].seconds, entries[0].built) == ([], None)
    assert len(entries[1].seconds) == 2


def test_one_that_breaks_later_keeps_its_times_and_its_reason(made):
    entry = made("a", [], fails=3)
    time_in_turn([entry], repeats=5, budget_s=100.0)
    assert len(entry.seconds) == 1
    assert entry.reason == "RuntimeError: it broke"


def test_one_that_cannot_run_says_so_in_its_own_words(made):
    entry = made("a", [])

    def refuse():
        raise CannotRun("it has no backward")

    assert entry.tried(refuse) is None
    assert entry.reason == "it has no backward"


def test_one_that_should_not_be_tried_is_not(made):
    calls = []
    entries = [made("a", calls), made("b", calls)]
    time_in_turn(
        entries,
        repeats=1,
        budget_s=100.0,
        why_not=lambda entry: "too slow" if entry.label == "a" else "",
    )
    assert (entries[0].reason, entries[0].seconds) == ("too slow", [])
    assert calls == ["b", "b", "b"]


def test_a_slow_one_runs_less_often(made, monkeypatch):
    clock = iter(30.0 * n for n in range(50))
    monkeypatch.setattr(module, "now", lambda: next(clock))
    calls = []
    entry = made("a", calls)
    time_in_turn([entry], repeats=5, budget_s=100.0)
    assert entry.seconds == [30, 30, 30]
    assert len(calls) == 4  # a first call of 30 s is warm-up enough


def test_ctrl_c_is_no_reason(made):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made("a", []).tried(stop)


def test_every_step_is_told(made):
    told = []
    entries = [made(name, []) for name in "ab"]
    time_in_turn(
        entries, repeats=2, budget_s=9.0, step=lambda entry: told.append(entry.label)
    )
    assert told == ["a", "b"] * 3


def test_without_backward_no_gradient_is_kept(made):
    entry = made("a", [])
    entry.warm_up()
    (out,) = entry.ready_call()()
    assert not out.requires_grad


@pytest.mark.parametrize(
    ("known", "n", "power", "seconds"),
    [
        ({}, 1024, 2, 0.0),
        ({4096: 9.0}, 1024, 2, 0.0),
        ({1024: 2.0, 2048: 5.0}, 4096, 1, 10.0),
        ({1024: 2.0}, 4096, 2, 32.0),
        ({1024: 2.0}, 1024, 2, 2.0),
    ],
)
def test_a_guess_comes_from_the_next_shorter_text(known, n, power, seconds):
    assert predicted_s(known, n, power) == seconds
