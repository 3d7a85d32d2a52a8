"""Whatever is said in whatever order, what comes back is what the protocol's ladders say.

`python -m tests.torture.mcp_steps` does the same for much longer.
"""

from hypothesis import settings

from tests.support.mcp_lines import Lines
from tests.support.mcp_machine import Conversations, OverHttp

WithoutNetwork = Conversations.TestCase
WithoutNetwork.settings = settings(max_examples=30, stateful_step_count=50, deadline=None)

OverNetwork = OverHttp.TestCase
OverNetwork.settings = settings(max_examples=6, stateful_step_count=40, deadline=None)

OverPipes = Lines.TestCase
OverPipes.settings = settings(max_examples=30, stateful_step_count=50, deadline=None)
