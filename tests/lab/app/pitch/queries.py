"""What the pages ask the database."""

from __future__ import annotations

from typing import Any

from .store import fetch

PAGE = 20

BROWSE = """
SELECT p.id, p.title, p.logline, p.genre, p.format, p.stage, p.budget_eur, p.view_count, p.like_count, p.published_at,
       u.display_name AS author
FROM pitches p JOIN users u ON u.id = p.author_id
WHERE {where}
ORDER BY p.published_at DESC NULLS LAST, p.id DESC
LIMIT {limit}
"""
SEARCH_TITLE = """
SELECT id, title, genre, format, view_count
FROM pitches
WHERE title ILIKE %(pattern)s AND status = 'published'
ORDER BY view_count DESC, id
LIMIT %(limit)s
"""
SUGGEST_TITLE = """
SELECT title FROM pitches WHERE lower(title) LIKE %(prefix)s AND status = 'published' ORDER BY lower(title) LIMIT 5
"""
SESSION = """
SELECT u.id, u.display_name, u.kind, s.expires_at
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.token = %(token)s AND s.expires_at > now() AND s.revoked_at IS NULL
"""
LOG_IN = """
WITH found AS (SELECT id, display_name, kind FROM users WHERE lower(email) = lower(%(email)s)),
     created AS (INSERT INTO sessions (user_id, token, user_agent, expires_at)
                 SELECT id, %(token)s, %(user_agent)s, now() + interval '14 days' FROM found)
SELECT id, display_name, kind FROM found
"""
DASHBOARD = {
    "pitches": """
SELECT id, title, status, view_count, like_count, updated_at
FROM pitches WHERE author_id = %(user)s ORDER BY updated_at DESC LIMIT 10""",
    "unread": """
SELECT m.id, m.subject, m.created_at, u.display_name AS sender
FROM messages m JOIN users u ON u.id = m.sender_id
WHERE m.recipient_id = %(user)s AND m.read_at IS NULL ORDER BY m.created_at DESC LIMIT 10""",
    "followers": "SELECT count(*) AS followers FROM follows WHERE followed_id = %(user)s",
    "views_30_days": """
SELECT count(*) AS views_30_days
FROM views v JOIN pitches p ON p.id = v.pitch_id
WHERE p.author_id = %(user)s AND v.viewed_at > now() - interval '30 days'""",
    "ndas_pending": """
SELECT count(*) AS ndas_pending
FROM ndas n JOIN pitches p ON p.id = n.pitch_id
WHERE p.author_id = %(user)s AND n.status = 'pending'""",
}
LISTS = ("pitches", "unread")


async def browse(filters: dict[str, str]) -> list[dict[str, Any]]:
    """The newest pitches that match; `filters` maps columns (of a fixed set) to values."""
    where = " AND ".join(f"p.{column} = %({column})s" for column in filters)
    return await fetch(BROWSE.format(where=where, limit=PAGE), **filters)


async def search(text: str) -> dict[str, Any]:
    """Pitches whose title contains the text, most viewed first, and titles that begin with it."""
    literal = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    results = await fetch(SEARCH_TITLE, pattern=f"%{literal}%", limit=PAGE)
    titles = await fetch(SUGGEST_TITLE, prefix=f"{literal.lower()}%")
    return {"results": results, "suggestions": [row["title"] for row in titles]}


async def session(token: str) -> dict[str, Any] | None:
    rows = await fetch(SESSION, token=token)
    return rows[0] if rows else None


async def log_in(email: str, token: str, user_agent: str) -> dict[str, Any] | None:
    """The user with that address, for whom `token` is now a session; None when nobody has it."""
    rows = await fetch(LOG_IN, email=email, token=token, user_agent=user_agent)
    return rows[0] if rows else None


async def dashboard(user: int) -> dict[str, Any]:
    found = {name: await fetch(query, user=user) for name, query in DASHBOARD.items()}
    return {name: rows if name in LISTS else rows[0][name] for name, rows in found.items()}
