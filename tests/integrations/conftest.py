import pytest

from longctx_edu.errors import UserError
from longctx_edu.integrations import find_pretrained


@pytest.fixture(scope="session")
def minilm_folder():
    """Where the weights of minilm are, or skip the test."""
    try:
        return find_pretrained("minilm")
    except UserError as error:
        pytest.skip(str(error))
