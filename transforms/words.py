"""A text cut into words as people see them, so that two texts can be compared word by word.

A word is a run of letters, digits and what belongs to them: combining marks, joiners, an apostrophe between letters. Scripts that write no spaces
between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are cut into characters. An emoji with its skin tone, joined parts or variation
is one word, and so is a flag. Space goes with the word before it. Put together, the words are the text.
"""

from __future__ import annotations

import re
import unicodedata

_MARK = "".join(sign for sign in map(chr, range(0x300, 0x1F000)) if unicodedata.category(sign).startswith("M"))
"""Combining marks, variation selectors and the key cap among them."""
_JOINER = "\u200d"
_TONE = "\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
"""Skin tones, and the tags that spell out regional flags."""
_FLAG = "\U0001f1e6-\U0001f1ff"
_UNSPACED = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46"  # Thai
    "\u0e81-\u0eb0\u0eb2\u0eb3\u0ec0-\u0ec6"  # Lao
    "\u1000-\u102a\u103f\u1050-\u1055"  # Burmese
    "\u1780-\u17b3"  # Khmer
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u3041-\u3096\u309d-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Kana
)

_WORD = re.compile(
    rf"""(?:
        [{_FLAG}]{{2}}
      | (?![{_UNSPACED}])\w (?:(?![{_UNSPACED}])\w|[{_MARK}\u200c{_JOINER}]|['\u2019](?=\w))*+   # letters and digits
      | \S[{_MARK}{_TONE}]*+ (?:{_JOINER}\S[{_MARK}{_TONE}]*+)*+                                 # one sign and what belongs to it
      | (?=\s)                                                                                    # space before all words
    )\s*+""",
    re.VERBOSE,
)


def words(text: str) -> list[str]:
    """The words of a text, each with the space after it. ``"".join(words(text)) == text``."""
    return [found[0] for found in _WORD.finditer(text) if found[0]]
