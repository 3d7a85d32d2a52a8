"""What to say to each description, and what its API must then see."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_REAL = Path(__file__).parents[3] / "shared" / "specs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A call, and the request that it must become. `body` None: no body at all."""

    tool: str
    arguments: Mapping[str, object]
    request_line: str
    body: object
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """`tools` is how many operations the description holds, each of them a tool."""

    api: str
    description: Path
    tools: int
    examples: tuple[Example, ...]


TRACKER = Dialogue(
    api="tracker",
    description=_HERE / "descriptions" / "tracker.yaml",
    tools=5,
    examples=(
        Example(
            tool="issuesCreate",
            arguments={"project": "a b/c", "title": "It is broken", "labels": ["bug"]},
            request_line="POST /projects/a%20b%2Fc/issues HTTP/1.1",
            body={"title": "It is broken", "labels": ["bug"]},
            endpoint="POST /projects/{project}/issues",
        ),
        Example(
            tool="issuesComment",
            arguments={
                "project": "gate",
                "number": 7,
                "notify": True,
                "mention": ["ann", "b&o"],
                "text": "née ✓",
                "number_body": 9,
            },
            request_line="POST /projects/gate/issues/7/comments"
            "?mention=ann&mention=b%26o&notify=true HTTP/1.1",
            body={"text": "née ✓", "number": 9},
            endpoint="POST /projects/{project}/issues/{number}/comments",
        ),
    ),
)

_GITHUB = Dialogue(
    api="github",
    description=_REAL / "github.json",
    tools=1223,
    examples=(
        Example(
            tool="issuesCreate",
            arguments={
                "owner": "octo",
                "repo": "hello world",
                "title": "Found a bug",
                "labels": ["bug", {"name": "urgent"}],
            },
            request_line="POST /repos/octo/hello%20world/issues HTTP/1.1",
            body={"title": "Found a bug", "labels": ["bug", {"name": "urgent"}]},
            endpoint="POST /repos/{owner}/{repo}/issues",
        ),
        Example(
            tool="orgsListAttestationsBulk",
            arguments={"org": "acme", "per_page": 5, "subject_digests": ["sha256:ab"]},
            request_line="POST /orgs/acme/attestations/bulk-list?per_page=5 HTTP/1.1",
            body={"subject_digests": ["sha256:ab"]},
            endpoint="POST /orgs/{org}/attestations/bulk-list",
        ),
    ),
)

_OPENAI = Dialogue(
    api="openai",
    description=_REAL / "openai.yaml",
    tools=288,
    examples=(
        Example(
            tool="createThread",
            arguments={"metadata": {"topic": "gateway"}},
            request_line="POST /threads HTTP/1.1",
            body={"metadata": {"topic": "gateway"}},
            endpoint="POST /threads",
        ),
        Example(
            tool="createRun",
            arguments={
                "thread_id": "thread_1",
                "include__": ["step_details.tool_calls[*].file_search.results[*].content"],
                "assistant_id": "asst_1",
                "temperature": 0.5,
            },
            request_line="POST /threads/thread_1/runs?include%5B%5D="
            "step_details.tool_calls%5B%2A%5D.file_search.results%5B%2A%5D.content HTTP/1.1",
            body={"assistant_id": "asst_1", "temperature": 0.5},
            endpoint="POST /threads/{thread_id}/runs",
        ),
    ),
)

_STRIPE = Dialogue(
    api="stripe",
    description=_REAL / "stripe.json",
    tools=452,
    examples=(
        Example(
            tool="getAccountsAccountExternalAccounts",
            arguments={"account": "acct_1", "limit": 3, "starting_after": "ba 1"},
            request_line="GET /v1/accounts/acct_1/external_accounts"
            "?limit=3&starting_after=ba%201 HTTP/1.1",
            body=None,
            endpoint="GET /v1/accounts/{account}/external_accounts",
        ),
    ),
)

DIALOGUES: tuple[Dialogue, ...] = (
    TRACKER,
    # The real descriptions are test data beside the project, not part of it.
    *(d for d in (_GITHUB, _OPENAI, _STRIPE) if d.description.exists()),
)
