"""What several looks at one record say together, where one alone would mislead.

On Bluesky a record lies on its author's server, and the public sees it through the AppView, which does not take over edits: so where both were
seen in one capture, the content is the record's, and the view only adds the names of its author. The account's own posts are always read as
records. On Mastodon a history names neither address nor visibility: they come from the status it is the history of.

It sees one batch: pages of one capture belong into one.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

RECORD, VIEW = "record:", "view:"
"""How ``state_basis`` begins for a record as its author wrote it, and for the public view of it."""

_NAMES = ("author_handle", "author_name")
_NOT_IN_A_HISTORY = ("lang", "parent_id", "root_id", "url", "source_visibility")
"""What a history does not name, and what did not change (a language may have)."""


def with_views(shown: pa.Table, own_views: pa.Table) -> pa.Table:
    """Posts or comments, without the views of records that were read as records in the same capture, whose names go to those."""
    is_view = pc.starts_with(shown["state_basis"], VIEW)
    if not own_views.num_rows and not pc.any(is_view).as_py():
        return shown
    look = _look(shown)
    records = pc.unique(look.filter(pc.starts_with(shown["state_basis"], RECORD)))
    is_covered = pc.and_(is_view, pc.is_in(look, value_set=records))
    views = pa.concat_tables([own_views, shown.filter(is_covered)])
    kept = shown.filter(pc.invert(is_covered))
    return _completed(kept, _look(kept), views, _look(views), _NAMES)


def with_earlier(posts: pa.Table, comments: pa.Table, told: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Posts and comments with the earlier versions told of them. Where the record was not seen beside it, it counts as a post."""
    if not told.num_rows:
        return posts, comments
    of_comments = pc.is_in(told["record_id"], value_set=comments["record_id"])
    return _with_told(posts, told.filter(pc.invert(of_comments))), _with_told(comments, told.filter(of_comments))


def _with_told(shown: pa.Table, told: pa.Table) -> pa.Table:
    completed = _completed(told, told["record_id"], shown, shown["record_id"], _NOT_IN_A_HISTORY)
    return pa.concat_tables([shown, completed])


def _look(table: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(table["record_id"], table["capture_id"], "\n")


def _completed(
    table: pa.Table, keys: pa.ChunkedArray, others: pa.Table, other_keys: pa.ChunkedArray, names: tuple[str, ...]
) -> pa.Table:
    """The table, with what is null in these columns taken from the first other row of the same key."""
    found = others.select(names).take(pc.index_in(keys, value_set=other_keys))
    for name in names:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pc.coalesce(table[name], found[name]))
    return table
