import pytest
import torch

from longctx_edu.data.recall import NO_ANSWER, Recall, stack_recall


def sample(n):
    return Recall(torch.arange(n), torch.arange(n) * 2, torch.arange(n) * 3)


def test_samples_lie_side_by_side():
    stacked = stack_recall([sample(3), sample(3)])
    assert {name: tensor.tolist() for name, tensor in stacked.items()} == {
        "ids": [[0, 1, 2], [0, 1, 2]],
        "answers": [[0, 2, 4], [0, 2, 4]],
        "distances": [[0, 3, 6], [0, 3, 6]],
    }


def test_a_sample_is_as_long_as_its_ids():
    assert len(sample(3)) == 3


def test_cross_entropy_leaves_out_where_nothing_is_asked():
    logits = torch.zeros(2, 4)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor([NO_ANSWER, 1]))
    assert loss == torch.tensor(4.0).log()


# messages


def test_refuses_samples_of_several_lengths():
    message = r"^need samples of one length, got 3 samples of lengths \[2, 5\]$"
    with pytest.raises(ValueError, match=message):
        stack_recall([sample(5), sample(2), sample(5)])


def test_refuses_no_samples():
    message = r"^need samples of one length, got 0 samples of lengths \[\]$"
    with pytest.raises(ValueError, match=message):
        stack_recall([])
