"""What of a context an API is shown: fields that it asks for, history that is its caller's."""

from gateway.context.model import AgentContext, HistoryEntry


def with_fields(context: AgentContext, fields: frozenset[str]) -> AgentContext:
    """The context with the four required members and those that `fields` names.

    A description has no word for `user`, `context_summary` and `api_specs`: no list shows them.
    """
    return AgentContext(
        context_id=context.context_id,
        agent_type=context.agent_type,
        created_at=context.created_at,
        last_updated=context.last_updated,
        current_goal=context.current_goal if "current_goal" in fields else None,
        workspace=context.workspace if "workspace" in fields else None,
        current_file=context.current_file if "current_file" in fields else None,
        error_context=context.error_context if "error_context" in fields else None,
        recent_changes=context.recent_changes if "recent_changes" in fields else (),
        session=context.session if "session" in fields else None,
        history=context.history if "history" in fields else (),
    )


def is_of_apis(entry: HistoryEntry, apis: frozenset[str]) -> bool:
    """Whether an entry has to do with one of `apis`, or with no API at all.

    One whose API is not a name cannot be judged, so it is not.
    """
    api = entry.metadata.get("api")
    return api is None or (isinstance(api, str) and api in apis)
