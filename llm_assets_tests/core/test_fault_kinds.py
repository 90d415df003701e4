import pytest

from llm_assets.core.fault_kinds import decide_fault_kind, is_known_status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (None, "server_error"),
        (400, "rejected_request"),
        (401, "bad_key"),
        (402, "no_credit"),
        (403, "forbidden"),
        (404, "unknown_model"),
        (405, "unknown_model"),
        (408, "timed_out"),
        (409, "server_error"),
        (413, "rejected_request"),
        (422, "rejected_request"),
        (429, "rate_limited"),
        (500, "server_error"),
        (502, "server_error"),
        (503, "server_error"),
        (529, "server_error"),
    ],
)
def test_kind_by_status(status, kind):
    """Where the reply says nothing else, its status decides."""
    assert decide_fault_kind(status, {}, said="It broke.") == kind


@pytest.mark.parametrize(
    ("status", "error", "said", "kind"),
    [
        # OpenAI
        (429, {"code": "insufficient_quota"}, "You exceeded your quota.", "quota_exhausted"),
        (429, {"code": "429", "type": "insufficient_quota"}, "Quota.", "quota_exhausted"),
        (429, {}, "Error: insufficient_quota", "quota_exhausted"),
        (429, {"code": "rate_limit_exceeded", "type": "tokens"}, "Rate limit.", "rate_limited"),
        (404, {"code": "model_not_found"}, "No such model.", "unknown_model"),
        (400, {"code": "model_not_found"}, "No such model.", "unknown_model"),
        (403, {"code": "model_not_found"}, "No access to it.", "unknown_model"),
        (400, {"code": "invalid_api_key"}, "Wrong key.", "bad_key"),
        (400, {"param": "response_format"}, "Invalid schema.", "rejected_settings"),
        (400, {"param": "text.format.json_schema.schema"}, "Invalid.", "rejected_settings"),
        (400, {"param": "temperature"}, "Does not support 0.2.", "rejected_settings"),
        (400, {"param": "messages"}, "The temperature is no role.", "rejected_request"),
        (
            400,
            {"code": "context_length_exceeded", "param": "messages"},
            "Too long: reduce the messages or max_tokens.",
            "rejected_request",
        ),
        (400, {"code": "content_policy_violation"}, "Blocked.", "rejected_request"),
        # Azure
        (400, {"code": "content_filter", "param": "prompt"}, "Filtered.", "rejected_request"),
        # vLLM
        (400, {"code": 400}, "Invalid response_format: nothing to decode.", "rejected_settings"),
        (422, {}, "json_schema is not supported.", "rejected_settings"),
        (
            400,
            {"code": 400},
            "'max_tokens' is too large: 9. This model's maximum context length is 8 tokens.",
            "rejected_request",
        ),
        # Gemini
        (400, {"code": 400}, "API key not valid. Please pass a valid one.", "bad_key"),
        (400, {"code": 400}, "Invalid value at response_schema.", "rejected_settings"),
        # OpenRouter
        (403, {"code": 403}, "Your input was flagged by moderation.", "rejected_request"),
        # codes of other types are passed over
        (500, {"code": None, "type": ["x"], "param": {}}, "", "server_error"),
        (400, {"param": 5}, "", "rejected_request"),
    ],
)
def test_kind_by_what_the_reply_says(status, error, said, kind):
    """A word of the reply is more exact than its status, and a named parameter than a sentence."""
    assert decide_fault_kind(status, error, said=said) == kind


@pytest.mark.parametrize(
    ("number", "is_known"), [(399, False), (400, True), (599, True), (600, False), (-1, False)]
)
def test_known_statuses(number, is_known):
    """Only statuses of failed requests are statuses; other numbers are a server's own codes."""
    assert is_known_status(number) is is_known
