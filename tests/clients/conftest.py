"""Files of the sizes that matter, from none to larger than memory."""

import pytest

from harness.content import SIZES, Content


@pytest.fixture(scope="session", params=SIZES)
def content(request, tmp_path_factory):
    content = Content(tmp_path_factory.mktemp("content"), request.param, SIZES[request.param])
    yield content
    content.path.unlink()
